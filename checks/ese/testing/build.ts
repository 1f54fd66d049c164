/** Builds ESE databases, log files and checkpoints from the format, for tests: no engine that runs here writes them. */
import { eccSum, xorSum } from '../format/checksum.js';
import { MAGIC } from '../format/header.js';
import { SEGMENT_BYTES } from '../format/log-header.js';
import { headerBytes, isLarge, PAGE } from '../format/page.js';

const NEW_RECORDS = 0x800;
export const SIGNATURE = Buffer.from('0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c', 'hex');
export const LOG_SIGNATURE = Buffer.from('a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbc', 'hex');

export interface DatabaseOptions {
  pageBytes?: number;
  /** Pages of the database; the file has two more. */
  pages?: number;
  oldSum?: boolean;
  state?: number;
  dbtime?: bigint;
  minRequired?: number;
  maxRequired?: number;
  maxCommitted?: number;
  maxCreated?: Buffer;
  consistentGeneration?: number;
  fileType?: number;
}

/** Table of the test: its root is page 30, its leaves are the pages after it. */
export const TABLE_ROOT = 30;
export const LEAVES = 6;
export const TABLE_TREE = 4;

/** A database of a catalogue and a table of two levels, shut down cleanly unless `state` says otherwise. */
export function database(options: DatabaseOptions = {}): Buffer {
  const pageBytes = options.pageBytes ?? 4096;
  const pages = options.pages ?? 48;
  const file = Buffer.alloc((pages + 2) * pageBytes);
  const put = (number: number, page: PageParts) => {
    buildPage(pageBytes, page, options.oldSum ?? false).copy(file, (number + 1) * pageBytes);
    seal(file, number, pageBytes);
  };
  const lastUsed = TABLE_ROOT + LEAVES;
  put(1, { tree: 1, flags: PAGE.root | PAGE.leaf, head: rootHead(pages, 0, 2), nodes: [] });
  put(2, { tree: 1, flags: PAGE.root | PAGE.leaf | PAGE.space, head: Buffer.alloc(16), nodes: [extent(1, pages)] });
  put(3, { tree: 1, flags: PAGE.root | PAGE.leaf | PAGE.space, head: Buffer.alloc(16), nodes: [extent(lastUsed + 1, pages - lastUsed)] });
  const rows = [tableRow('MSysObjects', 2, 4), tableRow('MSysObjectsShadow', 3, 24), tableRow('t', TABLE_TREE, TABLE_ROOT)];
  put(4, { tree: 2, flags: PAGE.root | PAGE.leaf, head: rootHead(20, 1, null), nodes: rows });
  put(24, { tree: 3, flags: PAGE.root | PAGE.leaf, head: rootHead(6, 1, null), nodes: rows });
  const leaves = Array.from({ length: LEAVES }, (_, i) => TABLE_ROOT + 1 + i);
  const branches = leaves.map((leaf, i) => node(i === LEAVES - 1 ? Buffer.alloc(0) : key(i + 1), uint32(leaf)));
  put(TABLE_ROOT, { tree: TABLE_TREE, flags: PAGE.root | PAGE.parentOfLeaf, head: rootHead(1 + LEAVES, 1, null), nodes: branches });
  for (const [i, leaf] of leaves.entries()) {
    const nodes = Array.from({ length: 3 }, (_, n) => node(key(i, n), Buffer.alloc(200, 1 + i + n)));
    put(leaf, { tree: TABLE_TREE, flags: PAGE.leaf, previous: leaves[i - 1] ?? 0, next: leaves[i + 1] ?? 0, head: Buffer.alloc(0), nodes });
  }
  sealHeader(header(options, pageBytes), pageBytes).copy(file, 0);
  file.copy(file, pageBytes, 0, pageBytes);
  return file;
}

function header(options: DatabaseOptions, pageBytes: number): Buffer {
  const page = Buffer.alloc(pageBytes);
  const state = options.state ?? 3;
  for (const [at, value] of [
    [4, MAGIC],
    [8, 0x620],
    [52, state],
    [104, 1],
    [212, TABLE_TREE],
    [232, 0x14],
    [236, pageBytes],
    [296, options.minRequired ?? 0],
    [300, options.maxRequired ?? 0],
    [416, options.maxCommitted ?? 0],
    [60, state === 3 ? (options.consistentGeneration ?? 5) : 0],
    [667, options.fileType ?? 1],
  ] as const) {
    page.writeUInt32LE(value, at);
  }
  page.writeBigUInt64LE(options.dbtime ?? 500n, 16);
  SIGNATURE.copy(page, 24);
  LOG_SIGNATURE.copy(page, 108);
  options.maxCreated?.copy(page, 348);
  return page;
}

export function sealHeader(page: Buffer, length: number): Buffer {
  page.writeUInt32LE(xorSum(new DataView(page.buffer, page.byteOffset, length), 0, length), 0);
  return page;
}

interface PageParts {
  tree: number;
  flags: number;
  previous?: number;
  next?: number;
  head: Buffer;
  nodes: Buffer[];
}

function buildPage(pageBytes: number, { tree, flags, previous = 0, next = 0, head, nodes }: PageParts, oldSum: boolean): Buffer {
  const page = Buffer.alloc(pageBytes);
  page.writeBigUInt64LE(400n, 8);
  page.writeUInt32LE(previous, 16);
  page.writeUInt32LE(next, 20);
  page.writeUInt32LE(tree, 24);
  page.writeUInt32LE(flags | NEW_RECORDS | (oldSum && !isLarge(pageBytes) ? 0 : PAGE.newSum), 36);
  const begin = headerBytes(pageBytes);
  let at = 0;
  for (const [i, bytes] of [head, ...nodes].entries()) {
    bytes.copy(page, begin + at);
    page.writeUInt16LE(bytes.length, pageBytes - 4 * (i + 1));
    page.writeUInt16LE(at, pageBytes - 4 * (i + 1) + 2);
    at += bytes.length;
  }
  const free = pageBytes - begin - at - 4 * (1 + nodes.length);
  page.writeUInt16LE(free, 28);
  page.writeUInt16LE(at, 32);
  page.writeUInt16LE(1 + nodes.length, 34);
  return page;
}

