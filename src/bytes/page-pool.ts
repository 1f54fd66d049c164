/**
 * Verifies the pages of many files in worker threads, at the speed at which the bytes can be read, in bounded memory:
 * each thread holds one block buffer, and what a verifier finds must be small.
 * The work is split by bytes, not by file: one huge file and a thousand small ones keep all threads busy alike.
 */
import type { Worker } from 'node:worker_threads';
import { InterruptedError, LabError } from '../errors.js';
import type { ByteMap } from '../types.js';
import { builtModule } from './built-module.js';
import { sliceMap } from './map.js';
import { discardThread, keepThread, takeThread, usualThreads } from './page-threads.js';

/** One file. `detail` is what the verifier must know of it: small and plain. */
export interface PageFile<Detail> {
  map: ByteMap;
  detail: Detail;
}

/** A run of bytes of one file: what one call of a verifier looks at. */
export interface PageBlock<Detail> {
  detail: Detail;
  /** Where the block starts in its file. */
  offset: number;
  lengthBytes: number;
  fileBytes: number;
}

/** What a verifier module makes. One per thread; it is reused from batch to batch. */
export interface PageVerifier<Detail, Result> {
  /** Blocks are read into it. Its length is the block size. */
  readonly buffer: Uint8Array;
  /** Whether nothing of the block is of interest: then it is not read. What is to be counted of it is counted here. */
  skips?(block: PageBlock<Detail>): boolean;
  /** Looks at the first `block.lengthBytes` bytes of `buffer`. Must not throw. */
  verify(block: PageBlock<Detail>): void;
  /** What was found since the last call: plain data, small. */
  takeResult(): Result;
}

/** A verifier module exports `createVerifier`. */
export interface VerifierModule<Config, Detail, Result> {
  createVerifier(config: Config): PageVerifier<Detail, Result>;
}

export interface PagePass<Config, Detail, Result> {
  /** Module that exports `createVerifier`: `new URL('./page-verifier.js', import.meta.url)`. */
  verifier: URL;
  /** Given to every thread once. Shared memory in it stays shared. */
  config: Config;
  files: PageFile<Detail>[];
  /** Block buffer of each verifier; blocks begin at multiples of it. */
  blockBytes: number;
  onResult(result: Result): void;
  signal: AbortSignal;
  progress(doneBytes: number, totalBytes: number): void;
  /** Default: one per processor, at most 8. */
  threads?: number;
}

export interface Batch {
  parts: { detail: unknown; map: ByteMap; offset: number; fileBytes: number }[];
  bytes: number;
}

export type ToWorker = { kind: 'begin'; verifier: string; config: unknown } | { kind: 'batch'; batch: Batch } | { kind: 'end' };
export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'done'; result: unknown; bytes: number }
  | { kind: 'failed'; message: string }
  /** It holds nothing of the pass any more: no file, no memory. */
  | { kind: 'ended' };

/** Large, because each costs a message there and back; small, because the last ones keep one thread busy while the others wait. */
const MOST_BATCH_BYTES = 8 * 1024 * 1024;
const LEAST_BATCH_BYTES = 1024 * 1024;
const LEAST_BYTES_OF_THREAD = 4 * 1024 * 1024;
const BATCHES_OF_EACH = 16;
/** Batches that a thread has at once: it goes on with the next while this side takes in what it found. */
const IN_HAND = 2;
/** Thousands of tiny files make one batch only up to here. */
const BATCH_PARTS = 256;

/**
 * Resolves when every byte was verified; rejects with the first error, or InterruptedError when aborted.
 * Threads are kept for the next pass (see page-threads.ts), but nothing of this pass is.
 */
