/** Order of records as they lie in their pages, without decoding them into values: a walk compares millions. */
import { contentBytes } from './record.js';
import { VarintReader } from './varint.js';

/** Walks the columns of one record; `serialType`, `at` and `sizeBytes` describe the column reached. */
class ColumnCursor {
  serialType = 0;
  at = 0;
  sizeBytes = 0;
  private bytes: Buffer = Buffer.alloc(0);
  private head = 0;
  private headEnd = 0;
  private end = 0;
  private readonly varint = new VarintReader();

  open(bytes: Buffer, start: number, end: number): boolean {
    if (!this.varint.read(bytes, start, end) || this.varint.hi !== 0) return false;
    this.bytes = bytes;
    this.head = this.varint.next;
    this.headEnd = Math.min(start + this.varint.lo, end);
    this.at = start + this.varint.lo;
    this.sizeBytes = 0;
    this.end = end;
    return true;
  }

  /** False behind the last column, and at one that is not wholly there. */
  next(): boolean {
    this.at += this.sizeBytes;
    if (!this.varint.read(this.bytes, this.head, this.headEnd) || this.varint.hi !== 0) return false;
    this.head = this.varint.next;
    this.serialType = this.varint.lo;
    this.sizeBytes = contentBytes(this.serialType);
    return this.sizeBytes >= 0 && this.at + this.sizeBytes <= this.end;
  }

  /** NULL comes before numbers, numbers before text, text before blobs. */
  rank(): number {
    if (this.serialType === 0) return 0;
    if (this.serialType < 12) return 1;
    return this.serialType & 1 ? 2 : 3;
  }

  number(): number | bigint {
    const { serialType, bytes, at } = this;
    if (serialType === 7) return bytes.readDoubleBE(at);
    if (serialType === 6) return bytes.readBigInt64BE(at);
    return serialType < 6 ? bytes.readIntBE(at, this.sizeBytes) : serialType - 8;
  }

  byteAt(index: number): number {
    return this.bytes[this.at + index] as number;
  }
}

const left = new ColumnCursor();
const right = new ColumnCursor();

/**
 * Order under the BINARY collation, all columns ascending: negative, positive, or 0 when they are equal
 * or what is there of them does not decide.
 */
export function compareRecords(a: Buffer, aStart: number, aEnd: number, b: Buffer, bStart: number, bEnd: number): number {
  if (!left.open(a, aStart, aEnd) || !right.open(b, bStart, bEnd)) return 0;
  while (left.next() && right.next()) {
    const rank = left.rank();
    const byRank = rank - right.rank();
    if (byRank !== 0) return byRank;
    const order = rank === 0 ? 0 : rank === 1 ? compareNumbers() : compareBytes();
    if (order !== 0) return order;
  }
  return 0;
}

function compareNumbers(): number {
  const a = left.number();
  const b = right.number();
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareBytes(): number {
  const shared = Math.min(left.sizeBytes, right.sizeBytes);
  for (let i = 0; i < shared; i++) {
    const difference = left.byteAt(i) - right.byteAt(i);
    if (difference !== 0) return difference;
  }
  return left.sizeBytes - right.sizeBytes;
}
