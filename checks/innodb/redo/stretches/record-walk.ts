/**
 * Follows mini-transactions at the speed of the processor: one loop, without a call for each record. It does what `findMtrEnd` and `visitMtr`
 * (format/mini-transaction.ts, which describes the bytes) do for the records that logs are full of, and leaves all others to them.
 * The checksum is not looked at: the bytes are made ready for a proof of all of them together.
 */
import { prepareMessage } from '../../../../src/bytes/crc32c-stream.js';
import { MAX_MTR_BYTES, RECORD, readVarint, recordBytes, SHORT, TRIM_PAGES, varintBytes } from '../../format/mini-transaction.js';
import { ringEndByte, type StretchDetail } from './detail.js';
import type { PageMarks } from './page-marks.js';

/** Of the end byte and the CRC. */
const TRAILER_BYTES = 5;
/** A record with one byte of its own, which may trim pages. */
const LEAST_BYTES = 2;
/** Mini-transactions that name more pages are left to the others too. */
const MOST_PAGES = 256;
const MOST_NUMBER = 0x7fffffff;

/** Whether a type of record changes a page, by its bits. */
const CHANGES = Array.from({ length: 8 }, (_, bits) => bits << 4 >= RECORD.extended && bits << 4 <= RECORD.memmove);

/** What is marked for a page that a record names; 0: nothing. */
export interface MarksOf {
  free: number;
  init: number;
  change: number;
}

export interface RecordVisitor {
  marks: PageMarks;
  marksOf: MarksOf;
  /** A whole mini-transaction that holds more than pages. `lsn`: as marked. False: it contradicts itself, or is too much. */
  odd(at: number, end: number, lsn: number): boolean;
}

export class RecordWalk {
  mtrs = 0;
  /** Why it stopped: more bytes are needed, or what is there is no mini-transaction of this lap. */
  stoppedBy: 'short' | 'bad' | 'contradiction' = 'short';
  private readonly spaces = new Int32Array(MOST_PAGES);
  private readonly pages = new Int32Array(MOST_PAGES);
  private readonly kinds = new Int32Array(MOST_PAGES);
  /** What is marked, by the bits of a type. */
  private readonly kindOf: Int32Array;
  /** Of the mini-transaction read last: how many pages it names, and whether it holds something else. */
  private named = 0;
  private isOdd = false;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly ring: Pick<StretchDetail, 'firstLsn' | 'capacity'>,
    /** 1 where the end bytes must be those of the lap before. */
    private readonly flip: 0 | 1,
    private readonly visitor: RecordVisitor,
  ) {
    const { free, init, change } = visitor.marksOf;
    this.kindOf = Int32Array.of(free, init, change, change, change, change, 0, 0);
  }

  /**
   * Follows from `from` up to `limit`. @param zeroLsn LSN of byte 0 of the buffer. @param markLsn what is to be subtracted for the marks.
   * @returns where the first mini-transaction starts that is not whole, or not one.
   */
  walk(from: number, limit: number, zeroLsn: number, markLsn: number): number {
    const { bytes, visitor } = this;
    const endByte = ringEndByte(zeroLsn + from, this.ring) ^ this.flip;
    const lap = Math.floor((zeroLsn + from - this.ring.firstLsn) / this.ring.capacity);
    const lapEnd = this.ring.firstLsn + (lap + 1) * this.ring.capacity - zeroLsn;
    const toMark = zeroLsn - markLsn;
    for (let at = from; ; ) {
      const end = this.records(at, limit);
      if (end < 0) return at;
      if (bytes[end] !== (end < lapEnd ? endByte : endByte ^ 1)) return this.stop('bad', at);
      const next = end + TRAILER_BYTES;
      if (next > limit) return this.stop('short', at);
      if (!this.isOdd) this.mark(next + toMark);
      else if (!visitor.odd(at, end, next + toMark)) return this.stop('contradiction', at);
      prepareMessage(bytes, at, end);
      this.mtrs++;
      at = next;
    }
  }

  private mark(lsn: number): void {
    const { marks } = this.visitor;
    for (let i = 0; i < this.named; i++) {
      const kind = this.kinds[i] as number;
      if (kind !== 0) marks.set(kind, this.spaces[i] as number, this.pages[i] as number, lsn);
    }
  }

  private stop(why: RecordWalk['stoppedBy'], at: number): number {
    this.stoppedBy = why;
    return at;
  }

  /** Where the records from `from` on end; -1 when there is no end. */
  private records(from: number, limit: number): number {
    const { bytes } = this;
    this.named = 0;
    this.isOdd = false;
    let onPage = false;
    let at = from;
    while (at < limit) {
      const first = bytes[at] as number;
      if (first <= 1) return at > from ? at : this.stop('bad', -1);
      if (at - from >= MAX_MTR_BYTES) return this.stop('bad', -1);
      const length = recordBytes(bytes, at, limit);
      if (length < 0) return this.stop(length === SHORT ? 'short' : 'bad', -1);
      const next = at + length;
      if (next >= limit) break;
      if (first < 0x80) this.name(first & RECORD.typeBits, bodyOf(bytes, at), next);
      else if (!onPage || length === LEAST_BYTES || !CHANGES[(first & RECORD.typeBits) >> 4]) this.isOdd = true;
      onPage ||= first < 0x80;
      at = next;
    }
    return this.stop('short', -1);
  }

  /** A record that names its page. What is strange, or trims pages, is left to the others. */
  private name(type: number, at: number, end: number): void {
    const { bytes, named } = this;
    const space = readVarint(bytes, at);
    const afterSpace = at + varintBytes(bytes[at] as number);
    const page = readVarint(bytes, afterSpace);
    const left = end - afterSpace - varintBytes(bytes[afterSpace] as number);
    const isWhole = CHANGES[type >> 4] ? left !== 1 || bytes[end - 1] !== TRIM_PAGES : left === 0 && type <= RECORD.init;
    if (!isWhole || left < 0 || space > MOST_NUMBER || page > MOST_NUMBER || named >= MOST_PAGES) {
      this.isOdd = true;
      return;
    }
    this.spaces[named] = space;
    this.pages[named] = page;
    this.kinds[named] = this.kindOf[type >> 4] as number;
    this.named = named + 1;
  }
}

/** Behind the first byte of a record and its length. */
function bodyOf(bytes: Uint8Array, at: number): number {
  return at + 1 + ((bytes[at] as number) & 15 ? 0 : varintBytes(bytes[at + 1] as number));
}
