/**
 * Header page of an ESE database; its copy is the second page of the file.
 * Source: "Extensible Storage Engine (ESE) Database File (EDB) format specification" (libesedb), and for the log range and times the
 * published structure of the database header in Microsoft's Extensible Storage Engine.
 */
import { xorSum } from './checksum.js';

export const MAGIC = 0x89abcdef;
export const HEADER_BYTES = 2048;
export const FILE_TYPES = { database: 1, streaming: 2, log: 3, checkpoint: 4, temporary: 5 } as const;
export const STATES: Record<number, string> = {
  1: 'just created',
  2: 'dirty shutdown',
  3: 'clean shutdown',
  4: 'being converted',
  5: 'force detached',
  6: 'incremental reseed in progress',
  7: 'dirty and patched shutdown',
  8: 'revert in progress',
};
export const PAGE_SIZES = [2048, 4096, 8192, 16384, 32768];
/** The only one since Windows 2000; what changed since then is the revision. */
export const KNOWN_VERSION = 0x620;

export interface LogPosition {
  generation: number;
  sector: number;
  byte: number;
}

export interface EseHeader {
  version: number;
  revision: number;
  fileType: number;
  pageBytes: number;
  state: number;
  /** Of the last change that the header knows of. */
  dbtime: bigint;
  /** Hexadecimal: made when the database was created, resp. its log stream. All zeroes: there is none. */
  signature: string;
  logSignature: string;
  /** Where its log stood when it was shut down cleanly. */
  consistentAt: LogPosition;
  /** Log files that recovery needs; 0: none. */
  minRequired: number;
  maxRequired: number;
  /** The last that holds a change of it; without it transactions are lost, no more. 0: not known. */
  maxCommitted: number;
  /** When the log files `maxRequired` and `maxCommitted` were created, hexadecimal; null: not known. */
  maxRequiredCreated: string | null;
  maxCommittedCreated: string | null;
}

/** Null when it is none. Does not look at its checksum. */
export function parseHeader(bytes: Buffer): EseHeader | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(4) !== MAGIC) return null;
  const pageBytes = bytes.readUInt32LE(236) || 4096;
  if (!PAGE_SIZES.includes(pageBytes)) return null;
  const [minRequired, maxRequired, maxCommitted] = [296, 300, 416].map((at) => bytes.readInt32LE(at)) as [number, number, number];
  const committedTime = logTime(bytes, 348);
  return {
    version: bytes.readUInt32LE(8),
    revision: bytes.readUInt32LE(232),
    fileType: bytes.readUInt32LE(667),
    pageBytes,
    state: bytes.readUInt32LE(52),
    dbtime: bytes.readBigUInt64LE(16),
    signature: bytes.toString('hex', 24, 52),
    logSignature: bytes.toString('hex', 108, 136),
    consistentAt: logPosition(bytes, 56),
    minRequired,
    maxRequired,
    maxCommitted,
    maxRequiredCreated: logTime(bytes, 672) ?? (maxRequired === maxCommitted ? committedTime : null),
    maxCommittedCreated: committedTime,
  };
}

/** `bytes` holds the whole page. */
export function headerSumFits(bytes: Buffer, pageBytes: number): boolean {
  if (bytes.length < pageBytes) return false;
  return xorSum(new DataView(bytes.buffer, bytes.byteOffset, pageBytes), 0, pageBytes) === bytes.readUInt32LE(0);
}

export function logPosition(bytes: Buffer, at: number): LogPosition {
  return { byte: bytes.readUInt16LE(at), sector: bytes.readUInt16LE(at + 2), generation: bytes.readInt32LE(at + 4) };
}

/** Null: not set. */
export function logTime(bytes: Buffer, at: number): string | null {
  const hex = bytes.toString('hex', at, at + 8);
  return /^0+$/.test(hex) ? null : hex;
}

export function hasSignature(signature: string): boolean {
  return !/^0+$/.test(signature);
}
