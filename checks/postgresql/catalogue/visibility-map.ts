/** Visibility maps: two bits per block of the table, all-visible and all-frozen (src/include/access/visibilitymapdefs.h). */
import type { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap } from '../../../src/types.js';
import { pageChecksum } from '../format/checksum.js';
import type { ControlFile } from '../format/control.js';
import { headerIsSane, isNewPage, PAGE_HEADER_BYTES, storedChecksum } from '../format/page.js';

const BLOCKS_PER_BYTE = 4;
/** Pages of one map that are read: those behind the table's end are few, unless the file is hostile. */
const MAX_PAGES = 1024;

/**
 * The blocks from `firstBlock` on that the map calls visible: only blocks that hold rows are ever called so. Damaged pages of the map
 * say nothing.
 */
export async function visibleFrom(reader: BlockReader, map: ByteMap, firstBlock: number, control: ControlFile): Promise<number[]> {
  const { pageBytes } = control;
  const perPage = (pageBytes - PAGE_HEADER_BYTES) * BLOCKS_PER_BYTE;
  const pages = Math.floor(map.sizeBytes / pageBytes);
  const first = Math.floor(firstBlock / perPage);
  const blocks: number[] = [];
  const bytes = Buffer.alloc(pageBytes);
  for (let page = first; page < Math.min(pages, first + MAX_PAGES); page++) {
    await reader.read(map, page * pageBytes, bytes, pageBytes);
    if (isSound(bytes, page, control)) blocks.push(...visibleIn(bytes, page * perPage, firstBlock));
  }
  return blocks;
}

/** Blocks of runs, in order, that the map calls visible. */
export async function takeVisible(
  reader: BlockReader,
  map: ByteMap,
  runs: { from: number; to: number }[],
  control: ControlFile,
  take: (block: number) => void,
): Promise<void> {
  const { pageBytes } = control;
  const perPage = (pageBytes - PAGE_HEADER_BYTES) * BLOCKS_PER_BYTE;
  const pages = Math.floor(map.sizeBytes / pageBytes);
  const bytes = Buffer.alloc(pageBytes);
  let held = { page: -1, sound: false };
  for (const { from, to } of runs) {
    for (let page = Math.floor(from / perPage); page < Math.min(pages, Math.ceil(to / perPage)); page++) {
      if (page !== held.page) {
        await reader.read(map, page * pageBytes, bytes, pageBytes);
        held = { page, sound: isSound(bytes, page, control) };
      }
      const [first, end] = [Math.max(from, page * perPage), Math.min(to, (page + 1) * perPage)];
      for (let block = first; held.sound && block < end; block++) if (isVisible(bytes, block - page * perPage)) take(block);
    }
  }
}

function isVisible(bytes: Buffer, place: number): boolean {
  return ((bytes[PAGE_HEADER_BYTES + Math.floor(place / BLOCKS_PER_BYTE)] as number) & (1 << (2 * (place % BLOCKS_PER_BYTE)))) !== 0;
}

function* visibleIn(bytes: Buffer, base: number, firstBlock: number): Generator<number> {
  for (let at = PAGE_HEADER_BYTES + Math.max(0, Math.floor((firstBlock - base) / BLOCKS_PER_BYTE)); at < bytes.length; at++) {
    const bits = bytes[at] as number;
    if (bits === 0) continue;
    for (let i = 0; i < BLOCKS_PER_BYTE; i++) {
      const block = base + (at - PAGE_HEADER_BYTES) * BLOCKS_PER_BYTE + i;
      if (block >= firstBlock && bits & (1 << (2 * i))) yield block;
    }
  }
}

function isSound(bytes: Buffer, page: number, { checksums, pageBytes }: ControlFile): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isNewPage(view, 0) || !headerIsSane(view, 0, pageBytes)) return false;
  return !checksums || pageChecksum(bytes, page) === storedChecksum(view, 0);
}
