/** Joins stretches in the order of the log, whatever the order in which they come, as far as one mini-transaction leads to the next. */
import { BAD, findMtrEnd, SHORT, verifyMtr } from '../../format/mini-transaction.js';
import type { Mtr } from '../log-window.js';
import { ringEndByte, type StretchDetail, type StretchResult } from './detail.js';

export interface StretchTaker {
  /** A mini-transaction between two stretches. */
  between(mtr: Mtr): void;
  take(result: StretchResult): void;
}

export class StretchChain {
  /** Where the first mini-transaction starts; null before it is known. */
  firstLsn: number | null = null;
  /** Followed up to here, without a gap. */
  nextLsn: number;
  private stopped = false;
  private tail: Uint8Array = new Uint8Array(0);
  private due: number;
  private readonly early = new Map<number, StretchResult>();

  constructor(
    private readonly detail: StretchDetail,
    private readonly taker: StretchTaker,
  ) {
    this.due = detail.startLsn;
    this.nextLsn = detail.startLsn;
  }

  add(result: StretchResult): void {
    if (this.stopped) return;
    this.early.set(result.startLsn, result);
    for (let next = this.early.get(this.due); next && !this.stopped; next = this.early.get(this.due)) {
      this.early.delete(next.startLsn);
      this.stopped = !this.join(next);
    }
    if (this.stopped) this.early.clear();
  }

  /** Whether the chain goes on behind it. */
  private join(result: StretchResult): boolean {
    if (result.broken) return false;
    if (this.firstLsn === null) {
      this.firstLsn = result.startLsn + result.head.length;
      this.nextLsn = this.firstLsn;
    } else if (!this.bridge(Buffer.concat([this.tail, result.head]))) return false;
    this.taker.take(result);
    this.nextLsn = result.nextLsn;
    this.tail = result.tail;
    this.due = result.endLsn;
    return !result.ended;
  }

  /** What crosses from one stretch to the next must lead exactly to the first that is whole in it. */
  private bridge(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      const end = findMtrEnd(bytes, at, bytes.length);
      if (end === BAD || end === SHORT) return false;
      const flip = this.detail.kind === 'lap before' ? 1 : 0;
      if (bytes[end] !== (ringEndByte(this.nextLsn + end - at, this.detail) ^ flip)) return false;
      const next = verifyMtr(bytes, at, end, bytes.length, 0);
      if (next < 0) return false;
      const startLsn = this.nextLsn;
      this.nextLsn += next - at;
      this.taker.between({ bytes, at, end, startLsn, endLsn: this.nextLsn });
      at = next;
    }
    return true;
  }
}
