/**
 * What pages say of each other: so that a write that was lost long before the log begins is found where its neighbours tell. Only of
 * pages that no record of the log to be replayed names: as they lie there they are what the server sees, all of one instant.
 * - Leaves of an index are a chain in both directions, changed at both ends in one mini-transaction (btr0btr.cc: btr_page_split_and_insert,
 *   btr_level_list_remove): the next one's predecessor is the page itself.
 * - Of a long value that is kept outside its row, each page is linked to the next one in the mini-transaction that fills that one, and
 *   neither is changed any more (btr0cur.cc: btr_store_big_rec_extern_fields): the next one is never older.
 * Each page has four words in memory that the threads share; zero: it says nothing that can be used.
 */
import { keepExample } from '../../src/bytes/page-facts.js';
import type { PageFile } from '../../src/bytes/page-pool.js';
import { PAGE, TYPE } from './format/page.js';
import type { PageFacts } from './page-facts.js';
import type { PageDetail } from './page-verifier.js';

const WORDS = 4;
/** 64 MiB; of larger instances the pages beyond are not compared. */
export const MAX_LINKED_PAGES = 4 * 1024 * 1024;
const NO_PAGE = 0xffffffff;
const LEVEL_AT = 38 + 26;
const INDEX_AT = 38 + 28;
const NEXT_PART_AT = 38 + 4;
const LEAF = 1;
const PART = 2;
const HIGH = 2 ** 32;

/** To be called when all pages were read. */
export function compareLinks(shared: SharedArrayBuffer, files: PageFile<PageDetail>[], facts: PageFacts): void {
  const links = new PageLinks(shared);
  for (const { map, detail } of files) {
    const pages = Math.min(Math.floor(map.sizeBytes / detail.pageBytes), links.pages - detail.firstBit);
    if (detail.links === 'none' || pages <= 0) continue;
    facts.linkedPages += links.count(detail.firstBit, pages);
    for (const { page, other } of links.broken(detail.firstBit, detail.firstPage, pages)) {
      keepExample(facts.kinds.unlinked, { file: detail.path, block: page, other });
    }
  }
}

/** Two pages of one file that contradict each other. */
export interface BrokenLink {
  /** The one that is older or that the other does not know. */
  page: number;
  other: number;
}

export class PageLinks {
  private readonly words: Uint32Array;

  constructor(shared: SharedArrayBuffer) {
    this.words = new Uint32Array(shared);
  }

  static create(pages: number): SharedArrayBuffer {
    return new SharedArrayBuffer(Math.min(pages, MAX_LINKED_PAGES) * WORDS * 4);
  }

  get pages(): number {
    return this.words.length / WORDS;
  }

  /** Keeps what the page at `at` of a buffer says. @param index place of the page. @param withParts whether LSNs of long values can be compared. */
  note(index: number, view: DataView, at: number, withParts: boolean): void {
    const type = view.getUint16(at + PAGE.type);
    if (type === TYPE.index && view.getUint16(at + LEVEL_AT) === 0) this.noteLeaf(index, view, at);
    else if (type === TYPE.blob && withParts) this.notePart(index, view, at);
  }

  private noteLeaf(index: number, view: DataView, at: number): void {
    const id = view.getUint32(at + INDEX_AT) ^ Math.imul(view.getUint32(at + INDEX_AT + 4), 0x9e3779b1);
    this.put(index, ((id << 2) | LEAF) >>> 0, view.getUint32(at + PAGE.prev), view.getUint32(at + PAGE.next), 0);
  }

  private notePart(index: number, view: DataView, at: number): void {
    this.put(index, PART, view.getUint32(at + PAGE.lsn), view.getUint32(at + NEXT_PART_AT), view.getUint32(at + PAGE.lsn + 4));
  }

  private put(index: number, ...words: [number, number, number, number]): void {
    this.words.set(words, index * WORDS);
  }

  /** Compares the pages of one file. @param first place of its first page, whose number is `firstPage`. @param count pages that it has. */
  *broken(first: number, firstPage: number, count: number): Generator<BrokenLink> {
    const placeOf = (page: number) => (page === NO_PAGE || page < firstPage || page >= firstPage + count ? -1 : first + page - firstPage);
    for (let page = firstPage; page < firstPage + count; page++) {
      const place = first + page - firstPage;
      const kind = this.word(place, 0);
      if (kind === 0) continue;
      const next = placeOf(this.word(place, 2));
      if (next >= 0 && this.word(next, 0) === kind && this.contradict(place, next, page)) yield this.blame(kind, page, next - first + firstPage);
      const prev = kind === PART ? -1 : placeOf(this.word(place, 1));
      if (prev >= 0 && this.word(prev, 0) === kind && this.word(prev, 2) !== page) yield { page, other: prev - first + firstPage };
    }
  }

  /** How many pages of a file say something of another. */
  count(first: number, count: number): number {
    let found = 0;
    for (let place = first; place < first + count; place++) if (this.word(place, 0) !== 0) found++;
    return found;
  }

  private contradict(place: number, next: number, page: number): boolean {
    return this.word(place, 0) === PART ? this.lsn(next) < this.lsn(place) : this.word(next, 1) !== page;
  }

  private blame(kind: number, page: number, next: number): BrokenLink {
    return kind === PART ? { page: next, other: page } : { page, other: next };
  }

  private lsn(place: number): number {
    return this.word(place, 1) * HIGH + this.word(place, 3);
  }

  private word(place: number, which: number): number {
    return this.words[place * WORDS + which] as number;
  }
}
