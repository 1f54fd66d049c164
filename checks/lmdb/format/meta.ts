/**
 * Meta pages of LMDB, data format 1, 64-bit, little-endian: pages 0 and 1, the one with the higher transaction id counts.
 * Source: the documentation of LMDB's internal structures (MDB_meta, MDB_db, MDB_page), generated from its source.
 */
import { FormatError } from '../../../src/errors.js';

export const META_BYTES = 152;
const MAGIC = 0xbeefc0de;
export const P_META = 8;
/** A root of no page: the tree is empty. */
const NO_PAGE = 0xffffffffffffffffn;
export const DB_BYTES = 48;

/** What a tree says of itself. `root` null: empty. Counts above 2^53 are refused. */
export interface TreeHead {
  /** Of trees with keys of one size without node headers: that size. Of the first tree of a meta page: the page size. */
  pad: number;
  flags: number;
  depth: number;
  branchPages: number;
  leafPages: number;
  overflowPages: number;
  entries: number;
  root: number | null;
}

export interface Meta {
  page: 0 | 1;
  pageBytes: number;
  transaction: number;
  lastPage: number;
  free: TreeHead;
  main: TreeHead;
}

/** Whether these are the first bytes of a store; `width` tells the machine that wrote it. */
export function lmdbWidth(head: Buffer): '64-bit' | '32-bit' | '64-bit big-endian' | '32-bit big-endian' | null {
  if (head.length < 24) return null;
  if (head.readUInt32LE(16) === MAGIC) return '64-bit';
  if (head.readUInt32BE(16) === MAGIC) return '64-bit big-endian';
  if (head.readUInt32LE(12) === MAGIC) return '32-bit';
  return head.readUInt32BE(12) === MAGIC ? '32-bit big-endian' : null;
}

/** @param bytes the beginning of meta page `page`, at least META_BYTES. @throws FormatError where LMDB refuses the page */
export function parseMeta(bytes: Buffer, page: 0 | 1): Meta {
  if (bytes.length < META_BYTES) throw bad(`meta page ${page} is cut`);
  if ((bytes.readUInt16LE(10) & P_META) === 0) throw bad(`page ${page} is not marked as a meta page`);
  if (bytes.readUInt32LE(16) !== MAGIC) throw bad(`meta page ${page} has lost its magic number`);
  if (bytes.readUInt32LE(20) !== 1) throw bad(`meta page ${page} is of the data format ${bytes.readUInt32LE(20)}`);
  const free = parseTree(bytes, 40);
  const pageBytes = free.pad;
  if (pageBytes < 512 || pageBytes > 65536 || (pageBytes & (pageBytes - 1)) !== 0) throw bad(`meta page ${page} states pages of ${pageBytes} bytes`);
  return { page, pageBytes, free, main: parseTree(bytes, 88), lastPage: number(bytes, 136), transaction: number(bytes, 144) };
}

/** The head of a tree: in a meta page, or the data of a node that is a tree of its own. @throws FormatError */
export function parseTree(bytes: Buffer, at: number): TreeHead {
  const root = bytes.readBigUInt64LE(at + 40);
  return {
    pad: bytes.readUInt32LE(at),
    flags: bytes.readUInt16LE(at + 4),
    depth: bytes.readUInt16LE(at + 6),
    branchPages: number(bytes, at + 8),
    leafPages: number(bytes, at + 16),
    overflowPages: number(bytes, at + 24),
    entries: number(bytes, at + 32),
    root: root === NO_PAGE ? null : number(bytes, at + 40),
  };
}

function number(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(`a count of ${value} cannot be right`);
  return Number(value);
}

function bad(message: string): FormatError {
  return new FormatError({ code: 'lmdb.meta', message });
}
