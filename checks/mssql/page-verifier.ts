/** Runs in the threads of the page pass: every allocated page is intact, is where it belongs, and is not newer than the log (R1). */
import type { PageBlock, PageVerifier } from '../../src/bytes/page-pool.js';
import { type AllocationMap, RECENT, SETTLED, UNKNOWN } from './allocation-map.js';
import { PFS_PAGES } from './format/allocation.js';
import {
  CHECKSUM,
  compareLsn,
  formatLsn,
  isZeroPage,
  type Lsn,
  PAGE_BYTES,
  type PageHeader,
  pageHeader,
  pageSum,
  TORN_BITS,
  tornBitsFit,
} from './format/page.js';
import { emptyPageFacts, keepExample, type PageFacts, type PageKind } from './page-facts.js';

export const BLOCK_BYTES = 32 * PAGE_BYTES;

export interface PageConfig {
  /** End of valid log; null: not known, R1 is not judged. */
  logEnd: Lsn | null;
  /** Where recovery begins; null when it is not known or not needed. */
  checkpoint: Lsn | null;
}

export interface PageDetail {
  path: string;
  fileId: number;
  map: AllocationMap;
}

export function createVerifier(config: PageConfig): PageVerifier<PageDetail, PageFacts> {
  return new MssqlPages(config);
}

class MssqlPages implements PageVerifier<PageDetail, PageFacts> {
  readonly buffer = new Uint8Array(BLOCK_BYTES);
  private readonly words = new Int32Array(this.buffer.buffer);
  private readonly view = new DataView(this.buffer.buffer);
  private facts = emptyPageFacts();
  private files = new Set<number>();

  constructor(private readonly config: PageConfig) {}

  takeResult(): PageFacts {
    const facts = { ...this.facts, files: [...this.files].slice(0, 1000) };
    this.facts = emptyPageFacts();
    this.files = new Set();
    return facts;
  }

  verify(block: PageBlock<PageDetail>): void {
    const used = new Uint8Array(block.detail.map.used);
    const intervals = new Uint8Array(block.detail.map.intervals);
    const first = block.offset / PAGE_BYTES;
    for (let i = 0; (i + 1) * PAGE_BYTES <= block.lengthBytes; i++) {
      const page = first + i;
      this.facts.pages++;
      const interval = intervals[Math.floor(page / PFS_PAGES)] ?? UNKNOWN;
      const inUse = ((used[page >> 3] ?? 0) & (1 << (page & 7))) !== 0;
      if (inUse) this.judgeUsed(block.detail, page, i * PAGE_BYTES, interval);
      else if (interval === RECENT) this.judgeFree(block.detail, page, i * PAGE_BYTES);
    }
  }

  private judgeUsed(detail: PageDetail, page: number, offset: number, interval: number): void {
    this.facts.used++;
    const header = pageHeader(this.view, offset);
    const damage = this.damageOf(detail, page, offset, header, interval);
    if (damage) this.note(damage, detail, page, header);
    else this.countSound(detail, page, header);
  }

  private countSound(detail: PageDetail, page: number, header: PageHeader): void {
    this.countProtection(header);
    this.noteLsn(detail, page, header);
    for (const file of [header.nextFile, header.previousFile]) if (file !== 0 && file !== detail.fileId) this.files.add(file);
  }

  private damageOf(detail: PageDetail, page: number, offset: number, header: PageHeader, interval: number): PageKind | null {
    if (header.version === 0 && isZeroPage(this.words, offset / 4)) return interval === SETTLED ? 'zeroed' : 'pending';
    if (header.version !== 1) return 'header';
    if (header.page !== page || header.file !== detail.fileId) return this.sumFits(offset, header) ? 'misplaced' : 'header';
    if (header.flags & CHECKSUM) return pageSum(this.words, offset / 4) === header.stored ? null : 'sum';
    return header.flags & TORN_BITS && !tornBitsFit(this.view, offset, header.stored) ? 'torn' : null;
  }

  private sumFits(offset: number, header: PageHeader): boolean {
    return (header.flags & CHECKSUM) === 0 || pageSum(this.words, offset / 4) === header.stored;
  }

  private countProtection({ flags }: PageHeader): void {
    if (flags & CHECKSUM) this.facts.summed++;
    else if (flags & TORN_BITS) this.facts.tornBits++;
    else this.facts.unprotected++;
  }

  private noteLsn(detail: PageDetail, page: number, header: PageHeader): void {
    const { logEnd } = this.config;
    if (!this.facts.maxLsn || compareLsn(header.lsn, this.facts.maxLsn) > 0) this.facts.maxLsn = header.lsn;
    if (logEnd && compareLsn(header.lsn, logEnd) > 0) this.note('newer', detail, page, header);
  }

  /** Free in a map that the log may still change: a torn page here may turn out to be in use. Remains of other files are none of these. */
  private judgeFree(detail: PageDetail, page: number, offset: number): void {
    const { checkpoint, logEnd } = this.config;
    const header = pageHeader(this.view, offset);
    if (header.version !== 1 || header.page !== page || header.file !== detail.fileId || !checkpoint) return;
    const recent = compareLsn(header.lsn, checkpoint) >= 0 && (!logEnd || compareLsn(header.lsn, logEnd) <= 0);
    if (recent && this.damageOf(detail, page, offset, header, RECENT)) this.note('uncertain', detail, page, header);
  }

  private note(kind: PageKind, detail: PageDetail, page: number, header: PageHeader): void {
    keepExample(this.facts, kind, { file: detail.path, page, lsn: formatLsn(header.lsn) });
  }
}
