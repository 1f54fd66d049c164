/** One relation: its chain of pointer pages, their data pages, the records and blobs on them. */

import { TYPES } from './format/page.js';
import { FLAG, parseBlob, parseRecord, type RecordHead, unpackedLength } from './format/record.js';
import type { Pages } from './pages.js';

export interface Totals {
  relations: number;
  dataPages: number;
  records: number;
  blobPages: number;
  indexes: number;
  indexPages: number;
}

export interface RelationContext {
  pages: Pages;
  totals: Totals;
  nextTransaction: number;
}

/** Every record that is the newest version and not deleted, in order, and the page it is on. */
export type RecordVisitor = (segment: Buffer, head: RecordHead, page: number) => void;

export class RelationWalk {
  private readonly lengths = new Map<number, number>();
  private readonly name: string;

  constructor(
    private readonly context: RelationContext,
    private readonly relation: number,
    private readonly visit: RecordVisitor | null = null,
    /** Visits deleted records too: whether that was committed is another question. */
    private readonly withDeleted = false,
  ) {
    this.name = `relation ${relation}`;
  }

  async walk(firstPointerPage: number): Promise<void> {
    const { pages, totals } = this.context;
    totals.relations++;
    for (let page = firstPointerPage, sequence = 0; page !== 0; sequence++) {
      const bytes = await pages.claim(page, TYPES.pointer, this.name);
      if (!bytes) return;
      const slots = bytes.readUInt16LE(24);
      const own = bytes.readUInt16LE(26) === this.relation && bytes.readUInt32LE(16) === sequence && slots <= pages.geometry.perPointer;
      if (!own) {
        pages.damaged('pointer', page, `should be pointer page ${sequence} of ${this.name}, and is another`);
        return;
      }
      for (let slot = 0; slot < slots; slot++) {
        const data = bytes.readUInt32LE(32 + 4 * slot);
        if (data !== 0) await this.dataPage(data, sequence * pages.geometry.perPointer + slot);
      }
      page = bytes.readUInt32LE(20);
    }
  }

  private async dataPage(page: number, sequence: number): Promise<void> {
    const { pages, totals } = this.context;
    const bytes = await pages.claim(page, TYPES.data, this.name);
    if (!bytes) return;
    totals.dataPages++;
    if (bytes.readUInt16LE(20) !== this.relation || bytes.readUInt32LE(16) !== sequence) {
      pages.damaged(
        'data.owner',
        page,
        `should be data page ${sequence} of ${this.name}, and says it is ${bytes.readUInt32LE(16)} of relation ${bytes.readUInt16LE(20)}`,
      );
      return;
    }
    const lines = this.linesOf(bytes, page);
    for (const { line, offset, length } of lines) await this.segment(bytes.subarray(offset, offset + length), page, line);
  }

  /** Segments lie within the page, behind their directory, and apart from each other. */
  private linesOf(bytes: Buffer, page: number): { line: number; offset: number; length: number }[] {
    const count = bytes.readUInt16LE(22);
    const lines: { line: number; offset: number; length: number }[] = [];
    const least = 24 + 4 * count;
    if (least > bytes.length) {
      this.context.pages.damaged('data', page, `says it holds ${count} records, more than fit`);
      return [];
    }
    for (let line = 0; line < count; line++) {
      const offset = bytes.readUInt16LE(24 + 4 * line);
      const length = bytes.readUInt16LE(26 + 4 * line);
      if (offset !== 0) lines.push({ line, offset, length });
    }
    const sorted = [...lines].sort((a, b) => a.offset - b.offset);
    for (const [i, { offset, length, line }] of sorted.entries()) {
      const end = sorted[i + 1]?.offset ?? bytes.length;
      if (offset >= least && offset + length <= end) continue;
      this.context.pages.damaged('data', page, `holds a record in line ${line} that lies over others or outside the page`);
      return [];
    }
    return lines;
  }

  private async segment(segment: Buffer, page: number, line: number): Promise<void> {
    const { pages, totals } = this.context;
    totals.records++;
    const flags = segment.length >= 12 ? segment.readUInt16LE(10) : 0;
    if (flags & FLAG.blob && !(flags & FLAG.fragment)) return this.blob(segment, page, line);
    const head = parseRecord(segment);
    if (!head) return void pages.damaged('record', page, `holds a record in line ${line} that is too short`);
    if (head.transaction > this.context.nextTransaction && !(flags & FLAG.fragment)) {
      pages.damaged(
        'record.transaction',
        page,
        `holds a record in line ${line} of transaction ${head.transaction}, and the header page has only begun ${this.context.nextTransaction}`,
      );
    }
    if (head.back.page !== 0) await this.reference(head.back, page, line, 'its version before');
    if (head.next) await this.reference(head.next, page, line, 'its rest');
    this.content(segment, head, page, line);
  }

  private content(segment: Buffer, head: RecordHead, page: number, line: number): void {
    if (head.flags & (FLAG.incomplete | FLAG.fragment | FLAG.chain)) return;
    if (head.flags & FLAG.deleted) {
      if (this.withDeleted) this.visit?.(segment, head, page);
      return;
    }
    const length = unpackedLength(segment, head.dataAt);
    const usual = this.lengths.get(head.format) ?? length;
    this.lengths.set(head.format, usual);
    if (length < 0 || length !== usual) {
      this.context.pages.damaged('record', page, `holds a record in line ${line} that cannot be unpacked to ${usual} bytes like others of its format`);
    } else this.visit?.(segment, head, page);
  }

  /** Older versions and fragments are written before what points to them. */
  private async reference(to: { page: number; line: number }, page: number, line: number, what: string): Promise<void> {
    const target = await this.context.pages.look(to.page);
    const there =
      target?.[0] === TYPES.data &&
      target.readUInt16LE(20) === this.relation &&
      to.line < target.readUInt16LE(22) &&
      28 + 4 * to.line <= target.length &&
      target.readUInt16LE(24 + 4 * to.line) !== 0;
    if (!there)
      this.context.pages.damaged(
        'record.reference',
        page,
        `holds a record in line ${line} that has ${what} in line ${to.line} of page ${to.page}, where there is none`,
      );
  }

  private async blob(segment: Buffer, page: number, line: number): Promise<void> {
    const head = parseBlob(segment);
    if (!head || head.level > 2) return void this.context.pages.damaged('blob', page, `holds a blob in line ${line} that cannot be`);
    for (const [sequence, number] of head.pages.entries()) {
      // An unfinished list of pages ends in zeroes.
      if (number === 0) break;
      const bytes = await this.blobPage(number, head.leadPage, sequence);
      if (head.level < 2 || !bytes) continue;
      const length = Math.min(bytes.readUInt16LE(24), bytes.length - 28);
      for (let at = 28; at + 4 <= 28 + length; at += 4) if (bytes.readUInt32LE(at) !== 0) await this.blobPage(bytes.readUInt32LE(at), head.leadPage, null);
    }
  }

  private async blobPage(number: number, lead: number, sequence: number | null): Promise<Buffer | null> {
    const bytes = await this.context.pages.claim(number, TYPES.blob, `a blob of ${this.name}`);
    if (!bytes) return null;
    this.context.totals.blobPages++;
    const own = bytes.readUInt32LE(16) === lead && (sequence === null || bytes.readUInt32LE(20) === sequence);
    return own ? bytes : this.context.pages.damaged('blob', number, `belongs to another blob than the one of ${this.name} that points to it`);
  }
}
