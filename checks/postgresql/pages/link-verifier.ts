/** Runs in threads, over indexes that hold zero pages: which of these does another page of the same index point to? */

import { BlockTable } from '../../../src/bytes/block-table.js';
import { emptyTallies, keepExample } from '../../../src/bytes/page-facts.js';
import type { PageBlock, PageVerifier } from '../../../src/bytes/page-pool.js';
import type { IndexPage } from '../format/access/items.js';
import { ACCESS_METHODS } from '../format/access/methods.js';
import { createPageChecksums, type PageChecksums } from '../format/checksum.js';
import { headerIsSane, isNewPage, storedChecksum } from '../format/page.js';
import { segmentPath } from './row-pointers.js';
import { type SharedZeroes, type ZeroSlice, ZeroTable } from './zero-table.js';
import type { LostPages } from './zeroed-facts.js';

export const LINK_BLOCK_BYTES = 256 * 1024;

export interface LinkConfig {
  pageBytes: number;
  segmentPages: number;
  checksums: boolean;
  table: SharedArrayBuffer;
  zeroes: SharedZeroes;
}

export interface LinkDetail {
  /** The index's first file, as the administrator knows it. */
  firstPath: string;
  /** Number in the block table, -1 when the log does not name it. */
  relation: number;
  /** Block number, within the index, of the file's first page. */
  firstBlock: number;
  access: number;
  slice: ZeroSlice;
}

export type LinksFound = Pick<LostPages, 'link'>;

const nothing = (): LinksFound => emptyTallies(['link'] as const);

export function createVerifier(config: LinkConfig): PageVerifier<LinkDetail, LinksFound> {
  return new LinkPages(config);
}

class LinkPages implements PageVerifier<LinkDetail, LinksFound> {
  readonly buffer: Uint8Array;
  private readonly sums: PageChecksums;
  private readonly page: IndexPage;
  private readonly table: BlockTable;
  private readonly zeroes: ZeroTable;
  private found = nothing();

  constructor(private readonly config: LinkConfig) {
    this.sums = createPageChecksums(LINK_BLOCK_BYTES, config.pageBytes);
    this.buffer = this.sums.buffer;
    const view = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.byteLength);
    this.page = { view, at: 0, block: 0, pageBytes: config.pageBytes };
    this.table = new BlockTable(config.table);
    this.zeroes = new ZeroTable(config.zeroes);
  }

  takeResult(): LinksFound {
    const { found } = this;
    this.found = nothing();
    return found;
  }

  verify({ detail, offset, lengthBytes }: PageBlock<LinkDetail>): void {
    const { pageBytes, checksums } = this.config;
    const count = Math.floor(lengthBytes / pageBytes);
    const firstBlock = detail.firstBlock + offset / pageBytes;
    const sums = checksums ? this.sums.compute(count, firstBlock) : null;
    for (let i = 0; i < count; i++) {
      this.page.at = i * pageBytes;
      this.page.block = firstBlock + i;
      if (this.isSound(detail, sums ? (sums[i] as number) : null)) this.readLinks(detail);
    }
  }

  private readLinks(detail: LinkDetail): void {
    const from = this.page.block;
    ACCESS_METHODS[detail.access]?.links(this.page, (block) => {
      if (!this.zeroes.mark(detail.slice, block)) return;
      keepExample(this.found.link, { file: segmentPath(detail.firstPath, block, this.config.segmentPages), block, from });
    });
  }

  /** Without checksums a torn page looks sound; the log makes it anew. */
  private isSound({ relation }: LinkDetail, computed: number | null): boolean {
    const { view, at, block, pageBytes } = this.page;
    if (isNewPage(view, at) || !headerIsSane(view, at, pageBytes)) return false;
    if (computed !== null) return computed === storedChecksum(view, at);
    return relation < 0 || !this.table.isTouched(this.table.find(relation, block));
  }
}
