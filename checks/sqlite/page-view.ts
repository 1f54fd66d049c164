/**
 * The pages as SQLite would see them after it opened the database: the file, under the pages that a hot journal puts back,
 * under the newest committed pages of the write-ahead log.
 */
import type { ByteSource } from '../../src/types.js';

/** Pages that lie elsewhere than in the database file, by number: their offset in `source`. */
export interface PageLayer {
  source: ByteSource;
  pages: Map<number, number>;
}

export class PageView {
  /**
   * @param layers topmost first.
   * @param pageCount size of the database in pages as it would be opened.
   */
  constructor(
    private readonly database: ByteSource,
    private readonly layers: PageLayer[],
    readonly pageSize: number,
    readonly pageCount: number,
  ) {}

  /** The page can be read whole: it lies in the file or in a layer. */
  isPresent(page: number): boolean {
    return page * this.pageSize <= this.database.sizeBytes || this.layers.some((layer) => layer.pages.has(page));
  }

  /** `count` pages from `first` on in one buffer; what is nowhere reads as zeroes. */
  async read(first: number, count: number): Promise<Buffer> {
    const offset = (first - 1) * this.pageSize;
    const lengthBytes = count * this.pageSize;
    const inFile = Math.max(0, Math.min(lengthBytes, this.database.sizeBytes - offset));
    let block = inFile > 0 ? await this.database.read(offset, inFile) : Buffer.alloc(lengthBytes);
    if (inFile > 0 && inFile < lengthBytes) block = Buffer.concat([block], lengthBytes);
    if (this.layers.length > 0) await this.overlay(block, first, count);
    return block;
  }

  private async overlay(block: Buffer, first: number, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      for (const layer of this.layers) {
        const offset = layer.pages.get(first + i);
        if (offset === undefined) continue;
        (await layer.source.read(offset, this.pageSize)).copy(block, i * this.pageSize);
        break;
      }
    }
  }
}
