/** Pages of bbolt's trees. Source: as in meta.ts. All throw FormatError. */
import { FormatError } from '../../../src/errors.js';
import { HEADER_BYTES } from './meta.js';

export const BRANCH = 1;
export const LEAF = 2;
export const FREE_LIST = 0x10;
const ELEMENT_BYTES = 16;
const BUCKET_BYTES = 16;

export interface Head {
  flags: number;
  count: number;
  /** Pages that follow and belong to this one. */
  overflow: number;
}

export interface Element {
  key: Buffer;
  /** Of a leaf. */
  value: Buffer;
  isBucket: boolean;
  /** Of a branch. */
  child: number;
}

export function parseHead(bytes: Buffer, page: number): Head {
  const number = bytes.readBigUInt64LE(0);
  if (number !== BigInt(page)) throw bad(`bears the number ${number}: another page was written here, or this one never was`);
  return { flags: bytes.readUInt16LE(8), count: bytes.readUInt16LE(10), overflow: bytes.readUInt32LE(12) };
}

/** @param bytes the page with all that belongs to it, or a bucket within a value */
export function parseElements(bytes: Buffer, { flags, count }: Head): Element[] {
  if (flags !== BRANCH && flags !== LEAF) throw bad(`is of the kind ${flags}, and should belong to a tree`);
  if (HEADER_BYTES + count * ELEMENT_BYTES > bytes.length) throw bad(`has ${count} entries, more than fit`);
  return Array.from({ length: count }, (_, i) => (flags === BRANCH ? branch : leaf)(bytes, HEADER_BYTES + i * ELEMENT_BYTES));
}

function branch(bytes: Buffer, at: number): Element {
  const from = at + bytes.readUInt32LE(at);
  const child = Number(bytes.readBigUInt64LE(at + 8));
  return { key: slice(bytes, from, bytes.readUInt32LE(at + 4)), value: bytes.subarray(0, 0), isBucket: false, child };
}

function leaf(bytes: Buffer, at: number): Element {
  const flags = bytes.readUInt32LE(at);
  if (flags > 1) throw bad(`has an entry with the unknown flags ${flags}`);
  const from = at + bytes.readUInt32LE(at + 4);
  const keyBytes = bytes.readUInt32LE(at + 8);
  return { key: slice(bytes, from, keyBytes), value: slice(bytes, from + keyBytes, bytes.readUInt32LE(at + 12)), isBucket: flags === 1, child: 0 };
}

/** The tree of a bucket: on a page of its own, or (`inline`) within the value. */
export function parseBucket(value: Buffer): { root: number } | { inline: Buffer } {
  if (value.length < BUCKET_BYTES) throw bad('has a bucket that is too short');
  const root = value.readBigUInt64LE(0);
  if (root !== 0n) return { root: Number(root) };
  if (value.length < BUCKET_BYTES + HEADER_BYTES) throw bad('has a bucket that is too short');
  return { inline: value.subarray(BUCKET_BYTES) };
}

function slice(bytes: Buffer, from: number, length: number): Buffer {
  if (from + length > bytes.length) throw bad('has an entry that reaches beyond it');
  return bytes.subarray(from, from + length);
}

export function bad(message: string): FormatError {
  return new FormatError({ code: 'bbolt.page', message });
}