export async function runPagePass<Config, Detail, Result>(pass: PagePass<Config, Detail, Result>): Promise<void> {
  pass.signal.throwIfAborted();
  const totalBytes = pass.files.reduce((sum, file) => sum + file.map.sizeBytes, 0);
  if (totalBytes === 0) return;
  const count = Math.min(pass.threads ?? usualThreads(), Math.ceil(totalBytes / LEAST_BYTES_OF_THREAD));
  const batchBytes = Math.max(LEAST_BATCH_BYTES, Math.min(MOST_BATCH_BYTES, totalBytes / count / BATCHES_OF_EACH));
  const batches = splitByBytes(pass.files, pass.blockBytes, batchBytes);
  const verifier = builtModule(pass.verifier).href;
  let done = 0;
  const finished = (result: unknown, bytes: number) => {
    done += bytes;
    pass.onResult(result as Result);
    pass.progress(done, totalBytes);
  };
  const threads = Array.from({ length: count }, takeThread);
  const abort = abortion(pass.signal);
  const begin: ToWorker = { kind: 'begin', verifier, config: pass.config };
  let whole = false;
  try {
    await Promise.race([abort.promise, Promise.all(threads.map((thread) => feed(thread, begin, batches, finished)))]);
    whole = true;
  } finally {
    abort.forget();
    await Promise.all(threads.map(whole ? keepThread : discardThread));
  }
}

/** Batches of about the same size, made as they are asked for. Parts begin at multiples of `blockBytes`. */
export function* splitByBytes(files: PageFile<unknown>[], blockBytes: number, batchBytes: number): Generator<Batch, void> {
  const partBytes = Math.max(blockBytes, Math.floor(batchBytes / blockBytes) * blockBytes);
  let batch: Batch = { parts: [], bytes: 0 };
  for (const { map, detail } of files) {
    for (let offset = 0; offset < map.sizeBytes; offset += partBytes) {
      const lengthBytes = Math.min(partBytes, map.sizeBytes - offset);
      const whole = lengthBytes === map.sizeBytes;
      batch.parts.push({ detail, offset, fileBytes: map.sizeBytes, map: whole ? map : sliceMap(map, offset, lengthBytes) });
      batch.bytes += lengthBytes;
      if (batch.bytes >= batchBytes || batch.parts.length >= BATCH_PARTS) {
        yield batch;
        batch = { parts: [], bytes: 0 };
      }
    }
  }
  if (batch.parts.length > 0) yield batch;
}

/** Gives one thread batch after batch until there is none left, and resolves when it has let go of the pass. */
function feed(thread: Worker, begin: ToWorker, batches: Iterator<Batch, void>, finished: (result: unknown, bytes: number) => void): Promise<void> {
  let inHand = 0;
  let ending = false;
  const next = () => {
    const item = batches.next();
    if (!item.done) {
      inHand++;
      thread.postMessage({ kind: 'batch', batch: item.value } satisfies ToWorker);
    } else if (inHand === 0 && !ending) {
      ending = true;
      thread.postMessage({ kind: 'end' } satisfies ToWorker);
    }
  };
  return new Promise<void>((resolve, reject) => {
    const take = (message: FromWorker) => {
      if (message.kind === 'failed') reject(new LabError({ code: 'pages.read', message: message.message }));
      else if (message.kind === 'ended') {
        thread.off('message', take).off('exit', ended).off('error', reject);
        resolve();
      } else if (message.kind === 'ready') for (let i = 0; i < IN_HAND; i++) next();
      else {
        inHand--;
        finished(message.result, message.bytes);
        next();
      }
    };
    const ended = () => reject(new LabError({ code: 'pages.worker', message: 'a thread that verified pages ended early' }));
    thread.on('message', take).on('exit', ended).on('error', reject);
    thread.postMessage(begin);
  });
}

function abortion(signal: AbortSignal): { promise: Promise<never>; forget(): void } {
  let listener = () => {};
  const promise = new Promise<never>((_resolve, reject) => {
    listener = () => reject(new InterruptedError({ code: 'pages.aborted', message: 'verifying pages was interrupted', cause: signal.reason }));
    signal.addEventListener('abort', listener, { once: true });
  });
  return { promise, forget: () => signal.removeEventListener('abort', listener) };
}
