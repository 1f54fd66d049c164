/** Logs of a hive, old kind (one set of dirty sectors) and new kind (a sequence of sealed entries). Source: as for the base block. */
import { marvin32 } from './marvin32.js';

export interface DirtyPage {
  /** In the hive, from the first bin on. */
  offset: number;
  bytes: Buffer;
}

export interface LogEntry {
  sequence: number;
  binsBytes: number;
  pages: DirtyPage[];
}

const ENTRY_HEAD = 40;
const MAX_BINS_BYTES = 0x7fff_0000;

/**
 * All entries of a log of the new kind that are whole and follow each other from the second sector on.
 * Remains of earlier use may come behind them: these end the list by their sequence or their hash.
 */
export function parseEntries(log: Buffer, sectorBytes: number): LogEntry[] {
  const entries: LogEntry[] = [];
  for (let at = sectorBytes; ; ) {
    const entry = parseEntry(log, at);
    const before = entries.at(-1);
    if (!entry || (before && entry.sequence !== (before.sequence + 1) >>> 0)) return entries;
    entries.push(entry);
    at += log.readUInt32LE(at + 4);
  }
}

function parseEntry(log: Buffer, at: number): LogEntry | null {
  if (at + ENTRY_HEAD > log.length || log.toString('latin1', at, at + 4) !== 'HvLE') return null;
  const lengthBytes = log.readUInt32LE(at + 4);
  if (lengthBytes < ENTRY_HEAD || lengthBytes % 512 !== 0 || at + lengthBytes > log.length) return null;
  const binsBytes = log.readUInt32LE(at + 16);
  const sealed =
    log.readBigUInt64LE(at + 24) === marvin32(log, at + ENTRY_HEAD, at + lengthBytes) && log.readBigUInt64LE(at + 32) === marvin32(log, at, at + 32);
  if (!sealed || binsBytes % 4096 !== 0 || binsBytes > MAX_BINS_BYTES) return null;
  const pages = parsePages(log, at, at + lengthBytes, binsBytes);
  return pages ? { sequence: log.readUInt32LE(at + 12), binsBytes, pages } : null;
}

function parsePages(log: Buffer, start: number, end: number, binsBytes: number): DirtyPage[] | null {
  const count = log.readUInt32LE(start + 20);
  let data = start + ENTRY_HEAD + 8 * count;
  const pages: DirtyPage[] = [];
  for (let i = 0; i < count; i++) {
    if (data > end) return null;
    const offset = log.readUInt32LE(start + ENTRY_HEAD + 8 * i);
    const size = log.readUInt32LE(start + ENTRY_HEAD + 8 * i + 4);
    if (data + size > end || offset + size > binsBytes) return null;
    pages.push({ offset, bytes: log.subarray(data, data + size) });
    data += size;
  }
  return pages;
}

const DIRTY_UNIT = 512;

/** The dirty sectors of a log of the old kind; null when it is not whole. */
export function parseDirtyVector(log: Buffer, sectorBytes: number, binsBytes: number): DirtyPage[] | null {
  if (sectorBytes + 4 > log.length || log.toString('latin1', sectorBytes, sectorBytes + 4) !== 'DIRT') return null;
  const units = Math.floor(binsBytes / DIRTY_UNIT);
  const bitmap = sectorBytes + 4;
  if (bitmap + Math.ceil(units / 8) > log.length) return null;
  let data = Math.ceil((bitmap + Math.ceil(units / 8)) / sectorBytes) * sectorBytes;
  const pages: DirtyPage[] = [];
  for (let unit = 0; unit < units; unit++) {
    if (((log[bitmap + (unit >> 3)] ?? 0) & (1 << (unit & 7))) === 0) continue;
    if (data + DIRTY_UNIT > log.length) return null;
    pages.push({ offset: unit * DIRTY_UNIT, bytes: log.subarray(data, data + DIRTY_UNIT) });
    data += DIRTY_UNIT;
  }
  return pages;
}
