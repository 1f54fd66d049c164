/** Records: the payload of every row and index entry. Source: https://sqlite.org/fileformat2.html, section 2.1. */
import { VarintReader } from './varint.js';

/** Text is kept as its stored bytes: its encoding is the database's. */
export type Value = null | number | bigint | { text: boolean; bytes: Buffer };

const MAX_COLUMNS = 32767;

/**
 * Decodes up to `limit` leading columns of a record of which `bytes` may hold only the beginning.
 * Stops (without complaint) at the first column that is not wholly there: the result is then shorter.
 */
export function decodeColumns(bytes: Buffer, limit: number): Value[] {
  const varint = new VarintReader();
  const values: Value[] = [];
  if (!varint.read(bytes, 0, bytes.length) || varint.hi !== 0) return values;
  const headerEnd = varint.lo;
  let body = headerEnd;
  let head = varint.next;
  while (head < headerEnd && values.length < Math.min(limit, MAX_COLUMNS)) {
    if (!varint.read(bytes, head, Math.min(headerEnd, bytes.length)) || varint.hi !== 0) break;
    head = varint.next;
    const sizeBytes = contentBytes(varint.lo);
    if (sizeBytes < 0 || body + sizeBytes > bytes.length) break;
    values.push(decodeValue(bytes, body, varint.lo, sizeBytes));
    body += sizeBytes;
  }
  return values;
}

const FIXED_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, -1, -1];

/** Bytes that a value of a serial type takes; -1 for the two reserved types. */
export function contentBytes(serialType: number): number {
  return serialType < 12 ? (FIXED_BYTES[serialType] as number) : Math.floor((serialType - 12) / 2);
}

function decodeValue(bytes: Buffer, at: number, serialType: number, sizeBytes: number): Value {
  if (serialType === 0) return null;
  if (serialType === 7) return bytes.readDoubleBE(at);
  if (serialType === 6) return bytes.readBigInt64BE(at);
  if (serialType < 6) return bytes.readIntBE(at, sizeBytes);
  if (serialType < 12) return serialType - 8;
  return { text: serialType % 2 === 1, bytes: bytes.subarray(at, at + sizeBytes) };
}
