/** Finds the first mini-transaction of a stretch whose beginning lies somewhere within one. */
import { readU32 } from '../../format/mini-transaction.js';
import type { MtrIndex } from '../mtr-index.js';
import { ringEndByte, type StretchDetail } from './detail.js';

/** What lies within so many bytes is looked at first: mini-transactions are short. */
const WINDOWS_BYTES = [4096, 16384, 65536];

/**
 * Where the first chain begins within `bytes`: two in a row, for a CRC alone fits by chance once in four billion bytes.
 * Null when there is none in the first bytes, or when one of another lap comes before it. @param lsn of the first byte.
 */
export function findChainStart(bytes: Uint8Array, lsn: number, ring: StretchDetail, index: MtrIndex): number | null {
  const flip = ring.kind === 'lap before' ? 1 : 0;
  for (const windowBytes of WINDOWS_BYTES) {
    const window = bytes.subarray(0, windowBytes);
    index.build(window, window.length);
    for (let at = 0; at < window.length; at++) {
      if (index.endOf(at) < 0) continue;
      if (isChain(window, at, flip, lsn, ring, index)) return at;
      if (isChain(window, at, flip ^ 1, lsn, ring, index)) return null;
    }
  }
  return null;
}

function isChain(bytes: Uint8Array, at: number, flip: number, lsn: number, ring: StretchDetail, index: MtrIndex): boolean {
  const next = after(bytes, at, flip, lsn, ring, index);
  return next > 0 && after(bytes, next, flip, lsn, ring, index) > 0;
}

/** Where the mini-transaction at `at` ends; -1 when there is none. */
function after(bytes: Uint8Array, at: number, flip: number, lsn: number, ring: StretchDetail, index: MtrIndex): number {
  const end = at < bytes.length ? index.endOf(at) : -1;
  if (end < 0 || end + 5 > bytes.length || bytes[end] !== (ringEndByte(lsn + end, ring) ^ flip)) return -1;
  return index.crc(at, end) === readU32(bytes, end + 1) ? end + 5 : -1;
}
