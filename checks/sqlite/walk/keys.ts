/** Order of keys within and across pages. */
import type { BtreePage } from '../format/btree-page.js';
import { compareRecords } from '../format/record-order.js';

/** A rowid as two halves, or the beginning of an index record. */
export type Key = { hi: number; lo: number } | Buffer;

/** Keys of a subtree lie above `low` and not above `high`; null is no bound. */
export interface Bounds {
  low: Key | null;
  high: Key | null;
}

export const NO_BOUNDS: Bounds = { low: null, high: null };
/** Enough to decide nearly every comparison; keys that agree so far are left undecided. */
const MAX_KEY_BYTES = 1024;

/** The key of a cell, detached from the page. */
export function keyOf(parsed: BtreePage, page: Buffer, cell: number): Key {
  if (parsed.isTable) return { hi: parsed.keyHi[cell] as number, lo: parsed.keyLo[cell] as number };
  const start = parsed.payloadStart[cell] as number;
  return Buffer.from(page.subarray(start, start + Math.min(parsed.localPayloadBytes[cell] as number, MAX_KEY_BYTES)));
}

/** Says what is out of order on a page of a table, or null. */
export function rowOrderProblem(parsed: BtreePage, bounds: Bounds): string | null {
  const { keyHi, keyLo, cellCount } = parsed;
  if (cellCount === 0) return null;
  for (let cell = 1; cell < cellCount; cell++) {
    const hi = keyHi[cell] as number;
    const before = keyHi[cell - 1] as number;
    const ascends = hi === before ? (keyLo[cell] as number) > (keyLo[cell - 1] as number) : hi > before;
    if (!ascends) return `has rowid ${rowid(hi, keyLo[cell] as number)} behind rowid ${rowid(before, keyLo[cell - 1] as number)}`;
  }
  const first = { hi: keyHi[0] as number, lo: keyLo[0] as number };
  const last = { hi: keyHi[cellCount - 1] as number, lo: keyLo[cellCount - 1] as number };
  const { low, high } = bounds;
  if (low && !Buffer.isBuffer(low) && compareRowids(first, low) <= 0)
    return `begins with rowid ${rowid(first.hi, first.lo)}, its parent says all are above ${rowid(low.hi, low.lo)}`;
  if (high && !Buffer.isBuffer(high) && compareRowids(last, high) > 0)
    return `ends with rowid ${rowid(last.hi, last.lo)}, its parent says none is above ${rowid(high.hi, high.lo)}`;
  return null;
}

/** Says what is out of order on an index page, or null. Only for indexes under the BINARY collation, ascending. */
export function entryOrderProblem(parsed: BtreePage, page: Buffer, bounds: Bounds): string | null {
  const { cellCount, payloadStart, localPayloadBytes } = parsed;
  if (cellCount === 0) return null;
  const { low, high } = bounds;
  let start = payloadStart[0] as number;
  let end = start + (localPayloadBytes[0] as number);
  if (Buffer.isBuffer(low) && compareRecords(low, 0, low.length, page, start, end) > 0) return 'begins with an entry that belongs before its parent';
  for (let cell = 1; cell < cellCount; cell++) {
    const nextStart = payloadStart[cell] as number;
    const nextEnd = nextStart + (localPayloadBytes[cell] as number);
    if (compareRecords(page, start, end, page, nextStart, nextEnd) > 0) return `has entries ${cell - 1} and ${cell} out of order`;
    start = nextStart;
    end = nextEnd;
  }
  if (Buffer.isBuffer(high) && compareRecords(page, start, end, high, 0, high.length) > 0) return 'ends with an entry that belongs behind its parent';
  return null;
}

function compareRowids(a: { hi: number; lo: number }, b: { hi: number; lo: number }): number {
  return a.hi === b.hi ? a.lo - b.lo : a.hi - b.hi;
}

function rowid(hi: number, lo: number): string {
  return ((BigInt(hi) << 32n) | BigInt(lo)).toString();
}
