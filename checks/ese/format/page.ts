/**
 * Pages of an ESE database: header, tags and nodes. Page n begins at (n + 1) pages from the start of the file.
 * Source: the format specification of libesedb; widths of tags and the blocks of large pages as published by Microsoft.
 */
import { type EccSum, eccSum, flippedBit, xorSum } from './checksum.js';

export const PAGE = {
  root: 0x1,
  leaf: 0x2,
  parentOfLeaf: 0x4,
  empty: 0x8,
  space: 0x20,
  index: 0x40,
  longValue: 0x80,
  newSum: 0x2000,
  preInit: 0x20000,
} as const;

const SMALL_PAGE_BYTES = 8192;
const WORD = 4;

export function isLarge(pageBytes: number): boolean {
  return pageBytes > SMALL_PAGE_BYTES;
}

export function headerBytes(pageBytes: number): number {
  return isLarge(pageBytes) ? 80 : 40;
}

export interface PageHeader {
  dbtime: bigint;
  previous: number;
  next: number;
  /** Number of the tree it belongs to. */
  tree: number;
  /** How many tags. */
  tags: number;
  flags: number;
}

export function pageHeader(view: DataView, offset: number): PageHeader {
  return {
    dbtime: view.getBigUint64(offset + 8, true),
    previous: view.getUint32(offset + 16, true),
    next: view.getUint32(offset + 20, true),
    tree: view.getUint32(offset + 24, true),
    // The upper 4 bits count reserved tags since revision 0x122.
    tags: view.getUint16(offset + 34, true) & 0x0fff,
    flags: view.getUint32(offset + 36, true),
  };
}

/** sound; one-bit: the engine corrects it; misplaced: whole, but the page of another number; damaged. */
export type SumVerdict = { kind: 'sound' | 'one-bit' | 'damaged' } | { kind: 'misplaced'; page: number };

/** `view` and `words` are the same bytes. `offset` is a multiple of 4. `pages`: how many the file has. */
export function verifySum(view: DataView, words: Int32Array, offset: number, page: number, pageBytes: number, pages: number): SumVerdict {
  if ((view.getUint32(offset + 36, true) & PAGE.newSum) === 0) return verifyOld(view, offset, page, pageBytes);
  const blockWords = (isLarge(pageBytes) ? pageBytes / 4 : pageBytes) / WORD;
  const seeds = new Set<number>();
  let oneBit = false;
  for (let block = 0; block * blockWords * WORD < pageBytes; block++) {
    const at = block === 0 ? offset : offset + 32 + 8 * block;
    const stored: EccSum = { xor: view.getUint32(at, true), ecc: view.getUint32(at + 4, true) };
    const computed = eccSum(words, offset / WORD + block * blockWords, blockWords, page, block === 0);
    // The number of the page is in the XOR alone.
    if (stored.ecc === computed.ecc) seeds.add((stored.xor ^ computed.xor ^ page) >>> 0);
    else if (flippedBit(stored, computed, blockWords) === null) return { kind: 'damaged' };
    else oneBit = true;
  }
  const [other] = [...seeds].filter((seed) => seed !== page);
  if (other === undefined) return { kind: oneBit ? 'one-bit' : 'sound' };
  return seeds.size === 1 && !oneBit && other >= 1 && other <= pages ? { kind: 'misplaced', page: other } : { kind: 'damaged' };
}

function verifyOld(view: DataView, offset: number, page: number, pageBytes: number): SumVerdict {
  if (xorSum(view, offset, pageBytes) !== view.getUint32(offset, true)) return { kind: 'damaged' };
  const own = view.getUint32(offset + 4, true);
  return own === page ? { kind: 'sound' } : { kind: 'misplaced', page: own };
}

export interface Node {
  flags: number;
  /** How many bytes of the page's common key precede `suffix`. */
  prefixBytes: number;
  suffix: Buffer;
  data: Buffer;
}

/** Flags of a node. */
export const DELETED = 2;
const COMPRESSED = 4;
const KEY_MASK = 0x1fff;

/** What a tag points to, without its flags; null: it points outside the page. `page` is one page. */
export function tagBytes(page: Buffer, index: number, tags: number): { bytes: Buffer; flags: number } | null {
  const at = page.length - 4 * (index + 1);
  const header = headerBytes(page.length);
  if (index < 0 || index >= tags || page.length - 4 * tags < header) return null;
  const large = isLarge(page.length);
  const mask = large ? 0x7fff : 0x1fff;
  const begin = header + (page.readUInt16LE(at + 2) & mask);
  const end = begin + (page.readUInt16LE(at) & mask);
  if (end > page.length - 4 * tags) return null;
  return { bytes: page.subarray(begin, end), flags: large ? 0 : page.readUInt16LE(at + 2) >> 13 };
}

/** Node number 1 and later; null: it is not one. Large pages keep the flags in the upper bits of the first word of the node. */
export function nodeAt(page: Buffer, index: number, tags: number): Node | null {
  const tag = tagBytes(page, index, tags);
  if (!tag || tag.bytes.length < 2) return null;
  const { bytes } = tag;
  const first = bytes.readUInt16LE(0);
  const flags = isLarge(page.length) ? first >> 13 : tag.flags;
  const compressed = (flags & COMPRESSED) !== 0;
  if (compressed && bytes.length < 4) return null;
  const begin = compressed ? 4 : 2;
  const suffixBytes = bytes.readUInt16LE(begin - 2) & KEY_MASK;
  if (begin + suffixBytes > bytes.length) return null;
  return {
    flags,
    prefixBytes: compressed ? first & KEY_MASK : 0,
    suffix: bytes.subarray(begin, begin + suffixBytes),
    data: bytes.subarray(begin + suffixBytes),
  };
}

export interface RootHeader {
  parent: number;
  /** First of the two pages that say which pages the tree owns and which of them are free; null: they need none. */
  spacePage: number | null;
}

/** Of the root page of a tree that is no space tree. Null: not known. */
export function rootHeader(page: Buffer, tags: number): RootHeader | null {
  const bytes = tagBytes(page, 0, tags)?.bytes;
  if (!bytes) return null;
  // Since revision 0x14 the header may begin with a byte that says which parts follow; the lowest bit means this one.
  const at = bytes.length === 16 ? 0 : bytes.length >= 17 && ((bytes[0] as number) & 1) !== 0 ? 1 : -1;
  if (at < 0) return null;
  const several = bytes.readUInt32LE(at + 8) & 1;
  return { parent: bytes.readUInt32LE(at + 4), spacePage: several ? bytes.readUInt32LE(at + 12) : null };
}
