/** A stretch of a log stream in memory, through which a walk steps: bounded, and filled anew as the walk goes on. */
import { SHORT } from '../format/mini-transaction.js';
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
  /** With so much in sight a walk begins; as much as there must be for the largest group is read only where one needs it. */
  protected readonly firstAhead: number = REFILL_BELOW;
  /** So many bytes must be there, as far as there are any, before anything is said of a group. */
  private ahead = REFILL_BELOW;
  /** The last walk ended at bytes that are no record, not where the log ends. Told only of logs in which that can be told. */
  isLost = false;

  constructor(
    protected readonly stream: LogStream,
    private readonly signal: AbortSignal,
    private readonly progress: (bytes: number) => void,
  ) {}

  /** Calls `visit` for each mini-transaction from `from` on. @returns the position of the first that is not valid, or at or after `to`. */
  async follow(from: number, to: number, visit: (mtr: Mtr) => void): Promise<number> {
    this.restart(from, this.firstAhead);
    for (let position = from; position < to; ) {
      if (this.needsMore(position)) await this.refill(position);
      const next = this.stepFrom(position, visit);
      if (next >= 0) position = next;
      else if (next === SHORT && this.ahead < REFILL_BELOW) this.ahead = REFILL_BELOW;
      else return position;
    }
    return to;
  }

  /** Visits the one at `position`. @returns where the next begins; SHORT when more bytes may tell, else negative, when there is none. */
  protected abstract stepFrom(position: number, visit: (mtr: Mtr) => void): number;

  protected restart(position: number, ahead: number): void {
    this.ahead = ahead;
    this.base = position;
    this.filled = 0;
    this.ended = false;
  }

  /** Waiting for nothing at every byte would cost more than all the rest. */
  protected needsMore(position: number): boolean {
    return !this.ended && this.base + this.filled - position < this.ahead;
  }

  protected async refill(position: number): Promise<void> {
    this.signal.throwIfAborted();
    const kept = Math.max(0, this.base + this.filled - position);
    this.window.copyWithin(0, this.filled - kept, this.filled);
    this.base = position;
    const wanted = (this.ahead < REFILL_BELOW ? 4 * this.ahead : WINDOW_BYTES) - kept;
    const count = await this.stream.read(position + kept, this.window.subarray(kept), wanted);
    this.ended = count < wanted;
    this.filled = kept + count;
    this.progress(count);
  }
}
