/** Runs in the threads of the page pass: checksum, header, own LSN against the log's end (R1) and against what the log requires (R2). */

import { BlockTable } from '../../../src/bytes/block-table.js';
import type { PageBlock, PageVerifier } from '../../../src/bytes/page-pool.js';
import { createPageChecksums, type PageChecksums } from '../format/checksum.js';
import { headerIsSane, holdsSpecial, isAllZero, isNewPage, pageLsn, storedChecksum } from '../format/page.js';
import { emptyPageFacts, keepExample, type PageFacts, type PageKind } from './facts.js';
import { RowPointers, type Watch } from './row-pointers.js';
import type { SharedZeroes } from './zero-table.js';
import { emptyZeroesSeen, noteZero, type ZeroesSeen, type ZeroJudgement } from './zeroes-seen.js';

export const BLOCK_BYTES = 256 * 1024;
/** What pages of a GiST index carry that was built by sorting, until they are changed: their images in the log say nothing of it (src/include/access/gist.h). */
const GIST_BUILD_LSN = 1;

export interface PageConfig {
  pageBytes: number;
  checksums: boolean;
  /** End of valid log; null: not known, R1 is not judged. */
  logEnd: number | null;
  table: SharedArrayBuffer;
  judgeStale: boolean;
  /** Zero blocks of tables, for `watch`; null: no file has one. */
  zeroes: SharedZeroes | null;
}

/**
 * `derived` forks are rebuilt at need, `exempt` relations (unlogged, temporary, init) carry LSNs of their own, `unborn` files are seen by no
 * query yet, or never will be. `nameless` ones are made and committed by the log, and no row on disk says what they are: indexes among them may be unborn.
 */
export type PageRole = 'logged' | 'derived' | 'exempt' | 'unborn' | 'nameless';

export interface PageDetail {
  path: string;
  /** Number in the block table, -1 when the log does not name it. */
  relation: number;
  /** Block number, within the relation, of the file's first page. */
  firstBlock: number;
  role: PageRole;
  /** How zero pages are judged; null: they are legal. */
  zero: ZeroJudgement | null;
  /** Of an index whose table has zero pages. */
  watch: Watch | null;
}

export interface PageResult {
  facts: PageFacts;
  zeroes: ZeroesSeen;
}

export function createVerifier(config: PageConfig): PageVerifier<PageDetail, PageResult> {
  return new PostgresPages(config);
}

class PostgresPages implements PageVerifier<PageDetail, PageResult> {
  readonly buffer: Uint8Array;
  private readonly sums: PageChecksums;
  private readonly view: DataView;
  private readonly table: BlockTable;
  private readonly pointers: RowPointers | null;
  private facts = emptyPageFacts();
  private zeroes = emptyZeroesSeen();

  constructor(private readonly config: PageConfig) {
    this.sums = createPageChecksums(BLOCK_BYTES, config.pageBytes);
    this.buffer = this.sums.buffer;
    this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.byteLength);
    this.table = new BlockTable(config.table);
    this.pointers = config.zeroes ? new RowPointers(config.zeroes, this.view, config.pageBytes) : null;
  }

  takeResult(): PageResult {
    const { facts, zeroes } = this;
    this.facts = emptyPageFacts();
    this.zeroes = emptyZeroesSeen();
    return { facts, zeroes };
  }

  verify(block: PageBlock<PageDetail>): void {
    const { pageBytes, checksums } = this.config;
    const count = Math.floor(block.lengthBytes / pageBytes);
    const firstBlock = block.detail.firstBlock + block.offset / pageBytes;
    const sums = checksums ? this.sums.compute(count, firstBlock) : null;
    for (let i = 0; i < count; i++) this.judge(block.detail, firstBlock + i, i * pageBytes, sums ? (sums[i] as number) : null);
    this.facts.pages += count;
    if (block.lengthBytes % pageBytes !== 0) this.note('partial', block.detail, firstBlock + count, { bytes: block.lengthBytes % pageBytes });
  }

  private judge(detail: PageDetail, block: number, offset: number, computed: number | null): void {
    const { view, config } = this;
    const isNew = isNewPage(view, offset);
    const stored = storedChecksum(view, offset);
    if (isNew) this.judgeNew(detail, block, offset);
    else if (computed !== null && stored !== computed) this.damaged('checksum', detail, block, { stored, computed, lsn: pageLsn(view, offset) });
    else if (detail.role !== 'derived' && !headerIsSane(view, offset, config.pageBytes)) this.damaged('header', detail, block, { lsn: pageLsn(view, offset) });
    else this.judgeSound(detail, block, offset);
  }

  private judgeSound(detail: PageDetail, block: number, offset: number): void {
    const lsn = pageLsn(this.view, offset);
    if (detail.role === 'unborn' || (detail.role === 'nameless' && holdsSpecial(this.view, offset, this.config.pageBytes)))
      this.judgeUnborn(detail, block, lsn);
    else if (detail.role === 'logged' || detail.role === 'nameless') this.judgeLsn(detail, block, lsn);
    if (detail.watch && this.pointers && this.isWhole(detail, block)) this.pointers.read(detail, block, offset, this.zeroes);
  }

  /** Without checksums a torn page looks sound; the log makes it anew. */
  private isWhole(detail: PageDetail, block: number): boolean {
    return this.config.checksums || detail.relation < 0 || !this.table.isTouched(this.table.find(detail.relation, block));
  }

  /** A page never initialised must be all zero; zero pages are legal, unless the log says otherwise. */
  private judgeNew(detail: PageDetail, block: number, offset: number): void {
    const zero = isAllZero(this.view, offset, this.config.pageBytes);
    if (!zero) this.damaged('header', detail, block, { lsn: pageLsn(this.view, offset) });
    else this.facts.zeroPages++;
    if (!zero || detail.role !== 'logged') return;
    this.judgeLsn(detail, block, 0);
    if (detail.zero) noteZero(this.zeroes, detail.zero, detail.path, block, this.table, detail.relation);
  }

  private judgeUnborn(detail: PageDetail, block: number, lsn: number): void {
    if (this.config.logEnd !== null && lsn > this.config.logEnd) this.note('unborn', detail, block, { lsn });
  }

  private judgeLsn(detail: PageDetail, block: number, lsn: number): void {
    const { logEnd, judgeStale } = this.config;
    if (lsn > this.facts.maxLsn) this.facts.maxLsn = lsn;
    this.facts.loggedPages++;
    if (logEnd !== null && lsn > logEnd) this.note('newer', detail, block, { lsn, logEnd });
    const at = judgeStale && detail.relation >= 0 ? this.table.find(detail.relation, block) : -1;
    const required = this.table.requiredLsn(at);
    if (required > 0) this.facts.requiredPages++;
    if (lsn < required && lsn !== GIST_BUILD_LSN) this.note('stale', detail, block, { lsn, required });
  }

  private damaged(kind: 'checksum' | 'header', detail: PageDetail, block: number, numbers: Record<string, number>): void {
    const restored = detail.relation >= 0 && this.table.isRestored(this.table.find(detail.relation, block));
    this.note(detail.role === 'derived' || detail.role === 'unborn' ? detail.role : restored ? 'restored' : kind, detail, block, numbers);
  }

  private note(kind: PageKind, detail: PageDetail, block: number, numbers: Record<string, number>): void {
    keepExample(this.facts, kind, { file: detail.path, block, ...numbers });
  }
}
