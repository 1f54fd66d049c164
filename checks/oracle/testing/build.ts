/** Builds Oracle data files, redo logs and control files from the format, for tests: no Oracle runs here. */
import { wordSum } from '../format/block.js';

export const DBID = 0x12345678;
const COMPATIBLE = 0x13000000;
const NO_SCN_HEX = 'ffffffffffff';

function prefix(blockBytes: number, format: number, blocks: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  block[1] = format;
  block.writeUInt32LE(0xffc00000, 4);
  block.writeUInt32LE(blockBytes, 20);
  block.writeUInt32LE(blocks, 24);
  block.writeUInt32LE(0x7a7b7c7d, 28);
  return block;
}

export function writeScn(block: Buffer, at: number, scn: number | null): void {
  if (scn === null) block.write(NO_SCN_HEX, at, 'hex');
  else {
    block.writeUInt32LE(scn % 2 ** 32, at);
    block.writeUInt16LE(Math.floor(scn / 2 ** 32), at + 4);
  }
}

/** Sets tail and checksum of a block of a data file, in place. */
export function seal(block: Buffer): void {
  const tail = ((block.readUInt16LE(8) << 16) | ((block[0] ?? 0) << 8) | (block[14] ?? 0)) >>> 0;
  block.writeUInt32LE(tail, block.length - 4);
  if ((block[15] ?? 0) & 4) sum(block, 16);
}

function sum(block: Buffer, at: number): void {
  block.writeUInt16LE(0, at);
  block.writeUInt16LE(wordSum(block), at);
}

export interface DataOptions {
  file?: number;
  blockBytes?: number;
  blocks?: number;
  /** Written ones; the rest is zeroes. */
  formatted?: number;
  fuzzy?: boolean;
  hotBackup?: boolean;
  checkpoint?: number;
  sequence?: number;
  blockScn?: number;
  type?: number;
  bigfile?: boolean;
  unprotected?: boolean;
  compatible?: number;
  resetlogs?: number;
}

export function dataFile(options: DataOptions = {}): Buffer {
  const { file = 1, blockBytes = 8192, blocks = 20, formatted = 12 } = options;
  const relative = options.bigfile ? 1024 : file;
  const addressOf = (block: number) => (options.bigfile ? block : ((relative << 22) | block) >>> 0);
  const parts = [prefix(blockBytes, 0xa2, blocks), header(options, blockBytes, blocks, relative, addressOf(1))];
  for (let number = 2; number <= blocks; number++) {
    const block = Buffer.alloc(blockBytes);
    if (number <= formatted) {
      block.set([6, 0xa2], 0);
      block.writeUInt32LE(addressOf(number), 4);
      writeScn(block, 8, options.blockScn ?? 5000);
      block[14] = 1;
      block[15] = options.unprotected ? 0 : 4;
      block.fill(number, 100, blockBytes - 200);
      block.write(`row ${number}`, 60, 'latin1');
      seal(block);
    } else if (number === formatted + 1) {
      // Formatted, never used: it knows its number alone.
      block.set([0, 0xa2], 0);
      block.writeUInt32LE(number, 4);
      block.set([1, 5], 14);
      seal(block);
    }
    parts.push(block);
  }
  return Buffer.concat(parts);
}

function header(options: DataOptions, blockBytes: number, blocks: number, relative: number, address: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.set([0x0b, 0xa2], 0);
  block.set([1, 4], 14);
  for (const [at, value] of [
    [4, address],
    [24, options.compatible ?? COMPATIBLE],
    [28, DBID],
    [44, blocks],
    [52, (options.file ?? 1) | ((options.type ?? 3) << 16)],
    [368, relative],
    [500, options.sequence ?? 7],
  ] as const) {
    block.writeUInt32LE(value, at);
  }
  block.write('ORCL', 32, 'latin1');
  writeScn(block, 116, options.resetlogs ?? 900);
  block.writeUInt16LE((options.fuzzy ? 4 : 0) | (options.hotBackup ? 1 : 0), 138);
  writeScn(block, 484, options.checkpoint ?? 6000);
  seal(block);
  return block;
}

export interface RedoOptions {
  sequence: number;
  /** Blocks that hold something, of 300. */
  filled?: number;
  first?: number;
  /** Null: still being written. */
  next?: number | null;
  thread?: number;
  /** What the rest holds: blocks of this earlier sequence. 0: zeroes. */
  before?: number;
}

export const REDO_BLOCKS = 300;

export function redoLog(options: RedoOptions): Buffer {
  const { sequence, filled = 100, before = 0 } = options;
  const header = redoBlock(1, sequence);
  header.writeUInt32LE(COMPATIBLE, 20);
  header.writeUInt32LE(DBID, 24);
  header.write('ORCL', 28, 'latin1');
  header.fill(0, 36, 256);
  header.writeUInt32LE(0xffffffff, 156);
  header.writeUInt16LE(options.thread ?? 1, 176);
  writeScn(header, 180, options.first ?? 5500);
  writeScn(header, 192, options.next ?? null);
  sum(header, 14);
  const parts = [prefix(512, 0x22, REDO_BLOCKS), header];
  for (let number = 2; number < REDO_BLOCKS; number++) {
    const old = before > 0 ? redoBlock(number, before) : Buffer.alloc(512);
    parts.push(number < 2 + filled ? redoBlock(number, sequence) : old);
  }
  return Buffer.concat(parts);
}

function redoBlock(number: number, sequence: number): Buffer {
  const block = Buffer.alloc(512, (number % 250) + 1, undefined);
  block.fill(0, 0, 32);
  block.set([1, 0x22], 0);
  block.writeUInt32LE(number, 4);
  block.writeUInt32LE(sequence, 8);
  block.write(`change ${number}`, 40, 'latin1');
  sum(block, 14);
  return block;
}

export function controlFile(): Buffer {
  const block = Buffer.alloc(16384);
  block.set([0x15, 0xc2], 0);
  block.writeUInt32LE(DBID, 28);
  block.write('ORCL', 32, 'latin1');
  return Buffer.concat([prefix(16384, 0xc2, 4), block, Buffer.alloc(3 * 16384)]);
}
