/** Branch, leaf and overflow pages of LMDB. Source: as in meta.ts (MDB_page, MDB_node). All throw FormatError. */
import { FormatError } from '../../../src/errors.js';

export const HEADER_BYTES = 16;
const NODE_BYTES = 8;
const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const LEAF2 = 0x20;
const SUB_PAGE = 0x40;
/** Marks of a transaction under way that may stay behind on disk and mean nothing there. */
const PASSING = 0x10 | 0x4000 | 0x8000;

export const BIG_DATA = 1;
export const SUB_DATA = 2;
export const DUP_DATA = 4;

/** Views into the page: valid as long as its bytes are. */
export interface Node {
  key: Buffer;
  flags: number;
  /** Of a leaf: length of the value. Of a branch: 0. */
  dataBytes: number;
  /** Of a leaf: the value, or what stands for it. */
  data: Buffer;
  /** Of a branch: the child. */
  child: number;
}

export interface TreePage {
  kind: 'branch' | 'leaf' | 'keys';
  nodes: Node[];
}

const NOTHING = Buffer.alloc(0);

/** A page of a tree. `keyBytes`: size of the keys where the tree stores nothing but keys of one size. */
export function parsePage(bytes: Buffer, page: number): TreePage {
  const number = bytes.readBigUInt64LE(0);
  if (number !== BigInt(page)) throw bad(`bears the number ${number}: another page was written here, or this one never was`);
  return parseBody(bytes, bytes.readUInt16LE(10) & ~PASSING);
}

/** A page within a value, for the few duplicates of one key. It has the length of the value. */
export function parseSubPage(bytes: Buffer): TreePage {
  if (bytes.length < HEADER_BYTES) throw bad('has a list of duplicates that is too short');
  const flags = bytes.readUInt16LE(10) & ~PASSING;
  if ((flags & SUB_PAGE) === 0) throw bad('has a list of duplicates that is none');
  return parseBody(bytes, flags & ~SUB_PAGE);
}

function parseBody(bytes: Buffer, flags: number): TreePage {
  const lower = bytes.readUInt16LE(12);
  const upper = bytes.readUInt16LE(14);
  if (lower < HEADER_BYTES || lower > upper || upper > bytes.length || lower % 2 !== 0) throw bad(`has free space from ${lower} to ${upper}`);
  const count = (lower - HEADER_BYTES) / 2;
  if (flags === (LEAF | LEAF2)) return { kind: 'keys', nodes: plainKeys(bytes, count, upper) };
  if (flags === BRANCH) return { kind: 'branch', nodes: nodesOf(bytes, count, upper, true) };
  if (flags === LEAF) return { kind: 'leaf', nodes: nodesOf(bytes, count, upper, false) };
  throw bad(`is of the unknown kind ${flags}`);
}

function plainKeys(bytes: Buffer, count: number, upper: number): Node[] {
  const keyBytes = bytes.readUInt16LE(8);
  if (keyBytes === 0 || HEADER_BYTES + count * keyBytes > bytes.length) throw bad(`has ${count} keys of ${keyBytes} bytes`);
  if (bytes.length - upper !== count * (keyBytes - 2)) throw bad('has more or less free space than its keys leave');
  const at = (i: number) => bytes.subarray(HEADER_BYTES + i * keyBytes, HEADER_BYTES + (i + 1) * keyBytes);
  return Array.from({ length: count }, (_, i) => ({ key: at(i), flags: 0, dataBytes: 0, data: NOTHING, child: 0 }));
}

/** The nodes fill the page from `upper` to its end without a gap: their lengths must add up. */
function nodesOf(bytes: Buffer, count: number, upper: number, branch: boolean): Node[] {
  let used = 0;
  const nodes: Node[] = [];
  for (let i = 0; i < count; i++) {
    const at = bytes.readUInt16LE(HEADER_BYTES + 2 * i);
    if (at < upper || at + NODE_BYTES > bytes.length) throw bad(`has an entry at ${at}, outside of its entries`);
    const node = branch ? branchNode(bytes, at) : leafNode(bytes, at);
    const length = NODE_BYTES + node.key.length + node.data.length;
    used += length + (length & 1);
    nodes.push(node);
  }
  if (used !== bytes.length - upper) throw bad(`has entries of ${used} bytes in a space of ${bytes.length - upper}`);
  return nodes;
}

function branchNode(bytes: Buffer, at: number): Node {
  const child = bytes.readUInt32LE(at) + bytes.readUInt16LE(at + 4) * 2 ** 32;
  return { key: keyAt(bytes, at), flags: 0, dataBytes: 0, data: NOTHING, child };
}

function leafNode(bytes: Buffer, at: number): Node {
  const dataBytes = bytes.readUInt32LE(at);
  const flags = bytes.readUInt16LE(at + 4);
  if (flags & ~(BIG_DATA | SUB_DATA | DUP_DATA)) throw bad(`has an entry with the unknown flags ${flags}`);
  const key = keyAt(bytes, at);
  const from = at + NODE_BYTES + key.length;
  const stored = flags & BIG_DATA ? 8 : dataBytes;
  if (from + stored > bytes.length) throw bad('has a value that reaches beyond it');
  return { key, flags, dataBytes, data: bytes.subarray(from, from + stored), child: 0 };
}

function keyAt(bytes: Buffer, at: number): Buffer {
  const end = at + NODE_BYTES + bytes.readUInt16LE(at + 6);
  if (end > bytes.length) throw bad('has a key that reaches beyond it');
  return bytes.subarray(at + NODE_BYTES, end);
}

/** The first page of a long value. @returns how many pages it takes */
export function parseOverflow(bytes: Buffer, page: number): number {
  const number = bytes.readBigUInt64LE(0);
  if (number !== BigInt(page)) throw bad(`bears the number ${number}, and should begin a long value`);
  if ((bytes.readUInt16LE(10) & ~PASSING) !== OVERFLOW) throw bad('should begin a long value and does not');
  return bytes.readUInt32LE(12);
}

export function overflowPages(dataBytes: number, pageBytes: number): number {
  return Math.ceil((HEADER_BYTES + dataBytes) / pageBytes);
}

function bad(message: string): FormatError {
  return new FormatError({ code: 'lmdb.page', message });
}
