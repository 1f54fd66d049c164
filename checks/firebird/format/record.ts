/** Record segments on data pages. Source: `src/jrd/ods.h` (rhd, rhde, rhdf, blh), and for the run-length code `src/jrd/sqz.h`. */

export const FLAG = { deleted: 1, chain: 2, fragment: 4, incomplete: 8, blob: 16, delta: 32, longTransaction: 1024 } as const;
const RHD = 13;
const RHDE = 16;
const RHDF = 22;
const BLH = 28;

export interface RecordHead {
  flags: number;
  format: number;
  transaction: number;
  /** Of the version before; page 0 when there is none. */
  back: { page: number; line: number };
  /** Of the rest of an incomplete record. */
  next: { page: number; line: number } | null;
  dataAt: number;
}

/** Null when the segment is too short for what its flags say. */
export function parseRecord(segment: Buffer): RecordHead | null {
  if (segment.length < RHD) return null;
  const flags = segment.readUInt16LE(10);
  const incomplete = (flags & FLAG.incomplete) !== 0;
  const long = (flags & FLAG.longTransaction) !== 0;
  const dataAt = incomplete ? RHDF : long ? RHDE : RHD;
  if (segment.length < dataAt) return null;
  const high = (incomplete || long) && segment.length >= 16 && long ? segment.readUInt16LE(14) : 0;
  return {
    flags,
    format: segment[12] ?? 0,
    transaction: segment.readUInt32LE(0) + 2 ** 32 * high,
    back: { page: segment.readUInt32LE(4), line: segment.readUInt16LE(8) },
    next: incomplete ? { page: segment.readUInt32LE(16), line: segment.readUInt16LE(20) } : null,
    dataAt,
  };
}

/** The segment in a line of a data page; null when there is none. */
export function segmentAt(page: Buffer, line: number): Buffer | null {
  const at = 24 + 4 * line;
  if (line >= page.readUInt16LE(22) || at + 4 > page.length) return null;
  const offset = page.readUInt16LE(at);
  const length = page.readUInt16LE(at + 2);
  return offset === 0 || offset + length > page.length ? null : page.subarray(offset, offset + length);
}

/** Length of the record that a run-length coded segment unpacks to; -1 when the code runs over its end. */
export function unpackedLength(segment: Buffer, from: number): number {
  let length = 0;
  for (let at = from; at < segment.length; ) {
    const count = segment.readInt8(at++);
    if (count >= 0) at += count;
    else at++;
    if (at > segment.length) return -1;
    length += Math.abs(count);
  }
  return length;
}

/** The first `maxBytes` of it. */
export function unpack(segment: Buffer, from: number, maxBytes: number): Buffer {
  const out = Buffer.alloc(maxBytes);
  let length = 0;
  for (let at = from; at < segment.length && length < maxBytes; ) {
    const count = segment.readInt8(at++);
    if (count >= 0) segment.copy(out, length, at, at + Math.min(count, maxBytes - length));
    else out.fill(segment[at] ?? 0, length, Math.min(maxBytes, length - count));
    at += count >= 0 ? count : 1;
    length += Math.abs(count);
  }
  return out.subarray(0, Math.min(length, maxBytes));
}

export interface BlobHead {
  level: number;
  leadPage: number;
  pages: number[];
}

/** Null when the segment is too short. Of level 0 the content follows, of 1 and 2 page numbers. */
export function parseBlob(segment: Buffer): BlobHead | null {
  if (segment.length < BLH) return null;
  const level = segment[12] ?? 0;
  const pages: number[] = [];
  for (let at = BLH; level > 0 && at + 4 <= segment.length; at += 4) pages.push(segment.readUInt32LE(at));
  return { level, leadPage: segment.readUInt32LE(0), pages };
}
