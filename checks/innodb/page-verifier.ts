/** Runs in the threads of the page pass: checksum, own address, own LSN against the log's end (R1) and against what the log requires (R2). */
import { BlockTable } from '../../src/bytes/block-table.js';
import { keepExample } from '../../src/bytes/page-facts.js';
import type { PageBlock, PageVerifier } from '../../src/bytes/page-pool.js';
import { isAllZero, PAGE, readLsn } from './format/page.js';
import { emptyPageFacts, type PageFacts, type PageKind } from './page-facts.js';
import { PageLinks } from './page-links.js';
import { type PageForm, PageProofs, type Proof } from './page-proof.js';

/** Small enough that a block and what is calculated over it stay in a processor's second cache. */
export const BLOCK_BYTES = 256 * 1024;

export interface PageConfig {
  /** Pages may carry LSNs up to here; null: not known, R1 is not judged. */
  newestLsn: number | null;
  /** Whether the log says which pages it makes anew. */
  pagesKnown: boolean;
  table: SharedArrayBuffer;
  /** One bit per page of all files: set when the page is free. */
  freeMap: SharedArrayBuffer;
  /** Pages that recovery changes. */
  touched: SharedArrayBuffer;
  /** What pages say of each other, by the same places as in the free map; null: not compared. */
  links: SharedArrayBuffer | null;
}

export interface PageDetail extends PageForm {
  path: string;
  space: number;
  /** Number in the block table, -1 when the log does not name it. */
  relation: number;
  /** Number, within the tablespace, of the file's first page. */
  firstPage: number;
  /** Of this file's first page in the free map. */
  firstBit: number;
  /** The file was just made, and the log begins to fill it: pages may be empty. */
  isNew: boolean;
  /** It cannot be told from the log whether the tablespace was just being deleted: its pages were thrown away then. */
  perhapsDropped: boolean;
  /** `leaves`: leaves of indexes can be compared with each other; `all`: also the pages of long values. */
  links: 'none' | 'leaves' | 'all';
  /** Ranges of pages that hold copies of others: the doublewrite buffer. */
  copies: { from: number; to: number; emptyOnly?: boolean }[];
}

export function createVerifier(config: PageConfig): PageVerifier<PageDetail, PageFacts> {
  return new InnodbPages(config);
}

class InnodbPages implements PageVerifier<PageDetail, PageFacts> {
  readonly buffer: Uint8Array;
  private readonly proofs = new PageProofs(BLOCK_BYTES);
  private readonly table: BlockTable;
  private readonly freeMap: Uint8Array;
  private readonly touched: BlockTable;
  private readonly links: PageLinks | null;
  private facts = emptyPageFacts();

  constructor(private readonly config: PageConfig) {
    this.buffer = this.proofs.buffer;
    this.table = new BlockTable(config.table);
    this.freeMap = new Uint8Array(config.freeMap);
    this.touched = new BlockTable(config.touched);
    this.links = config.links ? new PageLinks(config.links) : null;
  }

  takeResult(): PageFacts {
    const facts = this.facts;
    this.facts = emptyPageFacts();
    return facts;
  }

  verify({ detail, offset, lengthBytes }: PageBlock<PageDetail>): void {
    const count = Math.floor(lengthBytes / detail.pageBytes);
    const firstInFile = offset / detail.pageBytes;
    this.proofs.prepare(detail, count);
    for (let i = 0; i < count; i++) this.judge(detail, firstInFile + i, i);
    this.facts.pages += count;
    const rest = lengthBytes % detail.pageBytes;
    if (rest !== 0) this.note('partial', detail, detail.firstPage + firstInFile + count, { bytes: rest });
  }

  private judge(detail: PageDetail, pageInFile: number, index: number): void {
    const page = detail.firstPage + pageInFile;
    if (this.isCopy(detail, page, index)) this.facts.doublewritePages++;
    else if (this.isFree(detail, pageInFile)) this.facts.freePages++;
    else if (this.isZero(detail, index)) this.judgeZero(detail, page);
    else this.judgeUsed(detail, page, index);
  }

  private isCopy({ copies, pageBytes }: PageDetail, page: number, index: number): boolean {
    const empty = () => isAllZero(this.buffer, index * pageBytes, (index + 1) * pageBytes);
    return copies.some(({ from, to, emptyOnly }) => page >= from && page < to && (!emptyOnly || empty()));
  }

