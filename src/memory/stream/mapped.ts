/**
 * Pages of a block in the form "mapped-ram" (QEMU 9): each at its own place, and a bit for each that was written. What has no bit
 * is zero. The bitmap is little-endian words of 64 bits, so bit n is bit n % 8 of byte n / 8.
 * Source: docs/devel/migration/mapped-ram.rst of QEMU.
 */
import type { ByteSource } from '../../types.js';
import { type MappedBlock, PAGE_BYTES } from './blocks.js';

const WINDOW_BYTES = 64 * 1024;
const WINDOW_PAGES = WINDOW_BYTES * 8;

export class MappedPages {
  private window: { number: number; bits: Buffer } = { number: -1, bits: Buffer.alloc(0) };
  private readonly bitmapBytes: number;

  constructor(
    private readonly source: ByteSource,
    private readonly block: MappedBlock,
    sizeBytes: number,
  ) {
    this.bitmapBytes = Math.ceil(sizeBytes / PAGE_BYTES / 8);
  }

  /** Of the page's bytes in the stream; 0 when it was never written. */
  async offsetOf(page: number): Promise<number> {
    const bits = await this.bitsOf(page);
    const inWindow = page % WINDOW_PAGES;
    const written = ((bits[inWindow >> 3] ?? 0) >> (inWindow & 7)) & 1;
    return written ? this.block.pagesOffset + page * PAGE_BYTES : 0;
  }

  /** The first page from `page` on that may have been written. */
  async nextWritten(page: number, end: number): Promise<number> {
    for (let at = page; at < end; ) {
      const bits = await this.bitsOf(at);
      const from = (at % WINDOW_PAGES) >> 3;
      const byte = bits.subarray(from).findIndex((value) => value !== 0);
      if (byte >= 0) return Math.min(end, Math.max(at, at - (at % WINDOW_PAGES) + (from + byte) * 8));
      at = at - (at % WINDOW_PAGES) + WINDOW_PAGES;
    }
    return end;
  }

  private async bitsOf(page: number): Promise<Buffer> {
    const number = Math.floor(page / WINDOW_PAGES);
    if (this.window.number !== number) {
      const from = number * WINDOW_BYTES;
      const bits = await this.source.read(this.block.bitmapOffset + from, Math.min(WINDOW_BYTES, this.bitmapBytes - from));
      this.window = { number, bits };
    }
    return this.window.bits;
  }
}
