/**
 * QEMU's control socket: JSON lines on a Unix socket.
 * Source of the protocol: docs/interop/qmp-spec in QEMU. One command at a time is in flight per id; events come in between.
 */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../errors.js';

export interface QmpEvent {
  event: string;
  data: Record<string, unknown>;
}

interface Pending {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

const MAX_KEPT_EVENTS = 256;

export class QmpClient {
  private readonly pending = new Map<number, Pending>();
  private readonly listeners = new Set<(event: QmpEvent) => void>();
  private readonly kept: QmpEvent[] = [];
  private nextId = 1;
  private closedBecause: Error | null = null;
  private greet: () => void = () => undefined;

  private constructor(private readonly socket: Socket) {
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => this.receive(line));
    // The reader of lines passes the socket's error on: both must be listened to.
    lines.on('error', (error) => this.fail(error));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('QEMU closed its control socket')));
  }

  /** Connects and leaves negotiation mode; waits for the socket to appear, until `giveUp` says that it will not. @throws LabError */
  static async connect(path: string, options: { timeoutMs: number; giveUp?: () => boolean }): Promise<QmpClient> {
    const deadline = Date.now() + options.timeoutMs;
    const client = new QmpClient(await connectBefore(path, deadline, options.giveUp));
    try {
      await client.greeting(Math.max(1, deadline - Date.now()));
      await client.execute('qmp_capabilities');
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Sends one command and gives its `return`. @throws LabError with QEMU's own text, or when there is no answer in time. */
  async execute<Result = unknown>(command: string, args: Record<string, unknown> = {}, options: { timeoutMs?: number } = {}): Promise<Result> {
    if (this.closedBecause) throw qmpError(`QEMU cannot be asked to ${command}: ${this.closedBecause.message}.`, this.closedBecause);
    const id = this.nextId++;
    const answer = new Promise<unknown>((resolve, reject) => this.pending.set(id, { resolve, reject }));
    this.socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    try {
      return (await within(answer, options.timeoutMs ?? 10_000, command)) as Result;
    } finally {
      this.pending.delete(id);
    }
  }

  /** The events seen so far, oldest first; only the last 256 are kept. */
  get events(): readonly QmpEvent[] {
    return this.kept;
  }

  /** Whether QEMU has gone away, or this side has closed the socket. */
  get closed(): boolean {
    return this.closedBecause !== null;
  }

  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Waits for an event that comes after this call. @throws LabError when it does not come in time. */
  async nextEvent(name: string, options: { timeoutMs: number }): Promise<QmpEvent> {
    let stop = (): void => undefined;
    const event = new Promise<QmpEvent>((resolve) => {
      stop = this.onEvent((candidate) => candidate.event === name && resolve(candidate));
    });
    return within(event, options.timeoutMs, `send the event ${name}`).finally(() => stop());
  }

  close(): void {
    this.socket.destroy();
  }

  private greeting(timeoutMs: number): Promise<void> {
    const greeted = new Promise<void>((resolve, reject) => {
      this.greet = resolve;
      this.pending.set(0, { resolve: () => resolve(), reject });
    });
    return within(greeted, timeoutMs, 'greet').finally(() => this.pending.delete(0));
  }

  private receive(line: string): void {
    const message = parsed(line);
    if (!message) return;
    if ('QMP' in message) this.greet();
    else if (typeof message.event === 'string') this.emit({ event: message.event, data: recordOf(message.data) });
    else if (typeof message.id === 'number') this.settle(message.id, message);
  }

  private settle(id: number, message: Record<string, unknown>): void {
    const pending = this.pending.get(id);
    if ('error' in message) pending?.reject(qmpError(`QEMU refused: ${String(recordOf(message.error).desc)}`));
    else pending?.resolve(message.return);
  }

  private emit(event: QmpEvent): void {
    this.kept.push(event);
    if (this.kept.length > MAX_KEPT_EVENTS) this.kept.shift();
    for (const listener of this.listeners) listener(event);
  }

  private fail(error: Error): void {
    this.closedBecause ??= error;
    for (const { reject } of this.pending.values()) reject(qmpError(`${error.message}.`, error));
    this.pending.clear();
  }
}

async function connectBefore(path: string, deadline: number, giveUp: () => boolean = () => false): Promise<Socket> {
  for (;;) {
    try {
      return await connected(path);
    } catch (cause) {
      if (Date.now() >= deadline || giveUp()) throw qmpError(`QEMU did not open its control socket ${path} in time.`, cause);
      await sleep(10);
    }
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

async function within<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw qmpError(`QEMU did not ${what} within ${timeoutMs / 1000} s.`);
  });
  late.catch(() => undefined);
  return Promise.race([work, late]).finally(() => timer.abort());
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    return recordOf(JSON.parse(line));
  } catch {
    return null;
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function qmpError(message: string, cause?: unknown): LabError {
  return new LabError({ code: 'machine.qmp', message, advice: 'Look at the log of QEMU for the reason.', cause });
}
