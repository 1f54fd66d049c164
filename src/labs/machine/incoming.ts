/**
 * Feeds a saved memory to QEMU. It listens on a Unix socket of the machine's own folder (it may start no programs, and needs not
 * see the file), and says on standard error what it does not take.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError, SnapproofError } from '../../errors.js';
import { endsSoon, type QemuProcess } from './launch.js';
import { refusal, refused } from './refusal.js';

const SOCKET = 'memory';
const POLL_MS = 20;
/** After the last byte was taken: loading what devices make of it takes moments, on a loaded host seconds. */
const SETTLE_MS = 30_000;
/** While it loads, it answers between pieces. */
const ANSWER_TIMEOUT_MS = 60_000;

/** Ends when the machine stands loaded and paused. @throws LabError `machine.refused` with QEMU's words. */
export async function loadMemory(qemu: QemuProcess, stream: Readable, folder: string, signal: AbortSignal): Promise<void> {
  const path = join(folder, SOCKET);
  await qemu.qmp.execute('migrate-incoming', { uri: `unix:${path}` });
  const socket = connect(path);
  const stop = () => socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await once(socket, 'connect');
    await feedAndWait(qemu, stream, socket, signal);
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
    stream.destroy();
  }
}

interface Feeding {
  done: boolean;
  bytes: number;
  /** What went wrong with reading the stream: our own trouble, not QEMU's. */
  failure: Error | null;
}

async function feedAndWait(qemu: QemuProcess, stream: Readable, socket: Socket, signal: AbortSignal): Promise<void> {
  const feeding: Feeding = { done: false, bytes: 0, failure: null };
  void feed(stream, socket, feeding);
  let settleBefore: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    if (!qemu.child.running) throw await whyItEnded(qemu, feeding);
    if (feeding.failure) throw unreadable(feeding.failure);
    if (await hasLoaded(qemu)) return;
    if (feeding.done) {
      if (feeding.bytes === 0) throw refused('The saved memory is empty.');
      settleBefore ??= Date.now() + SETTLE_MS;
      if (Date.now() > settleBefore) throw refused('The saved memory ends before the machine is whole: QEMU waits for more.');
    }
    await sleep(POLL_MS);
  }
}

async function hasLoaded(qemu: QemuProcess): Promise<boolean> {
  try {
    const { status } = await qemu.qmp.execute<{ status: string }>('query-status', {}, { timeoutMs: ANSWER_TIMEOUT_MS });
    return status !== 'inmigrate';
  } catch (error) {
    if (await endsSoon(qemu.child)) return false;
    throw error;
  }
}

async function whyItEnded(qemu: QemuProcess, feeding: Feeding): Promise<Error> {
  if (feeding.failure) return unreadable(feeding.failure);
  const { exitCode } = await qemu.child.exited;
  return refusal('the saved memory', qemu.errors.text(), exitCode);
}

function unreadable(failure: Error): Error {
  if (failure instanceof SnapproofError) return failure;
  return new LabError({ code: 'machine.memory', message: `The saved memory could not be read: ${failure.message}`, cause: failure });
}

/** QEMU closes the socket when it has enough or does not want more: that is no trouble of the stream. */
async function feed(stream: Readable, socket: Socket, feeding: Feeding): Promise<void> {
  let closed = false;
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  try {
    for await (const chunk of stream) {
      if (closed) break;
      feeding.bytes += (chunk as Buffer).length;
      if (!socket.write(chunk as Buffer)) await drained(socket);
    }
  } catch (error) {
    if (!closed) feeding.failure = error instanceof Error ? error : new Error(String(error));
  }
  socket.end(() => {
    feeding.done = true;
  });
  if (closed) feeding.done = true;
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      socket.off('drain', go).off('close', go);
      resolve();
    };
    socket.on('drain', go).on('close', go);
    if (socket.destroyed) go();
  });
}
