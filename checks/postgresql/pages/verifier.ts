/** Runs in the threads of the page pass: checksum, header, own LSN against the log's end (R1) and against what the log requires (R2). */

import { BlockTable } from '../../../src/bytes/block-table.js';
import type { PageBlock, PageVerifier } from '../../../src/bytes/page-pool.js';
import { createPageChecksums, type PageChecksums } from '../format/checksum.js';
import { headerIsSane, isAllZero, isNewPage, pageLsn, storedChecksum } from '../format/page.js';
import { emptyPageFacts, keepExample, type PageFacts, type PageKind } from './facts.js';

export const BLOCK_BYTES = 256 * 1024;

export interface PageConfig {
  pageBytes: number;
  checksums: boolean;
  /** End of valid log; null: not known, R1 is not judged. */
  logEnd: number | null;
  table: SharedArrayBuffer;
  judgeStale: boolean;
}

/** `derived` forks are rebuilt at need, `exempt` relations (unlogged, temporary, init) carry LSNs of their own, `unborn` ones no row in force names. */
export interface PageDetail {
  path: string;
  /** Number in the block table, -1 when the log does not name it. */
  relation: number;
  /** Block number, within the relation, of the file's first page. */
  firstBlock: number;
  role: 'logged' | 'derived' | 'exempt' | 'unborn';
}

export function createVerifier(config: PageConfig): PageVerifier<PageDetail, PageFacts> {
  return new PostgresPages(config);
}

class PostgresPages implements PageVerifier<PageDetail, PageFacts> {
  readonly buffer: Uint8Array;
  private readonly sums: PageChecksums;
  private readonly view: DataView;
  private readonly table: BlockTable;
  private facts = emptyPageFacts();

  constructor(private readonly config: PageConfig) {
    this.sums = createPageChecksums(BLOCK_BYTES, config.pageBytes);
    this.buffer = this.sums.buffer;
    this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.byteLength);
    this.table = new BlockTable(config.table);
  }

  takeResult(): PageFacts {
    const facts = this.facts;
    this.facts = emptyPageFacts();
    return facts;
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
    else if (detail.role === 'unborn') this.judgeUnborn(detail, block, pageLsn(view, offset));
    else if (detail.role === 'logged') this.judgeLsn(detail, block, pageLsn(view, offset));
  }

  /** A page never initialised must be all zero; zero pages are legal, unless the log says otherwise. */
  private judgeNew(detail: PageDetail, block: number, offset: number): void {
    const zero = isAllZero(this.view, offset, this.config.pageBytes);
    if (!zero) this.damaged('header', detail, block, { lsn: pageLsn(this.view, offset) });
    else this.facts.zeroPages++;
    if (zero && detail.role === 'logged') this.judgeLsn(detail, block, 0);
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
    if (lsn < required) this.note('stale', detail, block, { lsn, required });
  }

  private damaged(kind: 'checksum' | 'header', detail: PageDetail, block: number, numbers: Record<string, number>): void {
    const restored = detail.relation >= 0 && this.table.isRestored(this.table.find(detail.relation, block));
    this.note(detail.role === 'derived' ? 'derived' : restored ? 'restored' : kind, detail, block, numbers);
  }

  private note(kind: PageKind, detail: PageDetail, block: number, numbers: Record<string, number>): void {
    keepExample(this.facts, kind, { file: detail.path, block, ...numbers });
  }
}
