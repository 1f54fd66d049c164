/**
 * Where the latest content of each page of RAM lies in the stream: 8 bytes per page at most, and none where nothing was written.
 * One number says all: 0 is a page of zeroes (or never written), above 0 the offset of its 4096 bytes, -1 to -255 a page of that
 * one byte, and from -256 down an entry of the list of encoded pages.
 */
import { broken } from '../findings.js';
import { PAGE_BYTES, type RamBlock } from './blocks.js';

const PAGES_PER_CHUNK = 1024;
const FIRST_ENCODED = -256;
/** Allocated however short the stream is; beyond it the index may be as large as the stream read so far, times two. */
const FREE_BYTES = 64 * 2 ** 20;
const MAX_CHANGES = 1000;

/** A page that is not stored as it is. `delta` (XBZRLE) changes what `previous` stands for. */
export interface EncodedPage {
  kind: 'delta' | 'zlib';
  offset: number;
  lengthBytes: number;
  previous: number;
  /** How many changes lie on top of each other. */
  depth: number;
}

export class PageIndex {
  private readonly chunks: Map<number, Float64Array>[];
  private readonly encoded: EncodedPage[] = [];
  private allocatedBytes = 0;

  constructor(blocks: readonly RamBlock[]) {
    this.chunks = blocks.map(() => new Map());
  }

  /** @param value as above. @param streamBytes how far the stream was read: what bounds the memory. @throws FormatError */
  set(block: number, page: number, value: number, streamBytes: number): void {
    const chunks = this.chunks[block] as Map<number, Float64Array>;
    const number = Math.floor(page / PAGES_PER_CHUNK);
    let chunk = chunks.get(number);
    if (!chunk) {
      if (value === 0) return;
      chunk = this.allocate(streamBytes);
      chunks.set(number, chunk);
    }
    chunk[page % PAGES_PER_CHUNK] = value;
  }

  get(block: number, page: number): number {
    return this.chunks[block]?.get(Math.floor(page / PAGES_PER_CHUNK))?.[page % PAGES_PER_CHUNK] ?? 0;
  }

  /** The first page from `page` on that may be something else than zeroes: whole empty stretches are passed at once. */
  nextWritten(block: number, page: number, end: number): number {
    for (let at = page; at < end; at = (Math.floor(at / PAGES_PER_CHUNK) + 1) * PAGES_PER_CHUNK) {
      if (this.chunks[block]?.has(Math.floor(at / PAGES_PER_CHUNK))) return at;
    }
    return end;
  }

  setEncoded(block: number, page: number, encoded: Pick<EncodedPage, 'kind' | 'offset' | 'lengthBytes'>, streamBytes: number): void {
    const previous = this.get(block, page);
    const depth = encoded.kind === 'zlib' ? 0 : (this.encodedPage(previous)?.depth ?? 0) + 1;
    if (depth > MAX_CHANGES) throw broken('stream.garbled', `the page at ${encoded.offset} was changed more than ${MAX_CHANGES} times`);
    this.set(block, page, FIRST_ENCODED - this.encoded.length, streamBytes);
    this.encoded.push({ ...encoded, previous, depth });
  }

  /** The entry that a value stands for; null when it stands for something plain. */
  encodedPage(value: number): EncodedPage | null {
    return value <= FIRST_ENCODED ? (this.encoded[FIRST_ENCODED - value] ?? null) : null;
  }

  private allocate(streamBytes: number): Float64Array {
    this.allocatedBytes += PAGES_PER_CHUNK * 8;
    if (this.allocatedBytes > FREE_BYTES + 2 * streamBytes) {
      throw broken('stream.size', `the pages of the stream are spread over more RAM than it can hold (at byte ${streamBytes})`);
    }
    return new Float64Array(PAGES_PER_CHUNK);
  }
}

/** Whole pages of a block. */
export function pagesOf(block: RamBlock): number {
  return block.sizeBytes / PAGE_BYTES;
}
