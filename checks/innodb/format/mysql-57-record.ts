/**
 * Log records of MySQL 5.7.9 and later 5.7: type, tablespace, page, and a body whose length follows from the type alone, so that all of
 * them can be read one after the other.
 * Sources: MySQL 5.7 storage/innobase/include/mtr0types.h (types), and what mtr0log.cc, page0cur.cc, page0zip.cc, btr0cur.cc, row0upd.cc,
 * trx0rec.cc, trx0undo.cc and log0recv.cc say of the bodies.
 */
import { BAD, readU32, SHORT } from './mini-transaction.js';

/** One step of a body: so many bytes, or a part that says how long it is. */
type Part = number | 'integer' | 'long' | 'text' | 'blob' | 'index' | 'inserted' | 'versions' | 'update' | 'zipped' | 'headerBytes' | 'pageBytes';

const OFFSET = 2;
/** Of a node pointer, and of a reference to a page that holds the rest of a long value. */
const NODE_POINTER = 4;
const REFERENCE = 20;

export const TYPE_57 = { byte: 1, word: 2, half: 4, initPage: 59, fileDelete: 35, fileCreate: 47, fileRename: 54, fileName: 55, truncate: 60 } as const;
const INDEX_LOAD = 61;

const BODIES: Partial<Record<number, readonly Part[]>> = {
  [TYPE_57.byte]: [OFFSET, 'integer'],
  [TYPE_57.word]: [OFFSET, 'integer'],
  [TYPE_57.half]: [OFFSET, 'integer'],
  8: [OFFSET, 'long'],
  // Records of ROW_FORMAT=REDUNDANT; the same follow for the other formats, with the layout of their index.
  9: [OFFSET, 'inserted'],
  10: [1, 1, 'versions', OFFSET],
  11: [1, OFFSET],
  13: [1, 'versions', OFFSET, 'update'],
  14: [OFFSET],
  15: [OFFSET],
  16: [OFFSET],
  17: ['blob'],
  18: [],
  19: [],
  20: ['text'],
  21: [],
  22: ['integer'],
  23: [],
  24: ['long'],
  25: ['long'],
  26: [OFFSET],
  27: [],
  30: ['pageBytes'],
  36: [OFFSET],
  37: [],
  38: ['index', OFFSET, 'inserted'],
  39: ['index', 1, 1, 'versions', OFFSET],
  41: ['index', 1, 'versions', OFFSET, 'update'],
  42: ['index', OFFSET],
  43: ['index', OFFSET],
  44: ['index', OFFSET],
  45: ['index', 'blob'],
  46: ['index'],
  48: [OFFSET, OFFSET, NODE_POINTER],
  49: [OFFSET, OFFSET, REFERENCE],
  50: ['headerBytes'],
  51: ['zipped'],
  52: ['index', 1],
  53: ['index', 1],
  57: [],
  58: [],
  [TYPE_57.initPage]: [],
  [TYPE_57.fileDelete]: ['text'],
  [TYPE_57.fileCreate]: [4, 'text'],
  [TYPE_57.fileRename]: ['text', 'text'],
  [TYPE_57.fileName]: ['text'],
  [TYPE_57.truncate]: [8],
  [INDEX_LOAD]: [8],
};

const SINGLE = 0x80;
const GROUP_END = 31;
const DUMMY = 32;
const CHECKPOINT = 56;
const NO_VALUE = 0xffffffff;
const NO_PAGE: readonly number[] = [TYPE_57.fileDelete, TYPE_57.fileCreate, TYPE_57.fileRename, TYPE_57.fileName, TYPE_57.truncate, INDEX_LOAD];

/** Reads one record after the other; the fields are those of the last. */
export class Records57 {
  type = 0;
  /** It is a group of its own. */
  single = false;
  space = 0;
  page = 0;
  /** First byte after tablespace and page. */
  body = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private limit = 0;

  /** @returns where the record at `at` ends; SHORT when that lies beyond `limit`, BAD when it is none. Never reads beyond `limit`. */
  next(bytes: Uint8Array, at: number, limit: number): number {
    if (at >= limit) return SHORT;
    this.bytes = bytes;
    this.limit = limit;
    const first = bytes[at] as number;
    this.type = first & ~SINGLE;
    this.single = first >= SINGLE || this.type === CHECKPOINT || this.type === DUMMY;
    if (this.type === GROUP_END || this.type === DUMMY) return first >= SINGLE ? BAD : at + 1;
    if (this.type === CHECKPOINT) return first >= SINGLE ? BAD : this.within(at + 9);
    const parts = BODIES[this.type];
    return parts ? this.pageRecord(at + 1, parts) : BAD;
  }

