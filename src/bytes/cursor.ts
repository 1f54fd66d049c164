/**
 * Reads a source once, forwards, in bounded memory, for formats without fixed places (records, lengths, lines).
 * Parsers are generators: they run without waiting as long as the window holds what they need, and yield when it does not.
 * That costs a fraction of an `await` per field, and the same parser serves files of any size.
 */
import { FormatError } from '../errors.js';
import type { ByteSource } from '../types.js';

/** Yields how many bytes it needs from here on; `Cursor.run` fetches them. */
export type Reading<T> = Generator<number, T, void>;

const WINDOW_BYTES = 1024 * 1024;
/** No field that is looked at as a whole may be longer: a length in a file never decides what is allocated. */
export const MAX_FIELD_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);

/** The source ends before what its own lengths promise. */
export class EarlyEndError extends FormatError {}

/** Told of every byte that was passed, in order, each once. */
export type Passed = (bytes: Buffer) => void;

export class Cursor {
  private window: Buffer = EMPTY;
  private base = 0;
  private at = 0;
  private told = 0;

  /** @param passed makes every byte be read; without it long values are stepped over unread. */
  constructor(
    private readonly source: ByteSource,
    private readonly passed: Passed | null = null,
  ) {}

  get position(): number {
    return this.base + this.at;
  }

  /** Bytes from here to the end of the source. */
  get left(): number {
    return this.source.sizeBytes - this.position;
  }

  /** Drives a parser to its end. Rejects with what the parser throws, with `signal.reason`, or with the source's own errors. */
  async run<T>(reading: Reading<T>, signal: AbortSignal, progress?: (doneBytes: number) => void): Promise<T> {
    for (;;) {
      const step = reading.next();
      if (step.done) {
        this.tell();
        return step.value;
      }
      signal.throwIfAborted();
      await this.fetch(step.value);
      progress?.(this.position);
    }
  }

  /** Makes sure that the next `count` bytes are in the window. */
  *need(count: number): Reading<void> {
    if (count > MAX_FIELD_BYTES) throw new FormatError({ code: 'bytes.field', message: `a field of ${count} bytes at ${this.position} is too long` });
    if (count > this.left) throw earlyEnd(this.position, count, this.left);
    if (this.window.length - this.at < count) yield count;
  }

  *byte(): Reading<number> {
    if (this.at >= this.window.length) yield* this.need(1);
    return this.window[this.at++] as number;
  }

  /** A view of the next bytes, valid until the next call. */
  *bytes(count: number): Reading<Buffer> {
    yield* this.need(count);
    const view = this.window.subarray(this.at, this.at + count);
    this.at += count;
    return view;
  }

  /** Like `bytes`, without moving on. */
  *peek(count: number): Reading<Buffer> {
    yield* this.need(count);
    return this.window.subarray(this.at, this.at + count);
  }

  *skip(count: number): Reading<void> {
    if (count > this.left) throw earlyEnd(this.position, count, this.left);
    let rest = count;
    for (;;) {
      const step = Math.min(rest, this.window.length - this.at);
      this.at += step;
      rest -= step;
      if (rest === 0) return;
      if (this.passed) yield 1;
      else rest = this.jump(rest);
    }
  }

  /** Tells of what was passed so far: call it before the result of `passed` is used. */
  tell(): void {
    if (this.passed && this.at > this.told) this.passed(this.window.subarray(this.told, this.at));
    this.told = this.at;
  }

  private jump(count: number): number {
    this.base = this.position + count;
    this.window = EMPTY;
    this.at = 0;
    this.told = 0;
    return 0;
  }

  private async fetch(count: number): Promise<void> {
    this.tell();
    const kept = this.window.subarray(this.at);
    const from = this.base + this.window.length;
    const wanted = Math.max(WINDOW_BYTES, count - kept.length);
    const fresh = await this.source.read(from, Math.min(wanted, this.source.sizeBytes - from));
    this.base += this.at;
    this.window = kept.length === 0 ? fresh : Buffer.concat([kept, fresh]);
    this.at = 0;
    this.told = 0;
  }
}

function earlyEnd(position: number, wanted: number, left: number): EarlyEndError {
  return new EarlyEndError({ code: 'bytes.end', message: `${wanted} bytes are promised at ${position}, and only ${left} are there` });
}
