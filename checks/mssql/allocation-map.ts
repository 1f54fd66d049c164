/** One bit per page of a file: in use or not, from its GAM and PFS pages. Shared memory, for the threads of the page pass. */
import type { ByteSource } from '../../src/types.js';
import { GAM_PAGES, gamPage, isAllocated, isExtentUsed, isMap, PFS_PAGES, pfsPage } from './format/allocation.js';
import { CHECKSUM, type Lsn, PAGE_BYTES, pageHeader, pageSum, wordsOf } from './format/page.js';

/** Of an interval of 8,088 pages: its map is damaged; it was not changed since the last checkpoint; it may have been. */
export const UNKNOWN = 0;
export const SETTLED = 1;
export const RECENT = 2;

export interface AllocationMap {
  used: SharedArrayBuffer;
  /** One byte per PFS interval. */
  intervals: SharedArrayBuffer;
}

export interface AllocationFacts {
  /** Pages of the map that are damaged: what they describe was not judged. */
  damaged: { page: number; type: 'GAM' | 'PFS' }[];
  damagedCount: number;
  /** First extent that is given out although the file ends before it; null when there is none. */
  beyondEnd: number | null;
}

/** 8 TiB, over all files of a database: the maps take 128 MiB then. */
export const MAX_PAGES = 2 ** 30;
const MAX_EXAMPLES = 10;

export interface MapRequest {
  source: ByteSource;
  fileId: number;
  /** Null: not known, so that any map may have changed since. */
  settledBefore: Lsn | null;
  /** Shut down: nothing changed since. */
  allSettled: boolean;
  signal: AbortSignal;
}

export async function readAllocation(request: MapRequest): Promise<{ map: AllocationMap; facts: AllocationFacts }> {
  const pages = Math.min(MAX_PAGES, Math.floor(request.source.sizeBytes / PAGE_BYTES));
  const map = { used: new SharedArrayBuffer(Math.ceil(pages / 8)), intervals: new SharedArrayBuffer(Math.max(1, Math.ceil(pages / PFS_PAGES))) };
  const facts: AllocationFacts = { damaged: [], damagedCount: 0, beyondEnd: null };
  const gams = new GamReader(request, facts);
  const used = new Uint8Array(map.used);
  const intervals = new Uint8Array(map.intervals);
  for (let index = 0; index * PFS_PAGES < pages; index++) {
    request.signal.throwIfAborted();
    const pfs = await readMap(request, 'pfs', pfsPage(index), facts);
    if (!pfs) continue;
    intervals[index] = isSettled(pfs, request) ? SETTLED : RECENT;
    const end = Math.min(pages, (index + 1) * PFS_PAGES);
    for (let page = index * PFS_PAGES; page < end; page++) {
      if (!isAllocated(pfs, page - index * PFS_PAGES)) continue;
      const gam = await gams.of(page);
      if (!gam) intervals[index] = UNKNOWN;
      else if (isExtentUsed(gam, page % GAM_PAGES)) used[page >> 3] = (used[page >> 3] ?? 0) | (1 << (page & 7));
    }
  }
  facts.beyondEnd = await firstBeyond(gams, pages);
  return { map, facts };
}

/** Keeps the GAM page read last. */
class GamReader {
  private index = -1;
  private page: Buffer | null = null;

  constructor(
    private readonly request: MapRequest,
    private readonly facts: AllocationFacts,
  ) {}

  /** Null when the map is damaged. Waits only where another map begins. */
  of(page: number): Buffer | null | Promise<Buffer | null> {
    const index = Math.floor(page / GAM_PAGES);
    return index === this.index ? this.page : this.read(index);
  }

  private async read(index: number): Promise<Buffer | null> {
    this.page = await readMap(this.request, 'gam', gamPage(index), this.facts);
    this.index = index;
    return this.page;
  }
}

async function readMap({ source, fileId }: MapRequest, type: 'gam' | 'pfs', page: number, facts: AllocationFacts): Promise<Buffer | null> {
  const inside = (page + 1) * PAGE_BYTES <= source.sizeBytes;
  const bytes = inside ? await source.read(page * PAGE_BYTES, PAGE_BYTES) : null;
  if (bytes && isSound(bytes, type, page, fileId)) return bytes;
  facts.damagedCount++;
  if (facts.damaged.length < MAX_EXAMPLES) facts.damaged.push({ page, type: type === 'gam' ? 'GAM' : 'PFS' });
  return null;
}

function isSound(bytes: Buffer, type: 'gam' | 'pfs', page: number, fileId: number): boolean {
  const header = pageHeader(new DataView(bytes.buffer, bytes.byteOffset, PAGE_BYTES), 0);
  if (!isMap(header, type, page, fileId)) return false;
  return (header.flags & CHECKSUM) === 0 || pageSum(wordsOf(bytes), 0) === header.stored;
}

/** A whole VLF of distance: between allocating a page and writing it a checkpoint may pass. */
function isSettled(pfs: Buffer, { settledBefore, allSettled }: MapRequest): boolean {
  if (allSettled) return true;
  const { lsn } = pageHeader(new DataView(pfs.buffer, pfs.byteOffset, PAGE_BYTES), 0);
  return settledBefore !== null && lsn.vlf < settledBefore.vlf;
}

async function firstBeyond(gams: GamReader, pages: number): Promise<number | null> {
  if (pages === 0) return null;
  const gam = await gams.of(pages - 1);
  const first = Math.ceil(pages / 8) * 8;
  const end = (Math.floor((pages - 1) / GAM_PAGES) + 1) * GAM_PAGES;
  for (let page = first; gam && page < end; page += 8) if (isExtentUsed(gam, page % GAM_PAGES)) return page;
  return null;
}
