/** Reads a rollback journal once: what it would put back, and whether all of it is there. */
import type { ByteSource } from '../../src/types.js';
import {
  COUNT_UNKNOWN,
  JOURNAL_HEADER_BYTES,
  type JournalHeader,
  journalChecksum,
  journalRecordBytes,
  parseJournalHeader,
  parseSuperJournalName,
  SUPER_JOURNAL_TAIL_BYTES,
} from './format/journal.js';

const BLOCK_BYTES = 4 * 1024 * 1024;
/** How far behind a wrong record right ones are counted: a file may claim more bytes than any disk has. */
const MAX_BEHIND_HOLE_BYTES = 256 * 1024 ** 2;
/** A segment begins at each flush of a transaction's pages; a journal with more of them was made to keep readers busy. */
const MAX_SEGMENTS = 100_000;

export interface JournalFacts {
  sizeBytes: number;
  /** It has a valid header, so SQLite rolls it back when it opens the database. */
  hot: boolean;
  pageSize: number;
  initialPages: number;
  segments: number;
  /** Pages that the headers promise, and those whose checksum is right. */
  promisedRecords: number;
  records: number;
  /** Right records that lie behind a wrong one: SQLite stops at the wrong one and never puts them back. */
  recordsBehindHole: number;
  superJournal: string | null;
  /** Bytes that a rollback writes. */
  replayBytes: number;
}

export interface JournalScan {
  facts: JournalFacts;
  /** Offset in the journal of the page as it was before the transaction. */
  pages: Map<number, number>;
}

/** Scans a journal. Throws only what the source throws. */
export async function scanJournal(source: ByteSource, signal: AbortSignal): Promise<JournalScan> {
  const scan: JournalScan = { facts: emptyFacts(source.sizeBytes), pages: new Map() };
  const first = parseJournalHeader(await source.read(0, Math.min(JOURNAL_HEADER_BYTES, source.sizeBytes)));
  if (!first) return scan;
  const tailBytes = Math.min(SUPER_JOURNAL_TAIL_BYTES, source.sizeBytes);
  const superJournal = parseSuperJournalName(await source.read(source.sizeBytes - tailBytes, tailBytes));
  Object.assign(scan.facts, { hot: true, pageSize: first.pageSize, initialPages: first.initialPages, superJournal });
  let header: JournalHeader | null = first;
  let at = 0;
  let whole = true;
  while (header && scan.facts.segments < MAX_SEGMENTS) {
    signal.throwIfAborted();
    const segment = await scanSegment(source, at, header, scan, whole, signal);
    whole = segment.whole;
    at = Math.ceil(segment.end / header.sectorBytes) * header.sectorBytes;
    header = at + JOURNAL_HEADER_BYTES <= source.sizeBytes ? parseJournalHeader(await source.read(at, JOURNAL_HEADER_BYTES)) : null;
    if (header && header.pageSize !== first.pageSize) header = null;
  }
  scan.facts.replayBytes = scan.pages.size * first.pageSize;
  return scan;
}

interface SegmentEnd {
  /** Offset behind the segment; always beyond its header, so that the scan ends. */
  end: number;
  whole: boolean;
}

async function scanSegment(
  source: ByteSource,
  start: number,
  header: JournalHeader,
  scan: JournalScan,
  whole: boolean,
  signal: AbortSignal,
): Promise<SegmentEnd> {
  const recordBytes = journalRecordBytes(header.pageSize);
  const begin = start + header.sectorBytes;
  const room = Math.max(0, Math.floor((source.sizeBytes - begin) / recordBytes));
  const promised = header.records === COUNT_UNKNOWN ? room : header.records;
  const count = Math.min(promised, room);
  const perBlock = Math.max(1, Math.floor(BLOCK_BYTES / recordBytes));
  let unbroken = whole;
  let behindHoleBytes = 0;
  for (let record = 0; record < count && behindHoleBytes < MAX_BEHIND_HOLE_BYTES; record += perBlock) {
    signal.throwIfAborted();
    const blockRecords = Math.min(perBlock, count - record);
    const block = await source.read(begin + record * recordBytes, blockRecords * recordBytes);
    if (!unbroken) behindHoleBytes += block.length;
    for (let i = 0; i < blockRecords; i++) {
      const offset = begin + (record + i) * recordBytes;
      unbroken = addRecord(block.subarray(i * recordBytes, (i + 1) * recordBytes), offset, header, scan, unbroken);
    }
  }
  scan.facts.segments++;
  scan.facts.promisedRecords += header.records === COUNT_UNKNOWN ? 0 : header.records;
  return { end: begin + count * recordBytes, whole: unbroken && count === promised };
}

/** Whether SQLite would have come as far as this record and go on. */
function addRecord(record: Buffer, offset: number, header: JournalHeader, scan: JournalScan, whole: boolean): boolean {
  const page = record.readUInt32BE(0);
  const data = record.subarray(4, 4 + header.pageSize);
  if (page === 0 || journalChecksum(data, header.nonce) !== record.readUInt32BE(4 + header.pageSize)) return false;
  if (!whole) {
    scan.facts.recordsBehindHole++;
    return false;
  }
  scan.facts.records++;
  if (page <= header.initialPages) scan.pages.set(page, offset + 4);
  return true;
}

function emptyFacts(sizeBytes: number): JournalFacts {
  return {
    sizeBytes,
    hot: false,
    pageSize: 0,
    initialPages: 0,
    segments: 0,
    promisedRecords: 0,
    records: 0,
    recordsBehindHole: 0,
    superJournal: null,
    replayBytes: 0,
  };
}
