/**
 * Tells a log that ends from one whose end was overwritten with zeroes. A segment is written from its beginning on, over what it held when it
 * was another one (it is recycled) or over zeroes up to its end (it is new, or a switch filled it up). So zeroes with log behind them, older
 * or of this place, were not written by the server.
 */
import type { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap } from '../../../src/types.js';
import { isAllZero } from '../format/page.js';
import { parseWalPage } from '../format/wal-page.js';
import type { WalInventory } from './inventory.js';

export interface ZeroedTail {
  /** LSN of the first zeroed page, and how many follow each other. */
  from: number;
  pages: number;
}

export interface TailRequest {
  inventory: Pick<WalInventory, 'segments' | 'blank'>;
  geometry: { pageBytes: number; segmentBytes: number };
  signal: AbortSignal;
}

const CHUNK_BYTES = 256 * 1024;
/** Log is never ahead of its end by so much. */
const MAX_BYTES = 1024 ** 3;

type Page = 'zero' | 'log' | 'other';

/** @param stoppedAt LSN of the page in which the log ends: zero itself, or the last that was written. */
export async function findZeroedTail(reader: BlockReader, request: TailRequest, stoppedAt: number): Promise<ZeroedTail | null> {
  const found: ZeroedTail = { from: stoppedAt, pages: 0 };
  for await (const { address, page } of pagesFrom(reader, request, stoppedAt)) {
    if (page === 'zero') {
      if (found.pages === 0) found.from = address;
      found.pages++;
    } else if (found.pages > 0) return page === 'log' ? found : null;
    else if (address > stoppedAt) return null;
  }
  return null;
}

/** The pages of the segments by their names, on from one place, as long as the next segment begins with zeroes. */
async function* pagesFrom(reader: BlockReader, { inventory, geometry, signal }: TailRequest, from: number): AsyncGenerator<{ address: number; page: Page }> {
  const { pageBytes, segmentBytes } = geometry;
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  for (let address = from; address < from + MAX_BYTES; ) {
    signal.throwIfAborted();
    const start = address - (address % segmentBytes);
    const map = fileOf(inventory, start, address === start && address > from);
    const left = Math.min(map?.sizeBytes ?? 0, segmentBytes) - (address - start);
    const count = Math.min(CHUNK_BYTES, left - (left % pageBytes));
    if (!map || count <= 0) return;
    await reader.read(map, address - start, chunk, count);
    for (let at = 0; at < count; at += pageBytes)
      yield { address: address + at, page: isAllZero(view, at, pageBytes) ? 'zero' : kindOf(chunk, at, address + at, geometry) };
    address += count;
  }
}

function fileOf({ segments, blank }: TailRequest['inventory'], start: number, onlyBlank: boolean): ByteMap | undefined {
  const segment = segments.get(start);
  return segment?.live && !onlyBlank ? segment.map : blank.get(start);
}

/** Older log of a recycled segment lies in it where it lay before. */
function kindOf(chunk: Buffer, at: number, address: number, { segmentBytes }: TailRequest['geometry']): Page {
  const header = parseWalPage(chunk, at);
  return header && header.address <= address && header.address % segmentBytes === address % segmentBytes ? 'log' : 'other';
}
