/** A stretch of a log stream in memory, through which a walk steps: bounded, and filled anew as the walk goes on. */
import type { LogStream } from './stream.js';

/** More than two of the largest groups of records. */
const WINDOW_BYTES = 4 * (1 << 20);
/** More than the largest group, of whichever format. */
export const REFILL_BELOW = 2 * (1 << 20) + 64;

export interface Mtr {
  bytes: Buffer;
  at: number;
  /** Of the records: in MariaDB the end byte follows. */
  end: number;
  startLsn: number;
  /** Pages it changed carry this LSN. */
  endLsn: number;
}

export abstract class LogWindow {
  protected readonly window = Buffer.alloc(WINDOW_BYTES);
  protected base = 0;
  protected filled = 0;
  protected ended = false;
  /** The last walk ended at bytes that are no record, not where the log ends. Told only of logs in which that can be told. */
  isLost = false;

  constructor(
    protected readonly stream: LogStream,
    private readonly signal: AbortSignal,
    private readonly progress: (bytes: number) => void,
  ) {}

  /** Calls `visit` for each mini-transaction from `from` on. @returns the position of the first that is not valid, or at or after `to`. */
  async follow(from: number, to: number, visit: (mtr: Mtr) => void): Promise<number> {
    this.restart(from);
    for (let position = from; position < to; ) {
      if (this.needsMore(position)) await this.refill(position);
      const next = this.stepFrom(position, visit);
      if (next < 0) return position;
      position = next;
    }
    return to;
  }

  /** Visits the one at `position`. @returns where the next begins; negative when there is none. */
  protected abstract stepFrom(position: number, visit: (mtr: Mtr) => void): number;

  protected restart(position: number): void {
    this.base = position;
    this.filled = 0;
    this.ended = false;
  }

  /** Waiting for nothing at every byte would cost more than all the rest. */
  protected needsMore(position: number): boolean {
    return !this.ended && this.base + this.filled - position < REFILL_BELOW;
  }

  protected async refill(position: number): Promise<void> {
    this.signal.throwIfAborted();
    const kept = Math.max(0, this.base + this.filled - position);
    this.window.copyWithin(0, this.filled - kept, this.filled);
    this.base = position;
    const wanted = WINDOW_BYTES - kept;
    const count = await this.stream.read(position + kept, this.window.subarray(kept), wanted);
    this.ended = count < wanted;
    this.filled = kept + count;
    this.progress(count);
  }
}
