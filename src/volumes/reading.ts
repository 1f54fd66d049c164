/** Reading structures whose place is named by bytes nobody can trust. */
import type { ByteSource } from '../types.js';

/** The bytes at a place, or null when the place is not wholly inside the source. */
export async function readWithin(source: ByteSource, offset: number, length: number): Promise<Buffer | null> {
  const inside = Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= source.sizeBytes;
  return inside ? source.read(offset, length) : null;
}

/** A 64-bit number as a JavaScript number; infinity where it is beyond what can be a real place or size. */
export function toSafeNumber(value: bigint): number {
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : Number.POSITIVE_INFINITY;
}

/** Text up to the first NUL, with control characters replaced; null when empty. */
export function textField(buffer: Buffer, offset: number, length: number, encoding: BufferEncoding = 'utf8'): string | null {
  const text = buffer.subarray(offset, offset + length).toString(encoding);
  const end = text.indexOf('\0');
  const clean = (end < 0 ? text : text.slice(0, end)).replace(/[\u0000-\u001f\u007f]/g, '?').trim();
  return clean === '' ? null : clean;
}

/** 16 bytes as 8-4-4-4-12 hexadecimal digits; null when all are zero. */
export function uuidField(buffer: Buffer, offset: number): string | null {
  const hex = buffer.subarray(offset, offset + 16).toString('hex');
  return /^0*$/.test(hex) ? null : hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Seconds since 1970 as ISO 8601; null for zero. */
export function instantField(seconds: number): string | null {
  const date = new Date(seconds * 1000);
  return seconds === 0 || Number.isNaN(date.getTime()) ? null : date.toISOString();
}
