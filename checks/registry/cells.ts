/** The bins of a hive and the cells that fill them: every byte belongs to one cell, and which cells are allocated. */
import type { Problems } from '../../src/bytes/problems.js';

const BIN_HEAD = 32;
const UNIT = 8;

/** One bit per 8 bytes. */
export class UnitSet {
  private readonly bits: Uint8Array;

  constructor(bytes: number) {
    this.bits = new Uint8Array(Math.ceil(bytes / UNIT / 8));
  }

  has(offset: number): boolean {
    const unit = offset / UNIT;
    return ((this.bits[unit >> 3] ?? 0) & (1 << (unit & 7))) !== 0;
  }

  add(offset: number): void {
    const unit = offset / UNIT;
    this.bits[unit >> 3] = (this.bits[unit >> 3] ?? 0) | (1 << (unit & 7));
  }
}

export interface CellMap {
  allocated: UnitSet;
  bins: number;
  cells: number;
  allocatedBytes: number;
}

export function mapCells(bins: Buffer, problems: Problems, file: string): CellMap {
  const map: CellMap = { allocated: new UnitSet(bins.length), bins: 0, cells: 0, allocatedBytes: 0 };
  for (let at = 0; at < bins.length; ) {
    const size = binSize(bins, at);
    if (size === 0) {
      problems.damaged('registry.bin', `The bin at ${at} is damaged.`, { file, offset: at });
      at = nextBin(bins, at + 4096);
      continue;
    }
    map.bins++;
    mapBin(bins, at, at + size, map, problems, file);
    at += size;
  }
  return map;
}

/** 0 when there is no bin at this place. */
function binSize(bins: Buffer, at: number): number {
  if (at + BIN_HEAD > bins.length || bins.toString('latin1', at, at + 4) !== 'hbin' || bins.readUInt32LE(at + 4) !== at) return 0;
  const size = bins.readUInt32LE(at + 8);
  return size >= 4096 && size % 4096 === 0 && at + size <= bins.length ? size : 0;
}

function nextBin(bins: Buffer, from: number): number {
  let at = from;
  while (at < bins.length && binSize(bins, at) === 0) at += 4096;
  return at;
}

function mapBin(bins: Buffer, start: number, end: number, map: CellMap, problems: Problems, file: string): void {
  for (let at = start + BIN_HEAD; at < end; ) {
    const size = bins.readInt32LE(at);
    const length = Math.abs(size);
    if (length < UNIT || length % UNIT !== 0 || at + length > end) {
      problems.damaged('registry.cell', `The cell at ${at} has an impossible length (${size}).`, { file, offset: at });
      return;
    }
    map.cells++;
    if (size < 0) {
      map.allocated.add(at);
      map.allocatedBytes += length;
    }
    at += length;
  }
}
