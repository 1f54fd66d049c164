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
/** A length and the bytes before the body in one number. */
const HEAD_BITS = 3;
const HEAD_MASK = 7;
/** Mini-transactions that name more pages are left to the others too. */
const MOST_PAGES = 256;
const MOST_NUMBER = 0x7fffffff;

/** One bit for each type of record, by its three bits, that changes a page. */
const CHANGES = ((2 << (RECORD.memmove >> 4)) - 1) & ~((1 << (RECORD.extended >> 4)) - 1);

/** What is marked for a page that a record names; 0: nothing. */
export interface MarksOf {
  free: number;
  init: number;
  change: number;
}

export interface RecordVisitor {
  marks: PageMarks;
  marksOf: MarksOf;
  /** Whether anything is asked of the records; else only their lengths are. */
  visits: boolean;
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
  /** Whether anything is to be marked. */
  private readonly visits: boolean;
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
    const { visits } = visitor;
    const { free, init, change } = visitor.marksOf;
    this.kindOf = Int32Array.of(free, init, change, change, change, change, 0, 0);
    this.visits = visits;
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
    let at = from;
    while (at < limit) {
      const first = bytes[at] as number;
      if (first <= 1) return at > from ? at : this.stop('bad', -1);
      const span = spanOf(bytes, at, limit);
      if (span < 0) return this.stop(span === SHORT ? 'short' : 'bad', -1);
      const next = at + (span >> HEAD_BITS);
      if (next >= limit) break;
      if (next - from >= MAX_MTR_BYTES && (bytes[next] as number) > 1) return this.stop('bad', -1);
      if (this.visits) this.look(at, at + (span & HEAD_MASK), next);
      at = next;
    }
    return this.stop('short', -1);
  }

  private look(at: number, body: number, end: number): void {
    const first = this.bytes[at] as number;
    const type = first & RECORD.typeBits;
    if (first < 0x80) this.name(type, body, end);
    else if (this.named === 0 || end - at === LEAST_BYTES || !isChange(type)) this.isOdd = true;
  }

  /** A record that names its page. What is strange, or trims pages, is left to the others. */
  private name(type: number, at: number, end: number): void {
    const { bytes, named } = this;
    let body = at;
    let space = bytes[body++] as number;
    if (space >= 0xc0) {
      space = readVarint(bytes, at);
      body = at + varintBytes(bytes[at] as number);
    } else if (space >= 0x80) space = 0x80 + (((space & 0x3f) << 8) | (bytes[body++] as number));
    const afterSpace = body;
    let page = bytes[body++] as number;
    if (page >= 0xc0) {
      page = readVarint(bytes, afterSpace);
      body = afterSpace + varintBytes(bytes[afterSpace] as number);
    } else if (page >= 0x80) page = 0x80 + (((page & 0x3f) << 8) | (bytes[body++] as number));
    const left = end - body;
    const isWhole = isChange(type) ? left > 1 || left === 0 || (left === 1 && bytes[body] !== TRIM_PAGES) : left === 0 && type <= RECORD.init;
    if (!isWhole || space > MOST_NUMBER || page > MOST_NUMBER || named >= MOST_PAGES) {
      this.isOdd = true;
      return;
    }
    this.spaces[named] = space;
    this.pages[named] = page;
    this.kinds[named] = this.kindOf[type >> 4] as number;
    this.named = named + 1;
  }
}

function isChange(type: number): boolean {
  return ((CHANGES >> (type >> 4)) & 1) === 1;
}

/**
 * Bytes of the record at `at`, shifted by HEAD_BITS, and those before its body; SHORT or BAD where there is none. Bytes that lie behind the
 * limit can only make it longer than what is there.
 */
function spanOf(bytes: Uint8Array, at: number, limit: number): number {
  const short = (bytes[at] as number) & 15;
  if (short !== 0) return ((1 + short) << HEAD_BITS) | 1;
  const start = bytes[at + 1] as number;
  if (start < 0x80) return ((16 + start) << HEAD_BITS) | 2;
  if (start < 0xc0) return ((16 + readVarint(bytes, at + 1)) << HEAD_BITS) | 3;
  const length = recordBytes(bytes, at, limit);
  return length < 0 ? length : (length << HEAD_BITS) | (1 + varintBytes(start));
}
