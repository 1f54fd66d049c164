/** Finds the first mini-transaction of a stretch whose beginning lies somewhere within one. */
import { readU32 } from '../../format/mini-transaction.js';
import type { MtrIndex } from '../mtr-index.js';
import { ringEndByte, type StretchDetail } from './detail.js';

/** What lies within so many bytes is looked at first: most mini-transactions are short. */
const WINDOWS_BYTES = [4096, 16384, 65536];
/** In the middle of a record every byte leads somewhere, but seldom far. */
const LEADING = 6;
const TRAILER_BYTES = 5;

/**
 * Where the first chain begins within `bytes`: two in a row, for a CRC alone fits by chance once in four billion bytes.
 * Null when there is none in the first bytes. @param lsn of the first byte.
 */
export function findChainStart(bytes: Uint8Array, lsn: number, ring: StretchDetail, index: MtrIndex): number | null {
  // What lies before it in other stretches is proven where they are joined; before the first nothing else tells whether it is of another lap.
  const isFirst = lsn === ring.startLsn;
  for (const windowBytes of WINDOWS_BYTES) {
    const start = new ChainSearch(bytes.subarray(0, windowBytes), lsn, ring, index).first(isFirst);
    if (start !== undefined) return start;
  }
  return null;
}

class ChainSearch {
  private readonly flip: number;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly lsn: number,
    private readonly ring: StretchDetail,
    private readonly index: MtrIndex,
  ) {
    this.flip = ring.kind === 'lap before' ? 1 : 0;
    index.build(bytes, bytes.length);
  }

  /** Undefined when there is none. @param isStrict null when a chain of another lap comes before it. */
  first(isStrict: boolean): number | null | undefined {
    for (let at = 0; at < this.bytes.length; at++) {
      if (this.index.endOf(at) < 0) continue;
      if (this.leadsOn(at) && this.isChain(at, this.flip)) return at;
      if (isStrict && this.isChain(at, this.flip ^ 1)) return null;
    }
    return undefined;
  }

  /** Without a look at any CRC. */
  private leadsOn(from: number): boolean {
    let at = from;
    for (let i = 0; i < LEADING && at < this.bytes.length; i++) {
      const end = this.index.endOf(at);
      if (end < 0) return i >= 2;
      if (this.bytes[end] !== this.endByte(end, this.flip)) return false;
      at = end + TRAILER_BYTES;
    }
    return true;
  }

  private isChain(at: number, flip: number): boolean {
    const next = this.after(at, flip);
    return next > 0 && this.after(next, flip) > 0;
  }

  /** Where the mini-transaction at `at` ends; -1 when there is none. */
  private after(at: number, flip: number): number {
    const { bytes, index } = this;
    const end = at < bytes.length ? index.endOf(at) : -1;
    if (end < 0 || end + TRAILER_BYTES > bytes.length || bytes[end] !== this.endByte(end, flip)) return -1;
    return index.crc(at, end) === readU32(bytes, end + 1) ? end + TRAILER_BYTES : -1;
  }

  private endByte(at: number, flip: number): number {
    return ringEndByte(this.lsn + at, this.ring) ^ flip;
  }
}
