/**
 * Pages of GIN indexes: GinPageOpaqueData, GinMetaPageData, entry tuples and posting lists in src/include/access/ginblock.h;
 * the packing of row numbers is described in src/backend/access/gin/ginpostinglist.c. Lists of before version 9.4 are left out.
 */
import { blockAt, eachItem, type IndexPage, NO_BLOCK, specialOf, type TakeBlock } from './items.js';

const SPECIAL_BYTES = 8;
const FLAG = { data: 1, leaf: 2, deleted: 4, meta: 8, list: 16, compressed: 128 } as const;
/** Behind the header of a page with data stands its right bound, six bytes and padding. */
const DATA_AT = 32;
const CHILD_BYTES = 10;
/** Instead of a number of rows: the block is the root of a tree of them. */
const IS_TREE = 0xffff;
const IS_COMPRESSED = 0x80000000;
const LIST_HEADER_BYTES = 8;
const ROWS_PER_BLOCK = 2 ** 11;
/** A number has at most so many bytes of seven bits. */
const MOST_BYTES = 7;
/** In the metapage: first and last page of the list of what is not sorted in yet. */
const PENDING_AT = [24, 28];
const ROOT = 1;

/** Blocks of the table in which rows of this page lie. */
export function ginRows(page: IndexPage, take: TakeBlock): void {
  const flags = flagsOf(page);
  if (flags === null || flags & (FLAG.deleted | FLAG.meta)) return;
  if (flags & FLAG.list) eachItem(page, 0, (item) => take(blockAt(page.view, item)));
  else if (flags & FLAG.data) dataRows(page, flags, take);
  else if (flags & FLAG.leaf) eachItem(page, 0, (item, lengthBytes) => entryRows(page.view, item, lengthBytes, take));
}

/** Blocks of the index itself to which a page in use points: to the right, children, trees of rows, the pending list. */
export function ginLinks(page: IndexPage, take: TakeBlock): void {
  const flags = flagsOf(page);
  if (flags === null || flags & FLAG.deleted) return;
  const { view, at } = page;
  const linked = (block: number) => void (block !== NO_BLOCK && take(block));
  if (flags & FLAG.meta) {
    take(ROOT);
    for (const pending of PENDING_AT) linked(view.getUint32(at + pending, true));
  } else {
    linked(view.getUint32(at + page.pageBytes - SPECIAL_BYTES, true));
    if (flags & FLAG.data) children(page, flags, linked);
    else if (!(flags & FLAG.list)) eachItem(page, 0, (item) => entryLink(view, item, (flags & FLAG.leaf) !== 0, linked));
  }
}

function flagsOf(page: IndexPage): number | null {
  const special = specialOf(page, SPECIAL_BYTES);
  return special === null ? null : page.view.getUint16(special + 6, true);
}

/** A leaf with data is lists one behind the other. */
function dataRows({ view, at, pageBytes }: IndexPage, flags: number, take: TakeBlock): void {
  if (!(flags & FLAG.leaf) || !(flags & FLAG.compressed)) return;
  const end = at + Math.min(view.getUint16(at + 12, true), pageBytes);
  for (let list = at + DATA_AT; list + LIST_HEADER_BYTES <= end; ) list += packedRows(view, list, end, take);
}

function entryRows(view: DataView, item: number, lengthBytes: number, take: TakeBlock): void {
  const place = blockAt(view, item);
  if (view.getUint16(item + 4, true) === IS_TREE || place < IS_COMPRESSED) return;
  const list = item + (place - IS_COMPRESSED);
  const end = item + lengthBytes;
  if (view.getUint16(item + 4, true) > 0 && list + LIST_HEADER_BYTES <= end) packedRows(view, list, end, take);
}

/** A list: the first row as it is, then the differences of row numbers, seven bits in a byte. Gives its length, rounded up to two. */
function packedRows(view: DataView, list: number, end: number, take: TakeBlock): number {
  const packed = list + LIST_HEADER_BYTES;
  const packedEnd = Math.min(packed + view.getUint16(list + 6, true), end);
  let block = blockAt(view, list);
  let row = block * ROWS_PER_BLOCK + view.getUint16(list + 4, true);
  take(block);
  for (let at = packed; at < packedEnd; ) {
    let step = 0;
    let bytes = 0;
    let byte = 0x80;
    for (; byte & 0x80 && bytes < MOST_BYTES && at < packedEnd; at++, bytes++) {
      byte = view.getUint8(at);
      step += (byte & (bytes === MOST_BYTES - 1 ? 0xff : 0x7f)) * 2 ** (7 * bytes);
      if (bytes === MOST_BYTES - 1) byte = 0;
    }
    if (byte & 0x80) break;
    row += step;
    block = Math.floor(row / ROWS_PER_BLOCK);
    take(block);
  }
  return LIST_HEADER_BYTES + (packedEnd - packed) + ((packedEnd - packed) & 1);
}

function children({ view, at, pageBytes }: IndexPage, flags: number, linked: TakeBlock): void {
  if (flags & FLAG.leaf) return;
  const count = view.getUint16(at + pageBytes - SPECIAL_BYTES + 4, true);
  const end = at + pageBytes - SPECIAL_BYTES;
  for (let i = 0, child = at + DATA_AT; i < count && child + CHILD_BYTES <= end; i++, child += CHILD_BYTES) linked(blockAt(view, child));
}

function entryLink(view: DataView, item: number, leaf: boolean, linked: TakeBlock): void {
  if (!leaf || view.getUint16(item + 4, true) === IS_TREE) linked(blockAt(view, item));
}
