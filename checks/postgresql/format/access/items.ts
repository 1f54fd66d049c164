/**
 * Items of index pages: line pointers (src/include/storage/itemid.h) and IndexTupleData (src/include/access/itup.h).
 * PostgreSQL 11 to 18 have the same. Nothing here throws: what does not lie within its page is left out.
 */
import { PAGE_HEADER_BYTES } from '../page.js';

/** A sound page of an index. */
export interface IndexPage {
  view: DataView;
  /** Where the page begins in `view`. */
  at: number;
  /** Its number in the index. */
  block: number;
  pageBytes: number;
}

/** Takes the number of a block. */
export type TakeBlock = (block: number) => void;

/** Says that there is no block. */
export const NO_BLOCK = 0xffffffff;
const POINTER_BYTES = 4;
const NORMAL = 1;
const TUPLE_HEADER_BYTES = 8;

/** Offset, within the page, of what the access method keeps for itself; null when it has not this length. */
export function specialOf({ view, at, pageBytes }: IndexPage, bytes: number): number | null {
  return view.getUint16(at + 16, true) === pageBytes - bytes ? at + pageBytes - bytes : null;
}

/** Every item in use from number `first` (0 is the first) on: where it begins in the view, and its length. Items that overlap end it. */
export function eachItem({ view, at, pageBytes }: IndexPage, first: number, take: (item: number, lengthBytes: number) => void): void {
  const lower = Math.min(view.getUint16(at + 12, true), pageBytes);
  let leftBytes = pageBytes;
  for (let pointer = PAGE_HEADER_BYTES + first * POINTER_BYTES; pointer + POINTER_BYTES <= lower; pointer += POINTER_BYTES) {
    const word = view.getUint32(at + pointer, true);
    const start = word & 0x7fff;
    const lengthBytes = word >>> 17;
    const fits = start >= PAGE_HEADER_BYTES && lengthBytes >= TUPLE_HEADER_BYTES && start + lengthBytes <= pageBytes;
    if (((word >>> 15) & 3) !== NORMAL || !fits) continue;
    leftBytes -= lengthBytes;
    if (leftBytes < 0) return;
    take(at + start, lengthBytes);
  }
}

/** BlockIdData: the high half first. */
export function blockAt(view: DataView, at: number): number {
  return view.getUint16(at, true) * 65536 + view.getUint16(at + 2, true);
}
