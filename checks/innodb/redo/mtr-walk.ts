/** Steps through the mini-transactions of a log stream, in bounded memory. */
import { crc32c } from '../../../src/bytes/crc32c.js';
import { BAD, findMtrEnd, readU32, SHORT, verifyMtr, visitMtr } from '../format/mini-transaction.js';
import type { MtrReader } from './knowledge.js';
import { LogWindow, type Mtr, REFILL_BELOW } from './log-window.js';
import { MtrIndex } from './mtr-index.js';

/** A chain that is searched for begins within the search: its first two may end so far behind it. */
const BEHIND_SEARCH_BYTES = 64 * 1024;

export function mtrReader(encrypted: boolean): MtrReader {
  return (mtr, visitor) => visitMtr(mtr.bytes, mtr.at, mtr.end, encrypted, visitor);
}

type Chain = 'none' | 'this lap' | 'lap before';

export class MtrWalk extends LogWindow {
  private readonly index = new MtrIndex();
  /** So much of what the window holds now is in the index. */
  private indexed = 0;
  /** Chains that start behind it are not searched for. */
  private searchTo = 0;

  protected stepFrom(position: number, visit: (mtr: Mtr) => void): number {
    return this.step(position, false, visit);
  }

  /**
   * Tries every byte from `from` on until a chain starts, follows it until it breaks, and so on up to `to`.
   * Chains of the lap before are followed too where they lie, but not visited: so that what is old is passed at full speed.
   * @param onGap called when a new chain starts, with its position.
   */
  async search(from: number, to: number, onGap: (position: number) => void, visit: (mtr: Mtr) => void): Promise<void> {
    this.restart(from);
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
    let at = position - this.base;
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

  private step(position: number, flipped: boolean, visit: ((mtr: Mtr) => void) | null): number {
    const at = position - this.base;
    const end = findMtrEnd(this.window, at, this.filled);
    if (end === BAD || end === SHORT) return -1;
    const { form } = this.stream;
    const expected = this.stream.endByteAt(position + end - at) ^ (flipped ? 1 : 0);
    if (this.window[end] !== expected) return -1;
    const next = form.crc ? verifyMtr(this.window, at, end, this.filled, form.nonceBytes) : end + 1;
    if (next < 0) return -1;
    const after = position + next - at;
    visit?.({ bytes: this.window, at, end, startLsn: this.stream.lsnOf(position), endLsn: this.stream.lsnOf(after) });
    return after;
  }

  private makeIndex(): void {
    if (this.indexed > 0) return;
    this.indexed = Math.min(this.filled, Math.max(0, this.searchTo - this.base) + BEHIND_SEARCH_BYTES);
    this.index.build(this.window, this.indexed);
  }

  protected override restart(position: number): void {
    super.restart(position);
    this.indexed = 0;
  }

  protected override async refill(position: number): Promise<void> {
    await super.refill(position);
    this.indexed = 0;
  }
}
