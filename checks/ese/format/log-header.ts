/**
 * Headers of log files (edb00001.log, edb.log, .jtx) and of checkpoint files (edb.chk), and the 4 KiB segments that log files of
 * version 8 and later (Windows 8, Exchange 2013) consist of. Source: the structures published in Microsoft's Extensible Storage Engine.
 */
import { type EccSum, eccSum, flippedBit, xorSum } from './checksum.js';
import { FILE_TYPES, type LogPosition, logPosition, logTime } from './header.js';

export const LOG_HEADER_BYTES = 4096;
export const SEGMENT_BYTES = 4096;

export interface LogHeader {
  generation: number;
  sectorBytes: number;
  headerSectors: number;
  sectors: number;
  /** Hexadecimal; null: not set. */
  created: string | null;
  previousCreated: string | null;
  major: number;
  minor: number;
  update: number;
  signature: string;
  sumFits: boolean;
}

/** Null when it is none. */
export function parseLogHeader(bytes: Buffer): LogHeader | null {
  if (bytes.length < LOG_HEADER_BYTES || bytes.readUInt32LE(667) !== FILE_TYPES.log) return null;
  return {
    generation: bytes.readInt32LE(4),
    sectorBytes: bytes.readUInt16LE(8),
    headerSectors: bytes.readUInt16LE(10),
    sectors: bytes.readUInt16LE(12),
    created: logTime(bytes, 16),
    previousCreated: logTime(bytes, 24),
    major: bytes.readUInt32LE(32),
    minor: bytes.readUInt32LE(36),
    update: bytes.readUInt32LE(40),
    signature: bytes.toString('hex', 44, 72),
    sumFits: sumFits(bytes),
  };
}

export interface Checkpoint {
  at: LogPosition;
  signature: string;
  sumFits: boolean;
}

/** Null when it is none. */
export function parseCheckpoint(bytes: Buffer): Checkpoint | null {
  if (bytes.length < LOG_HEADER_BYTES || bytes.readUInt32LE(667) !== FILE_TYPES.checkpoint) return null;
  return { at: logPosition(bytes, 12), signature: bytes.toString('hex', 20, 48), sumFits: sumFits(bytes) };
}

function sumFits(bytes: Buffer): boolean {
  return xorSum(new DataView(bytes.buffer, bytes.byteOffset, LOG_HEADER_BYTES), 0, LOG_HEADER_BYTES) === bytes.readUInt32LE(0);
}

/**
 * valid: written in this generation. old: of an earlier one, or never written, or a copy of the segment before it: the log ends before it.
 * shadow: a copy of the segment before it, of this generation. damaged: none of these. wrong: it claims to be from later on.
 */
export type SegmentKind = 'valid' | 'old' | 'shadow' | 'damaged' | 'wrong';

/** `words` holds the segment numbered `sector` from `firstWord` on. A single flipped bit is corrected by the engine and counts as none. */
export function segmentKind(words: Int32Array, firstWord: number, sector: number, generation: number): SegmentKind {
  const at = segmentPosition(words, firstWord);
  if (fits(words, firstWord, sector)) {
    const order = at.generation - generation || at.sector - sector;
    return order === 0 ? 'valid' : order < 0 ? 'old' : 'wrong';
  }
  if (fits(words, firstWord, sector - 1)) return at.generation === generation ? 'shadow' : 'old';
  return isZero(words, firstWord) ? 'old' : 'damaged';
}

function segmentPosition(words: Int32Array, first: number): { generation: number; sector: number } {
  return { generation: words[first + 3] as number, sector: ((words[first + 2] as number) >>> 16) & 0xffff };
}

function fits(words: Int32Array, first: number, sector: number): boolean {
  const stored: EccSum = { xor: (words[first] as number) >>> 0, ecc: (words[first + 1] as number) >>> 0 };
  const computed = eccSum(words, first, SEGMENT_BYTES / 4, sector, true);
  const same = stored.xor === computed.xor && stored.ecc === computed.ecc;
  return same || flippedBit(stored, computed, SEGMENT_BYTES / 4) !== null;
}

function isZero(words: Int32Array, first: number): boolean {
  for (let i = 0; i < SEGMENT_BYTES / 4; i++) if (words[first + i] !== 0) return false;
  return true;
}
