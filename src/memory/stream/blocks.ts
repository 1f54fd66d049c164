/**
 * The list of RAM blocks at the start of a stream's RAM section: be64 size of all | 4, then for each block be8 length of its name,
 * the name, be64 size; then what capabilities of the migration add: be64 page size (huge pages with postcopy), be64 address
 * (x-ignore-shared), or the header of mapped-ram (be32 version, be64 page size, be64 offset of the bitmap, be64 offset of the pages).
 * Source: docs/devel/migration of QEMU (main.rst, mapped-ram.rst), scripts/analyze-migration.py, and streams of QEMU 7.2.
 */
import type { Cursor, Reading } from '../../bytes/cursor.js';
import { broken, quoted } from '../findings.js';

export const PAGE_BYTES = 4096;
/** No machine has more: the sizes are sums of what somebody bought. */
const MAX_RAM_BYTES = 2 ** 46;
const MAX_BLOCKS = 10_000;
const MAPPED_HEADER_BYTES = 28;

/** Where mapped-ram keeps one block: a bit for each page, and every page at its own place. Offsets from the start of the stream. */
export interface MappedBlock {
  bitmapOffset: number;
  pagesOffset: number;
}

export interface RamBlock {
  name: string;
  sizeBytes: number;
  mapped: MappedBlock | null;
}

/** @param fileOffset of the stream in its file: mapped-ram counts from the start of the file. */
export function* readBlockList(cursor: Cursor, totalBytes: number, fileOffset: number): Reading<RamBlock[]> {
  const blocks: RamBlock[] = [];
  if (totalBytes > MAX_RAM_BYTES) throw broken('stream.size', `the stream states ${totalBytes} bytes of RAM at ${cursor.position}: no machine has so much`);
  for (let left = totalBytes; left > 0; ) {
    const block = yield* readBlock(cursor, fileOffset);
    if (block.sizeBytes > left || blocks.length >= MAX_BLOCKS) {
      throw broken('stream.size', `the RAM blocks listed before byte ${cursor.position} are larger than all RAM is stated to be, or too many`);
    }
    left -= block.sizeBytes;
    blocks.push(block);
  }
  return blocks;
}

function* readBlock(cursor: Cursor, fileOffset: number): Reading<RamBlock> {
  const at = cursor.position;
  const name = yield* readName(cursor);
  const sizeBytes = readSize(yield* cursor.bytes(8));
  if (sizeBytes === null || sizeBytes === 0 || sizeBytes % PAGE_BYTES !== 0)
    throw broken('stream.size', `the RAM block ${quoted(name)} at ${at} has no possible size`);
  const mapped = yield* readMapped(cursor, sizeBytes, fileOffset);
  if (!mapped) yield* passExtras(cursor);
  return { name, sizeBytes, mapped };
}

export function* readName(cursor: Cursor): Reading<string> {
  const length = yield* cursor.byte();
  return (yield* cursor.bytes(length)).toString('latin1');
}

/** Goes to behind the block's pages, where the list continues. */
function* readMapped(cursor: Cursor, sizeBytes: number, fileOffset: number): Reading<MappedBlock | null> {
  if (cursor.left < MAPPED_HEADER_BYTES) return null;
  const head = yield* cursor.peek(MAPPED_HEADER_BYTES);
  const bitmapOffset = Number(head.readBigUInt64BE(12)) - fileOffset;
  const pagesOffset = Number(head.readBigUInt64BE(20)) - fileOffset;
  const bitmapBytes = Math.ceil(sizeBytes / PAGE_BYTES / 64) * 8;
  if (head.readUInt32BE(0) !== 1 || head.readBigUInt64BE(4) !== BigInt(PAGE_BYTES)) return null;
  if (bitmapOffset < cursor.position + MAPPED_HEADER_BYTES || pagesOffset < bitmapOffset + bitmapBytes || !Number.isSafeInteger(pagesOffset)) return null;
  yield* cursor.skip(pagesOffset + sizeBytes - cursor.position);
  return { bitmapOffset, pagesOffset };
}

/** Neither a name (its length comes first, and is not zero) nor a page (it has a flag) looks like a whole number of pages below 2^56. */
function* passExtras(cursor: Cursor): Reading<void> {
  for (let i = 0; i < 2 && cursor.left >= 8; i++) {
    const word = yield* cursor.peek(8);
    if (word[0] !== 0 || (word.readUInt32BE(4) & (PAGE_BYTES - 1)) !== 0) return;
    yield* cursor.skip(8);
  }
}

function readSize(word: Buffer): number | null {
  const value = Number(word.readBigUInt64BE(0));
  return Number.isSafeInteger(value) ? value : null;
}
