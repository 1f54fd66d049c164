/**
 * The first page of a Berkeley DB file, of versions 3.3 to 6 and either byte order.
 * Source: the page formats that Oracle publishes with the library (`dbinc/db_page.h`): numbers and places only.
 */
import { FormatError } from '../../../src/errors.js';

export const META_BYTES = 512;
const MAGICS: Record<number, Meta['kind']> = { 340322: 'btree', 398689: 'hash', 270931: 'queue', 476546: 'heap' };
/** The oldest version of each kind whose pages look as described here. */
const OLDEST: Record<Meta['kind'], number> = { btree: 8, hash: 7, queue: 3, heap: 1 };
const TYPES: Record<Meta['kind'], number> = { btree: 9, hash: 8, queue: 10, heap: 14 };

export interface Meta {
  /** `btree` also stands for recno. */
  kind: 'btree' | 'hash' | 'queue' | 'heap';
  littleEndian: boolean;
  version: number;
  pageBytes: number;
  checksums: boolean;
  encrypted: boolean;
  lastPage: number;
  flags: number;
  /** Of a btree: its root. */
  root: number;
  lsn: { file: number; offset: number };
  /** Of a hash: the highest bucket, and what is added to the number of a bucket to give its page, by the bucket's power of two. */
  highestBucket: number;
  spares: number[];
}

/** Numbers in the byte order of the file. */
export class Words {
  constructor(readonly littleEndian: boolean) {}

  u32(bytes: Buffer, at: number): number {
    return this.littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  u16(bytes: Buffer, at: number): number {
    return this.littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }
}

/** The kind that the magic number states; null: this is no such file. At least 16 bytes. */
export function berkeleyKind(head: Buffer): { kind: Meta['kind']; littleEndian: boolean } | null {
  if (head.length < 16) return null;
  for (const littleEndian of [true, false]) {
    const kind = MAGICS[new Words(littleEndian).u32(head, 12)];
    if (kind) return { kind, littleEndian };
  }
  return null;
}

/** @param bytes the first META_BYTES of a file. @throws FormatError */
export function parseMeta(bytes: Buffer): Meta {
  const found = berkeleyKind(bytes);
  if (!found || bytes.length < META_BYTES) throw bad('its first page has lost the magic number');
  const { kind, littleEndian } = found;
  const words = new Words(littleEndian);
  const pageBytes = words.u32(bytes, 20);
  const version = words.u32(bytes, 16);
  if (version < OLDEST[kind] || version > 20) throw bad(`it is of the ${kind} version ${version}, which is not known here`);
  if (pageBytes < 512 || pageBytes > 65536 || (pageBytes & (pageBytes - 1)) !== 0) throw bad(`it states pages of ${pageBytes} bytes`);
  if (bytes[25] !== TYPES[kind]) throw bad(`its first page is of the type ${bytes[25]}`);
  return {
    kind,
    littleEndian,
    version,
    pageBytes,
    checksums: ((bytes[26] as number) & 1) !== 0,
    encrypted: bytes[24] !== 0,
    lastPage: words.u32(bytes, 32),
    flags: words.u32(bytes, 48),
    root: kind === 'btree' ? words.u32(bytes, 88) : 0,
    lsn: { file: words.u32(bytes, 0), offset: words.u32(bytes, 4) },
    highestBucket: kind === 'hash' ? words.u32(bytes, 72) : 0,
    spares: kind === 'hash' ? Array.from({ length: 32 }, (_, i) => words.u32(bytes, 96 + 4 * i)) : [],
  };
}

/** The page on which a bucket of a hash begins. */
export function pageOfBucket(bucket: number, { spares }: Meta): number {
  return bucket + (spares[bucket === 0 ? 0 : 32 - Math.clz32(bucket)] ?? 0);
}

/** h = h * 33 + byte, from 0 on: the checksum of pages that are not encrypted (4 bytes). The place of the sum counts as zeroes. */
export function pageChecksum(bytes: Uint8Array, from: number, zeroBytes: number): number {
  let hash = 0;
  for (let i = 0; i < from; i++) hash = (Math.imul(hash, 33) + (bytes[i] as number)) | 0;
  for (let i = 0; i < zeroBytes; i++) hash = Math.imul(hash, 33);
  for (let i = from + zeroBytes; i < bytes.length; i++) hash = (Math.imul(hash, 33) + (bytes[i] as number)) | 0;
  return hash >>> 0;
}

function bad(message: string): FormatError {
  return new FormatError({ code: 'berkeleydb.meta', message });
}
