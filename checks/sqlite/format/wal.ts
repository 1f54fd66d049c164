/** The write-ahead log. Source: https://sqlite.org/fileformat2.html, section 4. */
import { endianness } from 'node:os';
import { isPageSize } from './header.js';

export const WAL_HEADER_BYTES = 32;
export const FRAME_HEADER_BYTES = 24;
const MAGIC_LITTLE = 0x377f0682;
const MAGIC_BIG = 0x377f0683;
const VERSION = 3007000;
const HOST_IS_LITTLE = endianness() === 'LE';

export interface WalHeader {
  bigEndianSums: boolean;
  pageSize: number;
  sequence: number;
  salt1: number;
  salt2: number;
}

/** The two running sums over a log; 32-bit, signed. */
export interface WalSum {
  a: number;
  b: number;
}

export interface WalFrameHeader {
  page: number;
  /** Size of the database in pages after this commit; 0 inside a transaction. */
  commitPages: number;
  salt1: number;
  salt2: number;
  sum: WalSum;
}

/**
 * Parses the log's header. A string says why SQLite would ignore the whole log; that is normal for a log
 * that was just created and is damage when frames follow.
 */
export function parseWalHeader(bytes: Buffer): { header: WalHeader; sum: WalSum } | string {
  if (bytes.length < WAL_HEADER_BYTES) return `its header has only ${bytes.length} bytes`;
  const magic = bytes.readUInt32BE(0);
  if (magic !== MAGIC_LITTLE && magic !== MAGIC_BIG) return 'it does not begin with the number of a write-ahead log';
  const pageSize = bytes.readUInt32BE(8);
  if (bytes.readUInt32BE(4) !== VERSION) return `its format version ${bytes.readUInt32BE(4)} is unknown`;
  if (!isPageSize(pageSize)) return `its page size ${pageSize} is impossible`;
  const sum: WalSum = { a: 0, b: 0 };
  addToSum(sum, bytes.subarray(0, 24), magic === MAGIC_BIG);
  if (sum.a !== bytes.readInt32BE(24) || sum.b !== bytes.readInt32BE(28)) return 'its header does not carry its own checksum';
  const header = {
    bigEndianSums: magic === MAGIC_BIG,
    pageSize,
    sequence: bytes.readUInt32BE(12),
    salt1: bytes.readUInt32BE(16),
    salt2: bytes.readUInt32BE(20),
  };
  return { header, sum };
}

/** Reads a frame's header without judging it. */
export function parseFrameHeader(bytes: Buffer, at: number): WalFrameHeader {
  return {
    page: bytes.readUInt32BE(at),
    commitPages: bytes.readUInt32BE(at + 4),
    salt1: bytes.readUInt32BE(at + 8),
    salt2: bytes.readUInt32BE(at + 12),
    sum: { a: bytes.readInt32BE(at + 16), b: bytes.readInt32BE(at + 20) },
  };
}

export function frameBytes(pageSize: number): number {
  return FRAME_HEADER_BYTES + pageSize;
}

/** The frame at `at` continues the log whose sums so far are `sum` (which is advanced). */
export function frameContinues(bytes: Buffer, at: number, frame: WalFrameHeader, header: WalHeader, sum: WalSum): boolean {
  addToSum(sum, bytes.subarray(at, at + 8), header.bigEndianSums);
  addToSum(sum, bytes.subarray(at + FRAME_HEADER_BYTES, at + frameBytes(header.pageSize)), header.bigEndianSums);
  return sum.a === frame.sum.a && sum.b === frame.sum.b;
}

/** Adds 32-bit words in pairs: `a += w0 + b; b += w1 + a`. `bytes` has a multiple of 8 bytes. */
export function addToSum(sum: WalSum, bytes: Buffer, bigEndian: boolean): void {
  const words = bytes.byteOffset % 4 === 0 && HOST_IS_LITTLE ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) : null;
  if (!words) {
    addUnaligned(sum, bytes, bigEndian);
    return;
  }
  let { a, b } = sum;
  for (let i = 0; i < words.length; i += 2) {
    let w0 = words[i] as number;
    let w1 = words[i + 1] as number;
    if (bigEndian) {
      w0 = swapBytes(w0);
      w1 = swapBytes(w1);
    }
    a = (a + w0 + b) | 0;
    b = (b + w1 + a) | 0;
  }
  sum.a = a;
  sum.b = b;
}

function addUnaligned(sum: WalSum, bytes: Buffer, bigEndian: boolean): void {
  for (let i = 0; i + 8 <= bytes.length; i += 8) {
    sum.a = (sum.a + (bigEndian ? bytes.readInt32BE(i) : bytes.readInt32LE(i)) + sum.b) | 0;
    sum.b = (sum.b + (bigEndian ? bytes.readInt32BE(i + 4) : bytes.readInt32LE(i + 4)) + sum.a) | 0;
  }
}

function swapBytes(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
