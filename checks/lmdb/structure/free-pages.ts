/** The pages that the list of free pages names: per transaction a count, then as many page numbers, highest first. */
import { PageSet } from '../../../src/bytes/page-set.js';
import type { ByteSource } from '../../../src/types.js';
import { HEADER_BYTES } from '../format/page.js';

type Tell = (message: string, page: number) => void;

const CHUNK_BYTES = 256 * 1024;
const MAX_WRONG = 100;

export class FreePages {
  private readonly pages = new PageSet();
  private readonly long: { page: number; dataBytes: number }[] = [];
  private readonly wrong: { message: string; page: number }[] = [];

  constructor(
    private readonly pageBytes: number,
    private readonly lastPage: number,
  ) {}

  get size(): number {
    return this.pages.size;
  }

  /** A list that lies within its leaf. */
  add(data: Buffer): void {
    if (data.length < 8 || Number(data.readBigUInt64LE(0)) * 8 + 8 > data.length) {
      this.note('a list of free pages states another length than it has', 0);
      return;
    }
    const count = Number(data.readBigUInt64LE(0));
    for (let i = 1; i <= count; i++) this.take(data.readBigUInt64LE(8 * i));
  }

  addLong(page: number, dataBytes: number): void {
    this.long.push({ page, dataBytes });
  }

  /** Reads the long lists, in pieces. */
  async read(source: ByteSource, signal: AbortSignal, tell: Tell): Promise<void> {
    for (const { page, dataBytes } of this.long) {
      const from = page * this.pageBytes + HEADER_BYTES;
      // Told already, by the walk.
      if (dataBytes < 8 || from + dataBytes > source.sizeBytes) continue;
      const count = Number((await source.read(from, 8)).readBigUInt64LE(0));
      if (count * 8 + 8 > dataBytes || count > this.lastPage) {
        tell('A long list of free pages states another length than it has.', page);
        continue;
      }
      for (let at = 0; at < count * 8; at += CHUNK_BYTES) {
        signal.throwIfAborted();
        const chunk = await source.read(from + 8 + at, Math.min(CHUNK_BYTES, count * 8 - at));
        for (let i = 0; i < chunk.length; i += 8) this.take(chunk.readBigUInt64LE(i));
      }
    }
  }

  /** What contradicts itself, or the pages that are in use. */
  compare(used: PageSet): { message: string; page: number }[] {
    const both = this.pages.common(used, MAX_WRONG);
    return [...this.wrong, ...both.map((page) => ({ message: `page ${page} is in use and listed as free: the next transaction overwrites it`, page }))];
  }

  private take(value: bigint): void {
    const page = Number(value);
    if (page < 2 || page > this.lastPage) this.note(`page ${value} is listed as free and is outside of the store`, page);
    else if (!this.pages.add(page)) this.note(`page ${page} is listed as free twice`, page);
  }

  private note(message: string, page: number): void {
    if (this.wrong.length < MAX_WRONG) this.wrong.push({ message, page });
  }
}
