/** The database header: the first 100 bytes of page 1. Source: https://sqlite.org/fileformat2.html, section 1.3. */
import { FormatError } from '../../../src/errors.js';

export const HEADER_BYTES = 100;
export const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
/** The page that holds the bytes which locks are taken on begins here; no data is ever stored on it. */
const LOCK_BYTE = 0x40000000;

export interface DatabaseHeader {
  pageSize: number;
  /** Page size less the bytes reserved at the end of each page. */
  usableBytes: number;
  /** 1 rollback journal, 2 write-ahead log. */
  writeVersion: number;
  readVersion: number;
  changeCounter: number;
  /** Size in pages as the header has it; only meaningful when `pageCountValid`. */
  pageCount: number;
  pageCountValid: boolean;
  firstFreeTrunk: number;
  freePages: number;
  schemaFormat: number;
  /** 1 UTF-8, 2 UTF-16LE, 3 UTF-16BE, 0 in a database without a table. */
  encoding: number;
  /** Non-zero means auto-vacuum: pointer map pages exist. */
  largestRoot: number;
  incrementalVacuum: boolean;
  /** Of the library that wrote last, such as `3.40.1`; null in files older than 3.7.0. */
  libraryVersion: string | null;
}

/** Parses and validates the header; throws FormatError and says which field is wrong. */
export function parseHeader(bytes: Buffer): DatabaseHeader {
  if (bytes.length < HEADER_BYTES) throw invalid(`it has ${bytes.length} bytes, a header needs ${HEADER_BYTES}`);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw invalid('it does not begin with "SQLite format 3"');
  const pageSize = decodePageSize(bytes.readUInt16BE(16));
  if (pageSize === null) throw invalid(`page size ${bytes.readUInt16BE(16)} is not a power of two between 512 and 65536`);
  const usableBytes = pageSize - bytes.readUInt8(20);
  if (usableBytes < 480) throw invalid(`only ${usableBytes} bytes of each page are usable, the format needs 480`);
  if (bytes.readUInt8(21) !== 64 || bytes.readUInt8(22) !== 32 || bytes.readUInt8(23) !== 32) throw invalid('the payload fractions are not 64, 32, 32');
  const changeCounter = bytes.readUInt32BE(24);
  const pageCount = bytes.readUInt32BE(28);
  const library = bytes.readUInt32BE(96);
  return {
    pageSize,
    usableBytes,
    writeVersion: bytes.readUInt8(18),
    readVersion: bytes.readUInt8(19),
    changeCounter,
    pageCount,
    pageCountValid: pageCount > 0 && changeCounter === bytes.readUInt32BE(92),
    firstFreeTrunk: bytes.readUInt32BE(32),
    freePages: bytes.readUInt32BE(36),
    schemaFormat: bytes.readUInt32BE(44),
    encoding: bytes.readUInt32BE(56),
    largestRoot: bytes.readUInt32BE(52),
    incrementalVacuum: bytes.readUInt32BE(64) !== 0,
    libraryVersion: library === 0 ? null : `${Math.floor(library / 1_000_000)}.${Math.floor(library / 1000) % 1000}.${library % 1000}`,
  };
}

/** The page size a 16-bit field means (1 stands for 65536), or null when it is none. */
export function decodePageSize(field: number): number | null {
  if (field === 1) return 65536;
  return isPageSize(field) ? field : null;
}

export function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65536 && (bytes & (bytes - 1)) === 0;
}

/** Number of the page that holds the lock bytes: it exists only in databases larger than 1 GiB and belongs to nothing. */
export function lockBytePage(pageSize: number): number {
  return LOCK_BYTE / pageSize + 1;
}

function invalid(why: string): FormatError {
  return new FormatError({ code: 'sqlite.header.invalid', message: `this is no SQLite 3 database header: ${why}` });
}
