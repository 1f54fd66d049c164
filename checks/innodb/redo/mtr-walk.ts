/** Steps through the mini-transactions of a log stream, in bounded memory. */
import { crc32c } from '../../../src/bytes/crc32c.js';
import { BAD, findMtrEnd, MAX_MTR_BYTES, readU32, SHORT, verifyMtr } from '../format/mini-transaction.js';
import { MtrIndex } from './mtr-index.js';
import type { LogStream } from './stream.js';

/** More than two of the largest mini-transactions. */
const WINDOW_BYTES = 4 * MAX_MTR_BYTES;
/** A chain that is searched for begins within the search: its first two may end so far behind it. */
const BEHIND_SEARCH_BYTES = 64 * 1024;
const REFILL_BELOW = 2 * MAX_MTR_BYTES + 64;
/** Nearly every mini-transaction is shorter. */
const LITTLE_BYTES = 64 * 1024;

export interface Mtr {
  bytes: Buffer;
  at: number;
  /** Of the end byte. */
  end: number;
  startLsn: number;
  /** Pages it changed carry this LSN. */
  endLsn: number;
}

type Chain = 'none' | 'this lap' | 'lap before';

export class MtrWalk {
  private readonly window = Buffer.alloc(WINDOW_BYTES);
  private base = 0;
  private filled = 0;
  private ended = false;
  private readonly index = new MtrIndex();
  /** So many bytes must be there, as far as there are any, before anything is said of a mini-transaction. */
  private ahead = REFILL_BELOW;
  /** So much of what the window holds now is in the index. */
  private indexed = 0;
  /** Chains that start behind it are not searched for. */
  private searchTo = 0;

  constructor(
    private readonly stream: LogStream,
    private readonly signal: AbortSignal,
    private readonly progress: (bytes: number) => void,
  ) {}

  /** Calls `visit` for each mini-transaction from `from` on. @returns the position of the first that is not valid, or at or after `to`. */
  async follow(from: number, to: number, visit: (mtr: Mtr) => void): Promise<number> {
    this.restart(from, LITTLE_BYTES);
    for (let position = from; position < to; ) {
      if (this.needsMore(position)) await this.refill(position);
      const next = this.step(position, false, visit);
      if (next >= 0) position = next;
      else if (next === SHORT && this.ahead < REFILL_BELOW) this.ahead = REFILL_BELOW;
      else return position;
    }
    return to;
  }

  /**
   * Tries every byte from `from` on until a chain starts, follows it until it breaks, and so on up to `to`.
   * Chains of the lap before are followed too where they lie, but not visited: so that what is old is passed at full speed.
   * @param onGap called when a new chain starts, with its position.
   */
  async search(from: number, to: number, onGap: (position: number) => void, visit: (mtr: Mtr) => void): Promise<void> {
    this.restart(from, REFILL_BELOW);
    this.searchTo = to;
    let chain: Chain = 'none';
    for (let position = from; position < to; ) {
      if (this.needsMore(position)) await this.refill(position);
      if (chain === 'none') {
        position = this.nextTry(position, to);
        if (position >= to || this.needsMore(position)) continue;
        chain = this.chainAt(position);
        if (chain === 'this lap') onGap(position);
      }
      const next = chain === 'none' ? position + 1 : this.step(position, chain === 'lap before', chain === 'this lap' ? visit : null);
      if (next < 0) chain = 'none';
      else position = next;
    }
  }

  /** The first place from `position` on from which records lead to an end; else where the window must be filled anew, or `to`. */
  private nextTry(position: number, to: number): number {
    this.makeIndex();
    const filledTo = this.ended ? this.indexed : Math.min(this.indexed, this.filled - REFILL_BELOW + 1);
    const limit = Math.min(to - this.base, filledTo);
    let at = Math.max(position - this.base, this.index.isBlank ? limit : 0);
    while (at < limit && this.index.endOf(at) < 0) at++;
    return this.ended && at >= this.indexed ? to : this.base + at;
  }

  private chainAt(position: number): Chain {
    if (this.chainStarts(position, false)) return 'this lap';
    return this.chainStarts(position, true) ? 'lap before' : 'none';
  }

  /** Two in a row: a CRC alone fits by chance once in four billion bytes. */
  private chainStarts(position: number, flipped: boolean): boolean {
    const next = this.tryAt(position, flipped);
    return next > 0 && this.tryAt(next, flipped) > 0;
  }

  /** As `step`, at next to no cost, for the many places at which nothing starts. */
  private tryAt(position: number, flipped: boolean): number {
    this.makeIndex();
    const { form } = this.stream;
    const at = position - this.base;
    const end = at < this.indexed ? this.index.endOf(at) : BAD;
    if (end < 0 || this.window[end] !== (this.stream.endByteAt(position + end - at) ^ (flipped ? 1 : 0))) return -1;
    if (!form.crc) return position + end + 1 - at;
    const stored = end + 1 + form.nonceBytes;
    if (stored + 4 > this.indexed) return -1;
    const crc = this.index.crc(at, end);
    const whole = form.nonceBytes > 0 ? crc32c(this.window, end + 1, stored, crc) : crc;
    return whole === readU32(this.window, stored) ? position + stored + 4 - at : -1;
  }

  /** Where the next one starts; SHORT or BAD where there is none. */
  private step(position: number, flipped: boolean, visit: ((mtr: Mtr) => void) | null): number {
    const at = position - this.base;
    const end = findMtrEnd(this.window, at, this.filled);
    if (end < 0) return end;
    const { form } = this.stream;
    const expected = this.stream.endByteAt(position + end - at) ^ (flipped ? 1 : 0);
    if (this.window[end] !== expected) return BAD;
    const next = form.crc ? verifyMtr(this.window, at, end, this.filled, form.nonceBytes) : end + 1;
    if (next < 0) return next;
    const after = position + next - at;
    visit?.({ bytes: this.window, at, end, startLsn: this.stream.lsnOf(position), endLsn: this.stream.lsnOf(after) });
    return after;
  }

  private makeIndex(): void {
    if (this.indexed > 0) return;
    this.indexed = Math.min(this.filled, Math.max(0, this.searchTo - this.base) + BEHIND_SEARCH_BYTES);
    this.index.build(this.window, this.indexed);
  }

  private restart(position: number, ahead: number): void {
    this.ahead = ahead;
    this.base = position;
    this.filled = 0;
    this.ended = false;
    this.indexed = 0;
  }

  /** Waiting for nothing at every byte would cost more than all the rest. */
  private needsMore(position: number): boolean {
    return !this.ended && this.base + this.filled - position < this.ahead;
  }

  private async refill(position: number): Promise<void> {
    this.signal.throwIfAborted();
    const kept = Math.max(0, this.base + this.filled - position);
    this.window.copyWithin(0, this.filled - kept, this.filled);
    this.base = position;
    const wanted = (this.ahead < REFILL_BELOW ? 4 * this.ahead : WINDOW_BYTES) - kept;
    const count = await this.stream.read(position + kept, this.window.subarray(kept), wanted);
    this.ended = count < wanted;
    this.filled = kept + count;
    this.indexed = 0;
    this.progress(count);
  }
}