/** Sets the checksum of page `number` of a file, in place, as the page is now. */
export function seal(file: Buffer, number: number, pageBytes: number, seed = number): void {
  const bytes = new Uint8Array(file.subarray((number + 1) * pageBytes, (number + 2) * pageBytes));
  const page = Buffer.from(bytes.buffer);
  if (page.readUInt32LE(36) & PAGE.newSum) sealNew(page, seed);
  else {
    page.writeUInt32LE(seed, 4);
    sealHeader(page, pageBytes);
  }
  page.copy(file, (number + 1) * pageBytes);
}

function sealNew(page: Buffer, seed: number): void {
  const words = new Int32Array(page.buffer);
  const blocks = isLarge(page.length) ? 4 : 1;
  const count = page.length / 4 / blocks;
  if (blocks > 1) page.writeUInt32LE(seed, 64);
  for (let block = blocks - 1; block >= 0; block--) {
    const { xor, ecc } = eccSum(words, block * count, count, seed, block === 0);
    const at = block === 0 ? 0 : 32 + 8 * block;
    page.writeUInt32LE(xor, at);
    page.writeUInt32LE(ecc, at + 4);
  }
}

function rootHead(pages: number, parent: number, space: number | null): Buffer {
  return Buffer.concat([uint32(pages), uint32(parent), uint32(space === null ? 0 : 1), uint32(space ?? 0)]);
}

function node(keyBytes: Buffer, data: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(keyBytes.length, 0);
  return Buffer.concat([length, keyBytes, data]);
}

function extent(first: number, count: number): Buffer {
  const last = Buffer.alloc(4);
  last.writeUInt32BE(first + count - 1, 0);
  return node(last, uint32(count));
}

function key(...parts: number[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      const bytes = Buffer.alloc(5, 0x7f);
      bytes.writeUInt32BE((0x80000000 + part) >>> 0, 1);
      return bytes;
    }),
  );
}

/** A row of MSysObjects: fixed columns 1 to 8, a byte of null flags, and the name. */
function tableRow(name: string, tree: number, page: number): Buffer {
  const fixed = Buffer.alloc(27);
  fixed.writeUInt32LE(tree, 0);
  fixed.writeUInt16LE(1, 4);
  fixed.writeUInt32LE(tree, 6);
  fixed.writeUInt32LE(page, 10);
  fixed.writeUInt32LE(80, 14);
  const head = Buffer.from([8, 128, 4 + 27 + 1, 0]);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(name.length, 0);
  return node(Buffer.concat([key(tree), Buffer.from([0x7f, 0x80, 0x01]), key(tree)]), Buffer.concat([head, fixed, Buffer.alloc(1), length, Buffer.from(name)]));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

export interface LogOptions {
  generation: number;
  /** Segments that hold something; the file has room for 14. */
  filled?: number;
  major?: number;
  signature?: Buffer;
  created?: Buffer;
  previousCreated?: Buffer;
  /** Generation whose segments fill the rest: the file was used before. 0: zeroes. */
  before?: number;
}

const LOG_SECTORS = 16;

/** When a log file of a generation was made. */
export function created(generation: number): Buffer {
  return Buffer.from([1, 2, 3, 4, 5, 120, generation & 0xff, 0]);
}

export function logFile(options: LogOptions): Buffer {
  const { generation, filled = 5, before = 0 } = options;
  const file = Buffer.alloc(LOG_SECTORS * SEGMENT_BYTES);
  file.writeInt32LE(generation, 4);
  file.writeUInt16LE(SEGMENT_BYTES, 8);
  file.writeUInt16LE(1, 10);
  file.writeUInt16LE(LOG_SECTORS, 12);
  (options.created ?? created(generation)).copy(file, 16);
  (options.previousCreated ?? created(generation - 1)).copy(file, 24);
  file.writeUInt32LE(options.major ?? 8, 32);
  file.writeUInt32LE(4000, 36);
  (options.signature ?? LOG_SIGNATURE).copy(file, 44);
  file.writeUInt32LE(3, 667);
  sealHeader(file, SEGMENT_BYTES);
  for (let sector = 1; sector < LOG_SECTORS - 1; sector++) {
    if (sector <= filled) segment(file, sector, generation);
    else if (before > 0) segment(file, sector, before);
  }
  return file;
}

/** Writes segment `number` of a generation at place `at`. */
export function segment(file: Buffer, number: number, generation: number, at = number): void {
  const bytes = Buffer.from(new Uint8Array(SEGMENT_BYTES).buffer);
  bytes.fill(0x40 + (number & 15), 40);
  bytes.writeUInt16LE(number, 10);
  bytes.writeInt32LE(generation, 12);
  const { xor, ecc } = eccSum(new Int32Array(bytes.buffer), 0, SEGMENT_BYTES / 4, number, true);
  bytes.writeUInt32LE(xor, 0);
  bytes.writeUInt32LE(ecc, 4);
  bytes.copy(file, at * SEGMENT_BYTES);
}

/** Both copies. */
export function checkpoint(generation: number): Buffer {
  const page = Buffer.alloc(4096);
  page.writeInt32LE(generation, 16);
  LOG_SIGNATURE.copy(page, 20);
  page.writeUInt32LE(4, 667);
  sealHeader(page, 4096);
  return Buffer.concat([page, page]);
}