  get isGroupEnd(): boolean {
    return this.type === GROUP_END;
  }

  get isCheckpoint(): boolean {
    return this.type === CHECKPOINT;
  }

  get changesPage(): boolean {
    return this.type !== GROUP_END && this.type !== DUMMY && this.type !== CHECKPOINT && !NO_PAGE.includes(this.type);
  }

  private pageRecord(at: number, parts: readonly Part[]): number {
    let position = this.integer(at);
    if (position < 0) return position;
    this.space = this.value;
    position = this.integer(position);
    if (position < 0) return position;
    this.page = this.value;
    this.body = position;
    for (const part of parts) {
      position = typeof part === 'number' ? this.within(position + part) : this.part(part, position);
      if (position < 0) return position;
    }
    return position;
  }

  private within(end: number): number {
    return end > this.limit ? SHORT : end;
  }

  /** The last integer that was read. */
  value = 0;

  /** An integer in one to five bytes (mach0data.ic: mach_read_compressed). @returns where it ends. */
  integer(at: number): number {
    const first = at < this.limit ? (this.bytes[at] as number) : -1;
    if (first < 0) return SHORT;
    if (first > 0xf0) return BAD;
    const more = first < 0x80 ? 0 : first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (at + 1 + more > this.limit) return SHORT;
    this.value = more === 0 ? first : more === 4 ? 0 : first & (0x7f >> more);
    for (let i = 1; i <= more; i++) this.value = this.value * 256 + (this.bytes[at + i] as number);
    return at + 1 + more;
  }

  private short(at: number): number {
    return ((this.bytes[at] as number) << 8) | (this.bytes[at + 1] as number);
  }

  private part(part: Exclude<Part, number>, at: number): number {
    switch (part) {
      case 'integer':
        return this.integer(at);
      case 'long':
        return this.long(at);
      case 'text':
        return at + 2 > this.limit ? SHORT : this.within(at + 2 + this.short(at));
      case 'blob':
        return at + 4 > this.limit ? SHORT : this.within(at + 4 + readU32(this.bytes, at));
      case 'index':
        return at + 4 > this.limit ? SHORT : this.within(at + 4 + 2 * this.short(at));
      case 'inserted':
        return this.inserted(at);
      case 'versions':
        return this.versions(at);
      case 'update':
        return this.update(at);
      case 'zipped':
        return at + 4 > this.limit ? SHORT : this.within(at + 12 + this.short(at) + this.short(at + 2));
      case 'headerBytes':
        return at + 2 > this.limit ? SHORT : this.within(at + 2 + (this.bytes[at + 1] as number));
      case 'pageBytes':
        return at + 4 > this.limit ? SHORT : this.within(at + 4 + this.short(at + 2));
    }
  }

  /** 64 bits: the high half as an integer, the low one as it is. */
  private long(at: number): number {
    const high = this.integer(at);
    return high < 0 ? high : this.within(high + 4);
  }

  /** Length and a flag: where the record differs from the one before it, unless it says nothing of that; then its end. */
  private inserted(at: number): number {
    let position = this.integer(at);
    if (position < 0) return position;
    const length = this.value;
    if (length & 1) {
      position = this.integer(position + 1);
      if (position >= 0) position = this.integer(position);
      if (position < 0) return position;
    }
    return this.within(position + (length >>> 1));
  }

  /** Who changed it: a position, a pointer of seven bytes to the undo log, and the number of the transaction. */
  private versions(at: number): number {
    const position = this.integer(at);
    return position < 0 ? position : this.long(position + 7);
  }

  /** One byte of flags, then for each field its number, its length, and its bytes. */
  private update(at: number): number {
    let position = at < this.limit ? this.integer(at + 1) : SHORT;
    for (let left = this.value; position >= 0 && left > 0; left--) {
      position = this.integer(position);
      if (position >= 0) position = this.integer(position);
      if (position >= 0 && this.value !== NO_VALUE) position = this.within(position + this.value);
    }
    return position;
  }
}
