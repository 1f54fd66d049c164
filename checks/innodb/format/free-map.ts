/**
 * Which pages of a tablespace are free, by its extent descriptors (XDES).
 * Source: MariaDB and MySQL storage/innobase/include/fsp0fsp.h (FSEG, XDES) and fsp0types.h (FSP_EXTENT_SIZE).
 */
import { PAGE, TYPE } from './page.js';

const DESCRIPTORS_AT = 38 + 112;
const STATE_AT = 20;
const BITS_AT = 24;

/** Extents are 1 MiB for pages up to 16 KiB, 64 pages above. */
export function extentPages(logicalBytes: number): number {
  return logicalBytes <= 16384 ? (1 << 20) / logicalBytes : 64;
}

/**
 * Calls `free` for each free page that the descriptor page says of. A page that is none says nothing.
 * @param page a descriptor page: number 0, or a multiple of `pageBytes` (as a number of pages). @param pages how many pages the file has.
 */
export function readDescriptors(page: Buffer, number: number, pageBytes: number, logicalBytes: number, pages: number, free: (page: number) => void): void {
  const type = page.readUInt16BE(PAGE.type);
  if (page.readUInt32BE(PAGE.number) !== number || (type !== TYPE.header && type !== TYPE.descriptors)) return;
  const perExtent = extentPages(logicalBytes);
  const entryBytes = BITS_AT + perExtent / 4;
  for (let first = 0; first < pageBytes && number + first < pages; first += perExtent) {
    const at = DESCRIPTORS_AT + (first / perExtent) * entryBytes;
    if (at + entryBytes > page.length) return;
    const unused = page.readUInt32BE(at + STATE_AT) === 0;
    for (let i = 0; i < perExtent && number + first + i < pages; i++) {
      const bits = page[at + BITS_AT + (i >> 2)] as number;
      if (unused || (bits >> ((i & 3) * 2)) & 1) free(number + first + i);
    }
  }
}
