/** Runs in the threads of the page pass: every page of an ESE database that was ever written is intact and in its place. */
import { keepExample } from '../../src/bytes/page-facts.js';
import type { PageBlock, PageVerifier } from '../../src/bytes/page-pool.js';
import { headerBytes, isLarge, type PageHeader, pageHeader, verifySum } from './format/page.js';
import { emptyPageFacts, noteRun, type PageFacts, type PageKind } from './page-facts.js';

export const BLOCK_BYTES = 256 * 1024;

export interface PageDetail {
  path: string;
  pageBytes: number;
  /** One bit per page that a tree leads to; null: nothing was walked. */
  reached: SharedArrayBuffer | null;
  /** No other page is in use. */
  allReached: boolean;
}

export function createVerifier(): PageVerifier<PageDetail, PageFacts> {
  return new EsePages();
}

class EsePages implements PageVerifier<PageDetail, PageFacts> {
  readonly buffer = new Uint8Array(BLOCK_BYTES);
  private readonly words = new Int32Array(this.buffer.buffer);
  private readonly view = new DataView(this.buffer.buffer);
  private facts = emptyPageFacts();
  private maxDbtime = 0n;
  private pages = 0;

  takeResult(): PageFacts {
    const facts = { ...this.facts, maxDbtime: this.maxDbtime.toString() };
    this.facts = emptyPageFacts();
    this.maxDbtime = 0n;
    return facts;
  }

  verify(block: PageBlock<PageDetail>): void {
    const { pageBytes } = block.detail;
    this.pages = Math.floor(block.fileBytes / pageBytes) - 2;
    for (let at = 0; at + pageBytes <= block.lengthBytes; at += pageBytes) {
      const page = (block.offset + at) / pageBytes - 1;
      // The first two pages of the file are the header and its copy.
      if (page >= 1) this.judge(block.detail, page, at);
    }
  }

  private judge(detail: PageDetail, page: number, offset: number): void {
    this.facts.pages++;
    if (this.isZero(offset, detail.pageBytes)) {
      this.facts.zeroes++;
      return;
    }
    const verdict = verifySum(this.view, this.words, offset, page, detail.pageBytes, this.pages);
    if (verdict.kind === 'damaged') this.noteDamaged(detail, page);
    else if (verdict.kind === 'misplaced') this.note('misplaced', detail, page, { bears: verdict.page });
    else this.countSound(detail, page, offset, verdict.kind === 'one-bit');
  }

  private countSound(detail: PageDetail, page: number, offset: number, oneBit: boolean): void {
    const header = pageHeader(this.view, offset);
    this.facts.sound++;
    this.facts.lastSound = Math.max(this.facts.lastSound, page);
    if ((header.flags & 0x2000) === 0) this.facts.oldSum++;
    if (header.dbtime > this.maxDbtime) this.maxDbtime = header.dbtime;
    if (oneBit) this.note('one-bit', detail, page);
    else if (!this.tagsFit(header, offset, detail.pageBytes)) this.note('tags', detail, page);
  }

  private tagsFit(header: PageHeader, offset: number, pageBytes: number): boolean {
    const room = pageBytes - headerBytes(pageBytes) - 4 * header.tags;
    const mask = isLarge(pageBytes) ? 0x7fff : 0x1fff;
    for (let i = 0; i < header.tags && room >= 0; i++) {
      const at = offset + pageBytes - 4 * (i + 1);
      const end = (this.view.getUint16(at, true) & mask) + (this.view.getUint16(at + 2, true) & mask);
      if (end > room) return false;
    }
    return room >= 0;
  }

  /** Behind the last sound page it may still turn out to be unwritten space, unless a tree leads there. */
  private noteDamaged({ reached, allReached, ...detail }: PageDetail, page: number): void {
    const inUse = reached !== null && ((new Uint8Array(reached)[page >> 3] ?? 0) & (1 << (page & 7))) !== 0;
    this.note(allReached && !inUse ? 'unused' : 'damaged', detail, page);
    if (!allReached && !inUse) noteRun(this.facts, page);
  }

  private note(kind: PageKind, { path }: Pick<PageDetail, 'path'>, page: number, facts: Record<string, number> = {}): void {
    keepExample(this.facts.tallies[kind], { file: path, block: page, ...facts });
  }

  private isZero(offset: number, pageBytes: number): boolean {
    const end = (offset + pageBytes) / 4;
    for (let i = offset / 4; i < end; i++) if (this.words[i] !== 0) return false;
    return true;
  }
}
