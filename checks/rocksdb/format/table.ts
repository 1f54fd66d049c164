/**
 * Table files (`.sst`, `.ldb`): footer, index, and the checksum of every block. Source: LevelDB's table format and RocksDB's wiki
 * page on the block-based table format. All throw FormatError.
 */
import { inflateRawSync } from 'node:zlib';
import { crc32c } from '../../../src/bytes/crc32c.js';
import { xxh3 } from '../../../src/bytes/xxh3.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource } from '../../../src/types.js';
import { masked } from './log.js';
import { unsnap } from './snappy.js';
import { Reader } from './varint.js';

const LEVELDB_MAGIC = 0xdb4775248b80fb57n;
const ROCKSDB_MAGIC = 0x88e241b785f4cff7n;
const LEVELDB_FOOTER_BYTES = 48;
const ROCKSDB_FOOTER_BYTES = 53;
const TRAILER_BYTES = 5;
const MAX_BLOCK_BYTES = 256 * 1024 * 1024;
const NEWEST_FORMAT = 5;
const LAST_BYTE_FACTOR = 0x6b9083d9;

export interface Handle {
  offset: number;
  size: number;
}

export interface Footer {
  checksum: 'none' | 'crc32c' | 'xxh3' | 'xxhash' | 'xxhash64' | null;
  formatVersion: number;
  metaindex: Handle;
  index: Handle;
}

const CHECKSUMS = ['none', 'crc32c', 'xxhash', 'xxhash64', 'xxh3'] as const;

/** What this version cannot read: not damage. */
export class UnknownTableError extends FormatError {}

export async function readFooter(source: ByteSource): Promise<Footer> {
  if (source.sizeBytes < LEVELDB_FOOTER_BYTES) throw bad(`has only ${source.sizeBytes} bytes`);
  const tail = await source.read(Math.max(0, source.sizeBytes - ROCKSDB_FOOTER_BYTES), Math.min(ROCKSDB_FOOTER_BYTES, source.sizeBytes));
  const magic = tail.readBigUInt64LE(tail.length - 8);
  if (magic === LEVELDB_MAGIC) return { checksum: 'crc32c', formatVersion: 0, ...handles(tail.subarray(tail.length - LEVELDB_FOOTER_BYTES)) };
  if (magic !== ROCKSDB_MAGIC || tail.length < ROCKSDB_FOOTER_BYTES) throw bad('has lost the magic number at its end');
  const formatVersion = tail.readUInt32LE(ROCKSDB_FOOTER_BYTES - 12);
  if (formatVersion > NEWEST_FORMAT) throw new UnknownTableError({ code: 'rocksdb.table', message: `it is of the table format ${formatVersion}` });
  return { checksum: CHECKSUMS[tail[0] as number] ?? null, formatVersion, ...handles(tail.subarray(1)) };
}

function handles(bytes: Buffer): { metaindex: Handle; index: Handle } {
  const reader = new Reader(bytes);
  return { metaindex: readHandle(reader), index: readHandle(reader) };
}

function readHandle(reader: Reader): Handle {
  return { offset: reader.varint(), size: reader.varint() };
}

/** The stored bytes of a block, after its checksum was compared. */
export async function readBlock(source: ByteSource, { offset, size }: Handle, { checksum }: Footer): Promise<{ bytes: Buffer; compression: number }> {
  if (size > MAX_BLOCK_BYTES || offset + size + TRAILER_BYTES > source.sizeBytes) throw bad(`names a block of ${size} bytes at ${offset}, outside of it`);
  const whole = await source.read(offset, size + TRAILER_BYTES);
  const stored = whole.readUInt32LE(size + 1);
  const compression = whole[size] as number;
  const sum = checksum === 'crc32c' ? masked(crc32c(whole, 0, size + 1)) : checksum === 'xxh3' ? withLastByte(whole.subarray(0, size), compression) : stored;
  if (sum !== stored) throw bad(`has a block at ${offset} that does not carry the checksum of its own bytes`);
  return { bytes: whole.subarray(0, size), compression };
}

function withLastByte(bytes: Buffer, last: number): number {
  return (Number(xxh3(bytes) & 0xffffffffn) ^ Math.imul(last, LAST_BYTE_FACTOR)) >>> 0;
}

/** @returns null where the compression is not known here */
export function unfold(bytes: Buffer, compression: number, formatVersion: number): Buffer | null {
  if (compression === 0) return bytes;
  if (compression === 1) return unsnap(bytes, MAX_BLOCK_BYTES);
  if (compression !== 2) return null;
  const reader = new Reader(bytes);
  // From format 2 on the length stands before the bytes.
  if (formatVersion >= 2) reader.varint();
  try {
    return inflateRawSync(bytes.subarray(reader.at), { maxOutputLength: MAX_BLOCK_BYTES });
  } catch {
    throw bad('has a compressed block that cannot be unfolded');
  }
}

/** The handles in an index or metaindex block. `delta`: values hold the difference to the one before. */
export function handlesIn(block: Buffer, delta: boolean): Handle[] {
  if (block.length < 4) throw bad('has an index without an end');
  const restarts = block.readUInt32LE(block.length - 4) & 0x7fffffff;
  const end = block.length - 4 - 4 * restarts;
  if (end < 0) throw bad(`has an index with ${restarts} restarts`);
  const reader = new Reader(block.subarray(0, end));
  const found: Handle[] = [];
  while (!reader.atEnd) {
    const shared = reader.varint();
    const own = reader.varint();
    const valueBytes = delta ? 0 : reader.varint();
    reader.take(own);
    found.push(delta ? deltaHandle(reader, shared, found.at(-1)) : readHandle(new Reader(reader.take(valueBytes))));
  }
  return found;
}

function deltaHandle(reader: Reader, shared: number, before: Handle | undefined): Handle {
  if (shared === 0 || !before) return readHandle(reader);
  return { offset: before.offset + before.size + TRAILER_BYTES, size: before.size + reader.signed() };
}

export const END_OF_BLOCK = TRAILER_BYTES;

function bad(message: string): FormatError {
  return new FormatError({ code: 'rocksdb.table', message });
}
