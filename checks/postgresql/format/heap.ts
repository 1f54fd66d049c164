/**
 * Row versions of a heap page: line pointers (ItemIdData in src/include/storage/itemid.h) and HeapTupleHeaderData
 * (src/include/access/htup_details.h). PostgreSQL 11 to 18 have the same.
 */
import { PAGE_HEADER_BYTES } from './page.js';

/** Where a row version lies in the buffer, and what its header says. */
export interface HeapTuple {
  /** Offset of the row's columns, and where the row ends. */
  dataOffset: number;
  endOffset: number;
  inserted: number;
  deleted: number;
  infomask: number;
}

/** Bits of `infomask`. */
export const ROW = {
  /** Only before version 12: the oid stands before the columns. */
  hasOid: 0x0008,
  exclusiveLock: 0x0040,
  keyShareLock: 0x0010,
  lockOnly: 0x0080,
  insertCommitted: 0x0100,
  insertInvalid: 0x0200,
  deleteCommitted: 0x0400,
  deleteInvalid: 0x0800,
  deleteIsMulti: 0x1000,
  moved: 0xc000,
} as const;

const TUPLE_HEADER_BYTES = 23;
const POINTER_BYTES = 4;
const NORMAL = 1;

/** Every row version that lies whole within the page at `offset`; what does not is left out. */
export function* heapTuples(bytes: Buffer, offset: number, pageBytes: number): Generator<HeapTuple> {
  const lower = Math.min(bytes.readUInt16LE(offset + 12), pageBytes);
  for (let at = PAGE_HEADER_BYTES; at + POINTER_BYTES <= lower; at += POINTER_BYTES) {
    const pointer = bytes.readUInt32LE(offset + at);
    if (((pointer >>> 15) & 3) !== NORMAL) continue;
    const tuple = tupleAt(bytes, offset, pointer & 0x7fff, pointer >>> 17, pageBytes);
    if (tuple) yield tuple;
  }
}

function tupleAt(bytes: Buffer, page: number, start: number, lengthBytes: number, pageBytes: number): HeapTuple | null {
  if (start < PAGE_HEADER_BYTES || lengthBytes < TUPLE_HEADER_BYTES || start + lengthBytes > pageBytes) return null;
  const at = page + start;
  const headerBytes = bytes.readUInt8(at + 22);
  if (headerBytes < TUPLE_HEADER_BYTES || headerBytes > lengthBytes) return null;
  return {
    dataOffset: at + headerBytes,
    endOffset: at + lengthBytes,
    inserted: bytes.readUInt32LE(at),
    deleted: bytes.readUInt32LE(at + 4),
    infomask: bytes.readUInt16LE(at + 20),
  };
}