  private isFree(detail: PageDetail, pageInFile: number): boolean {
    const bit = detail.firstBit + pageInFile;
    return (((this.freeMap[Math.floor(bit / 8)] as number) >> (bit % 8)) & 1) === 1;
  }

  private isZero(detail: PageDetail, index: number): boolean {
    const at = index * detail.pageBytes;
    return this.proofs.view.getUint32(at + PAGE.lsn + 4) === 0 && isAllZero(this.buffer, at, at + detail.pageBytes);
  }

  /** A page in use was written, unless the log makes it first. */
  private judgeZero(detail: PageDetail, page: number): void {
    this.facts.zeroPages++;
    const at = this.find(detail, page);
    const required = this.table.requiredLsn(at);
    if (required > 0) this.facts.requiredPages++;
    if (detail.isNew || this.table.isRestored(at)) return;
    if (this.table.hasCopy(at)) this.note('copied', detail, page, {});
    else this.note(this.config.pagesKnown ? 'zeroed' : 'unproven', detail, page, required > 0 ? { required } : {});
  }

  private judgeUsed(detail: PageDetail, page: number, index: number): void {
    const at = index * detail.pageBytes;
    const { view } = this.proofs;
    const lsn = readLsn(view, at + PAGE.lsn);
    const proof = this.proofs.proof(detail, index);
    const encrypted = this.proofs.isEncrypted(detail, at);
    const compressed = this.proofs.isCompressed(detail, at);
    if (encrypted) this.facts.encryptedPages++;
    if (compressed) this.facts.compressedPages++;
    const saysPage = view.getUint32(at + PAGE.number);
    // What is compressed or encrypted begins before the number of the tablespace; that of the page stays in the clear.
    const saysSpace = encrypted || compressed ? detail.space : view.getUint32(at + PAGE.space);
    if (proof === 'bad') this.damaged('checksum', detail, page, { lsn });
    else if (saysPage !== page || saysSpace !== detail.space) this.damaged('identity', detail, page, { saysPage, saysSpace, lsn });
    else {
      this.judgeWhole(detail, page, at, lsn, proof);
      if (!encrypted && !compressed) this.noteLinks(detail, page, at);
    }
  }

  private noteLinks(detail: PageDetail, page: number, at: number): void {
    const place = detail.firstBit + page - detail.firstPage;
    if (this.links === null || detail.links === 'none' || place >= this.links.pages) return;
    const isTouched = detail.relation >= 0 && this.touched.find(detail.relation, page) >= 0;
    if (!isTouched) this.links.note(place, this.proofs.view, at, detail.links === 'all');
  }

  private judgeWhole(detail: PageDetail, page: number, at: number, lsn: number, proof: Proof): void {
    const { view } = this.proofs;
    if (proof === 'hidden') this.note('hidden', detail, page, { type: view.getUint16(at + PAGE.type) });
    if (proof === 'off') this.note('unproven', detail, page, {});
    this.judgeLsn(detail, page, lsn);
  }

  private judgeLsn(detail: PageDetail, page: number, lsn: number): void {
    const { newestLsn } = this.config;
    if (lsn > this.facts.maxLsn) this.facts.maxLsn = lsn;
    this.facts.loggedPages++;
    if (newestLsn !== null && lsn > newestLsn) this.note('newer', detail, page, { lsn, logEnd: newestLsn });
    const required = this.table.requiredLsn(this.find(detail, page));
    if (required > 0) this.facts.requiredPages++;
    if (lsn < required) this.note(detail.perhapsDropped ? 'doubtful' : 'stale', detail, page, { lsn, required });
  }

  /** The doublewrite buffer helps only against a bad checksum: a page that is whole is never replaced from there. */
  private damaged(kind: 'checksum' | 'identity', detail: PageDetail, page: number, numbers: Record<string, number>): void {
    const at = this.find(detail, page);
    const healed = this.table.isRestored(at) ? 'restored' : kind === 'checksum' && this.table.hasCopy(at) ? 'copied' : kind;
    this.note(healed, detail, page, numbers);
  }

  private find(detail: PageDetail, page: number): number {
    return detail.relation < 0 ? -1 : this.table.find(detail.relation, page);
  }

  private note(kind: PageKind, detail: PageDetail, block: number, numbers: Record<string, number>): void {
    keepExample(this.facts.kinds[kind], { file: detail.path, block, ...numbers });
  }
}
