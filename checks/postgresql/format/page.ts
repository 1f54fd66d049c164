/** Page headers of heap, index and other relations: PageHeaderData in src/include/storage/bufpage.h. */
import { lsnFrom } from './lsn.js';

const VALID_FLAGS = 0x0007;
export const PAGE_HEADER_BYTES = 24;

/** The page's own LSN: the end of the last log record that changed it. High half first, unlike everywhere else. */
export function pageLsn(view: DataView, offset: number): number {
  return lsnFrom(view.getUint32(offset, true), view.getUint32(offset + 4, true));
}

export function storedChecksum(view: DataView, offset: number): number {
  return view.getUint16(offset + 8, true);
}

/** `upper` is zero only on a page that was never initialised: such a page must be all zero. */
export function isNewPage(view: DataView, offset: number): boolean {
  return view.getUint16(offset + 14, true) === 0;
}

/** Whether the header obeys the server's own rules (PageIsVerified), plus the size and version it must state. */
export function headerIsSane(view: DataView, offset: number, pageBytes: number): boolean {
  const flags = view.getUint16(offset + 10, true);
  const lower = view.getUint16(offset + 12, true);
  const upper = view.getUint16(offset + 14, true);
  const special = view.getUint16(offset + 16, true);
  const sizeAndVersion = view.getUint16(offset + 18, true);
  const ordered = lower >= PAGE_HEADER_BYTES && lower <= upper && upper <= special && special <= pageBytes && special % 8 === 0;
  return (flags & ~VALID_FLAGS) === 0 && ordered && (sizeAndVersion & 0xff00) === pageBytes % 65536 && (sizeAndVersion & 0xff) <= 4;
}

/** Pages of indexes and sequences keep something behind their items; pages of tables do not. */
export function holdsSpecial(view: DataView, offset: number, pageBytes: number): boolean {
  return view.getUint16(offset + 16, true) !== pageBytes;
}

export function isAllZero(view: DataView, offset: number, pageBytes: number): boolean {
  for (let i = offset; i < offset + pageBytes; i += 4) {
    if (view.getUint32(i) !== 0) return false;
  }
  return true;
}
