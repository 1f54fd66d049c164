/**
 * The first two blocks of Oracle's files. Block 0, which the database itself does not use, says block size and byte order; block 1 is
 * the header: of a data file, of a redo log, of a control file.
 * Source: published dumps of BBED (structures kcbh, kccfh, kcvfh) and the documentation of block zero by DBAs; for redo logs the
 * description of the OpenLogReplicator project.
 */
import { wordSum } from './block.js';

export const PREFIX_BYTES = 32;
const LITTLE_ENDIAN = 0x7a7b7c7d;
const BIG_ENDIAN = 0x7d7c7b7a;
const BLOCK_SIZES = [512, 1024, 2048, 4096, 8192, 16384, 32768];

export interface FilePrefix {
  blockBytes: number;
  bigEndian: boolean;
  /** As block 0 says, without itself. */
  blocks: number;
}

/** Null: no file of Oracle. */
export function parsePrefix(bytes: Buffer): FilePrefix | null {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== 0) return null;
  const magic = bytes.readUInt32LE(28);
  if (magic !== LITTLE_ENDIAN && magic !== BIG_ENDIAN) return null;
  const bigEndian = magic === BIG_ENDIAN;
  const read = (at: number) => (bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  const blockBytes = read(20);
  return BLOCK_SIZES.includes(blockBytes) ? { blockBytes, bigEndian, blocks: read(24) } : null;
}

export type Role = 'data' | 'temporary' | 'redo' | 'control' | 'unknown';
const TYPES = { redo: 0x01, data: 0x0b, control: 0x15 } as const;
const FILE_TYPES = { data: 3, temporary: 6 } as const;

/** Of what kind block 1 is. */
export function roleOf(block: Buffer): Role {
  if (block.length < 512) return 'unknown';
  if (block[0] === TYPES.control) return 'control';
  if (block[0] === TYPES.redo && (block[1] === 0x22 || block[1] === 0x82) && block.readUInt32LE(4) === 1) return 'redo';
  if (block[0] !== TYPES.data) return 'unknown';
  const type = block.readUInt16LE(54);
  return type === FILE_TYPES.data ? 'data' : type === FILE_TYPES.temporary ? 'temporary' : 'unknown';
}

/** System change number; decimal, because it does not fit a number of JSON. Null: of the long form, which is not known here. */
export type Scn = string;

/** 48 bits; all ones: there is none. */
export const NO_SCN: Scn = String(2n ** 48n - 1n);

export function readScn(block: Buffer, at: number): Scn | null {
  const wrap = block.readUInt16LE(at + 4);
  const base = block.readUInt32LE(at);
  if (wrap === 0xffff && base === 0xffffffff) return NO_SCN;
  return (wrap & 0x8000) !== 0 ? null : String(BigInt(wrap) * 2n ** 32n + BigInt(base));
}

/** Negative: a is the earlier one. */
export function compareScn(a: Scn, b: Scn): number {
  const [x, y] = [BigInt(a), BigInt(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

export interface DataHeader {
  /** "11.2.0.4" and the like. */
  compatible: number;
  dbid: number;
  name: string;
  /** Without block 0. */
  blocks: number;
  file: number;
  /** 1024: of a bigfile tablespace, whose blocks are numbered in full. */
  relativeFile: number;
  tablespace: number;
  resetlogs: Scn | null;
  hotBackup: boolean;
  /** Open for writing when it was captured: recovery is needed. */
  fuzzy: boolean;
  checkpoint: Scn | null;
  /** Of the redo log at which recovery of this file begins. */
  sequence: number;
  sumFits: boolean;
}

/** Oldest and newest major version whose header is known. */
const KNOWN_MAJOR = { from: 10, to: 23 };
const FUZZY = { hotBackup: 0x1, online: 0x4 } as const;
const CHECKSUM = 0x04;

export function parseDataHeader(block: Buffer): DataHeader {
  const status = block.readUInt16LE(138);
  return {
    compatible: block.readUInt32LE(24),
    dbid: block.readUInt32LE(28),
    name: textAt(block, 32),
    blocks: block.readUInt32LE(44),
    file: block.readUInt16LE(52),
    relativeFile: block.readUInt32LE(368),
    tablespace: block.readInt32LE(332),
    resetlogs: readScn(block, 116),
    hotBackup: (status & FUZZY.hotBackup) !== 0,
    fuzzy: (status & FUZZY.online) !== 0,
    checkpoint: readScn(block, 484),
    sequence: block.readUInt32LE(500),
    sumFits: ((block[15] ?? 0) & CHECKSUM) === 0 || wordSum(block) === 0,
  };
}

export function isKnownVersion(compatible: number): boolean {
  const major = compatible >>> 24;
  return major >= KNOWN_MAJOR.from && major <= KNOWN_MAJOR.to;
}

export interface RedoHeader {
  compatible: number;
  dbid: number;
  name: string;
  sequence: number;
  /** Blocks that hold something; 0xffffffff: it was not finished. */
  blocks: number;
  thread: number;
  /** What it holds: from the first on, up to and without the next; `NO_SCN`: it is still being written. */
  first: Scn | null;
  next: Scn | null;
  sumFits: boolean;
}

export function parseRedoHeader(block: Buffer): RedoHeader {
  return {
    compatible: block.readUInt32LE(20),
    dbid: block.readUInt32LE(24),
    name: textAt(block, 28),
    sequence: block.readUInt32LE(8),
    blocks: block.readUInt32LE(156),
    thread: block.readUInt16LE(176),
    first: readScn(block, 180),
    next: readScn(block, 192),
    sumFits: wordSum(block) === 0,
  };
}

export function parseControlHeader(block: Buffer): { dbid: number; name: string } {
  return { dbid: block.readUInt32LE(28), name: textAt(block, 32) };
}

function textAt(block: Buffer, at: number): string {
  return (
    block
      .toString('latin1', at, at + 8)
      .split('\0')[0]
      ?.trim() ?? ''
  );
}
