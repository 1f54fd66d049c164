/**
 * Blocks: a page header of 28 bytes, a block header of 12, cells. Source: `src/include/block.h`, `btmem.h` and `cell.h` of the
 * WiredTiger project.
 */
import { crc32c } from '../../../src/bytes/crc32c.js';
import { FormatError } from '../../../src/errors.js';
import type { BlockAddress } from './cookie.js';
import { Unpacker } from './pack.js';
import { unpackSnappy } from './snappy.js';

export const MAGIC = 120_897;
const HEAD = 40;
/** Never compressed; and all that the checksum covers, where a block says so. */
const PLAIN = 64;
/** MongoDB's largest values make blocks of a few tens of MiB. */
export const MAX_BLOCK_BYTES = 128 * 1024 * 1024;
const MAX_PAGE_BYTES = 128 * 1024 * 1024;
const WHOLE_SUM = 1;
const FLAG = { compressed: 1, encrypted: 8, fastTruncate: 0x20 } as const;
const TYPES = { columnInternal: 3, rowInternal: 6, rowLeaf: 7 } as const;

/** CRC-32C with the field that stores it counted as zero. */
export function blockSum(block: Buffer, lengthBytes: number): number {
  const before = crc32c(block, 0, 32);
  return crc32c(block, 36, lengthBytes, crc32c(Buffer.alloc(4), 0, 4, before));
}

/** Why this is not the block that the address means, in a part of a sentence; null when it is. */
export function blockProblem(block: Buffer, { sizeBytes, checksum }: BlockAddress): string | null {
  if (block.length < PLAIN) return 'is too short';
  const [size, stored] = [block.readUInt32LE(28), block.readUInt32LE(32)];
  const covered = (block[36] ?? 0) & WHOLE_SUM ? block.length : PLAIN;
  if (stored !== checksum) return 'carries another checksum than what points to it: it is older, or of another place';
  if (size !== sizeBytes) return `says it has ${size} bytes, and what points to it ${sizeBytes}`;
  return blockSum(block, covered) === stored ? null : 'does not fit its own checksum';
}

/** The first block of a file: magic, version and the checksum of the whole unit. */
export function isDescription(unit: Buffer): boolean {
  if (unit.length < 16 || unit.readUInt32LE(0) !== MAGIC || unit.readUInt16LE(4) !== 1) return false;
  const sum = crc32c(unit, 12, unit.length, crc32c(Buffer.alloc(4), 0, 4, crc32c(unit, 0, 8)));
  return sum === unit.readUInt32LE(8);
}

export interface Cell {
  kind: 'key' | 'value' | 'address' | 'overflow' | 'other';
  /** Bytes of a key that it shares with the one before. */
  prefix: number;
  data: Buffer;
}

export interface PageCells {
  internal: boolean;
  cells: Cell[];
}

/** Null: not to be read without a key, or packed in a way that is not known. @throws FormatError */
export function pageCells(block: Buffer, compressor: string): PageCells | null {
  const type = block[24] ?? 0;
  const flags = block[25] ?? 0;
  const internal = type === TYPES.rowInternal || type === TYPES.columnInternal;
  if (!internal && type !== TYPES.rowLeaf) return { internal, cells: [] };
  const page = plainPage(block, flags, compressor);
  if (!page) return null;
  const memoryBytes = block.readUInt32LE(16);
  const unpacker = new Unpacker(page.subarray(0, Math.min(page.length, Math.max(HEAD, memoryBytes))), HEAD);
  const cells: Cell[] = [];
  const count = block.readUInt32LE(20);
  while (cells.length < count && unpacker.left > 0) cells.push(nextCell(unpacker, (flags & FLAG.fastTruncate) !== 0));
  if (cells.length < count) throw new FormatError({ code: 'wiredtiger.cells', message: `has ${cells.length} of ${count} cells` });
  return { internal, cells };
}

function plainPage(block: Buffer, flags: number, compressor: string): Buffer | null {
  if (flags & FLAG.encrypted) return null;
  if (!(flags & FLAG.compressed)) return block;
  if (compressor !== 'snappy' || block.length < PLAIN + 8) return null;
  // The length of what follows comes first.
  const packed = Number(block.readBigUInt64LE(PLAIN));
  const data = block.subarray(PLAIN + 8, PLAIN + 8 + Math.min(packed, block.length));
  return Buffer.concat([block.subarray(0, PLAIN), unpackSnappy(data, MAX_PAGE_BYTES)]);
}

const LONG = { del: 0, keyPrefix: 7, copy: 9 } as const;

function nextCell(unpacker: Unpacker, fastTruncate: boolean): Cell {
  const descriptor = unpacker.byte();
  if ((descriptor & 3) === 0) return longCell(unpacker, descriptor, fastTruncate);
  const prefix = (descriptor & 3) === 2 ? unpacker.byte() : 0;
  return { kind: (descriptor & 3) === 3 ? 'value' : 'key', prefix, data: unpacker.take(descriptor >> 2) };
}

const KINDS: Cell['kind'][] = ['address', 'address', 'address', 'address', 'other', 'key', 'overflow', 'key', 'value', 'other', 'overflow'];

function longCell(unpacker: Unpacker, descriptor: number, fastTruncate: boolean): Cell {
  const type = descriptor >> 4;
  const kind = KINDS[type];
  if (!kind) throw new FormatError({ code: 'wiredtiger.cells', message: `has a cell of the unknown type ${type}` });
  const prefix = type === LONG.keyPrefix ? unpacker.byte() : 0;
  if (descriptor & 8 && kind !== 'key') skipWindow(unpacker);
  if (type === LONG.del && fastTruncate) for (let i = 0; i < 3; i++) unpacker.uint();
  if (descriptor & 4) unpacker.uint();
  // A copy names the place of another cell on the page.
  if (type === LONG.copy) unpacker.uint();
  if (kind === 'other') return { kind, prefix, data: unpacker.take(0) };
  const adjusted = kind === 'key' || (kind === 'value' && (descriptor & 12) === 0);
  return { kind, prefix, data: unpacker.take(unpacker.uint() + (adjusted ? 64 : 0)) };
}

/** Each bit of the second descriptor but the lowest stands for a packed number. */
function skipWindow(unpacker: Unpacker): void {
  const bits = unpacker.byte();
  for (let bit = 2; bit <= 0x40; bit <<= 1) if (bits & bit) unpacker.uint();
}
