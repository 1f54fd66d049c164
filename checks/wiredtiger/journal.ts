/**
 * The log: files `WiredTigerLog.N` of records on boundaries of 128 bytes, each with its length and a CRC-32C. Source: `src/include/log.h`
 * of the WiredTiger project.
 */
import { crc32c } from '../../src/bytes/crc32c.js';
import type { ByteSource } from '../../src/types.js';

const ALIGN = 128;
const HEAD = 16;
const WINDOW_BYTES = 1024 * 1024;
const MAX_RECORD_BYTES = 128 * 1024 * 1024;
const MAX_SEARCHED_BYTES = 64 * 1024;
const MAX_COUNTED = 1000;

export interface JournalFacts {
  files: number;
  /** The record at which recovery begins: there, not there, or not named. */
  start: 'found' | 'missing' | 'none';
  records: number;
  bytes: number;
  /** Whole records behind the end. */
  beyond: { records: number; spanBytes: number } | null;
}

export interface JournalFile {
  number: number;
  source: ByteSource;
}

/** Length of the whole record at `offset`, with padding; 0 when there is none. */
async function recordAt(source: ByteSource, offset: number): Promise<number> {
  if (offset + HEAD > source.sizeBytes) return 0;
  const length = (await source.read(offset, 4)).readUInt32LE(0);
  if (length < HEAD || length > MAX_RECORD_BYTES || offset + length > source.sizeBytes) return 0;
  const bytes = await source.read(offset, length);
  const sum = crc32c(bytes, 8, length, crc32c(Buffer.alloc(4), 0, 4, crc32c(bytes, 0, 4)));
  return sum === bytes.readUInt32LE(4) ? Math.ceil(length / ALIGN) * ALIGN : 0;
}

export async function walkJournal(files: JournalFile[], from: { file: number; offset: number } | null, signal: AbortSignal): Promise<JournalFacts> {
  const facts: JournalFacts = { files: files.length, start: from ? 'missing' : 'none', records: 0, bytes: 0, beyond: null };
  const byNumber = new Map(files.map((file) => [file.number, file.source]));
  if (!from) return facts;
  let offset = from.offset;
  for (let number = from.file; ; number++, offset = 0) {
    const source = byNumber.get(number);
    if (!source) return facts;
    facts.start = 'found';
    const stop = await walkRecords(source, offset, facts, signal);
    const next = byNumber.has(number + 1);
    facts.beyond = await lookBeyond(source, stop, signal);
    if (facts.beyond || !next) return facts;
  }
}

async function walkRecords(source: ByteSource, from: number, facts: JournalFacts, signal: AbortSignal): Promise<number> {
  let offset = from;
  for (let length = await recordAt(source, offset); length > 0; length = await recordAt(source, offset)) {
    signal.throwIfAborted();
    offset += length;
    facts.records++;
    facts.bytes += length;
  }
  return offset;
}

/** Files are made in advance, full of zeroes: only what is not zero is looked at. */
async function lookBeyond(source: ByteSource, from: number, signal: AbortSignal): Promise<JournalFacts['beyond']> {
  let records = 0;
  let spanBytes = 0;
  for (let base = from; base < source.sizeBytes && records < MAX_COUNTED; base += WINDOW_BYTES) {
    signal.throwIfAborted();
    const window = await source.read(base, Math.min(WINDOW_BYTES, source.sizeBytes - base));
    for (let at = 0; at + HEAD <= window.length && records < MAX_COUNTED; at += ALIGN) {
      const length = window.readUInt32LE(at);
      // Only short ones, so that hostile lengths cost little.
      if (length < HEAD || length > MAX_SEARCHED_BYTES || (await recordAt(source, base + at)) === 0) continue;
      records++;
      spanBytes = base + at + length - from;
    }
  }
  return records > 0 ? { records, spanBytes } : null;
}
