/** Reads the log from where recovery starts to its true end, looks for what lies beyond, and reads back before it for rule R2. */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { BlockTable, RelationNumbers } from '../../../src/bytes/block-table.js';
import { FormatError } from '../../../src/errors.js';
import { parseRecordBody } from '../format/wal-record.js';
import type { LogChanges } from './changes.js';
import type { WalInventory } from './inventory.js';
import { type StopReason, type WalGeometry, WalReader, type WalRecord } from './reader.js';
import { LogVisitor } from './visitor.js';
import { findZeroedTail, type ZeroedTail } from './zeroed-tail.js';

export interface WalWalkRequest {
  inventory: WalInventory;
  geometry: WalGeometry;
  redo: number;
  /** How far back before redo R2 reads, at most. */
  historyBytes: number;
  /** Heap pages carry the LSN of a visibility change only then. */
  hintsLogged: boolean;
  table: BlockTable;
  relations: RelationNumbers;
  changes: LogChanges;
  signal: AbortSignal;
  progress(doneBytes: number): void;
}

/** Plain data. LSNs are bytes. */
export interface LogFacts {
  redo: number;
  /** End of the last valid record: recovery comes this far. */
  end: number;
  records: number;
  timeline: number;
  stop: StopReason;
  /** Valid records beyond the end: the log has a hole. */
  beyond: { first: number; last: number; records: number } | null;
  /** Zeroes at the end that the server did not write; null: none. Absent in evidence of older versions. */
  zeroed?: ZeroedTail | null;
  /** Bytes of log segments after the end in which nothing was looked for: there were too many. */
  beyondUnsearched: number;
  /** Where the log before redo could be read from without a gap; equal to redo when there is none. */
  historyFrom: number;
  historyRecords: number;
  /** Start of the last checkpoint record between redo and end. */
  lastCheckpoint: number | null;
  sawBackupEnd: boolean;
  blocks: number;
  overflowed: boolean;
  contradictions: number;
}

/** Small enough to stay in the processor's cache until it was looked at. */
const CHUNK_BYTES = 256 * 1024;
/** A server keeps a few segments ahead: more than this behind the end is looked into at its beginning and at its end only. */
const SEARCH = { firstBytes: 1024 ** 3, lastBytes: 512 * 1024 ** 2, afterFoundBytes: 256 * 1024 ** 2 };

/** Bounded memory: one chunk, one record and the block table. */
export async function walkLog(request: WalWalkRequest): Promise<LogFacts> {
  const walker = new Walker(request);
  try {
    const visitor = new LogVisitor(request.table, request.relations, request.changes, request.redo, request.hintsLogged);
    const reader = new WalReader(request.geometry, request.redo, false, visiting(visitor));
    await walker.run(reader, request.redo, Number.POSITIVE_INFINITY);
    const zeroed = await walker.lookForZeroes();
    const beyond = await walker.lookBeyond(reader);
    const redoRecords = reader.records;
    const history = await walker.readHistory(visitor, reader.version);
    visitor.applyTruncations();
    return {
      redo: request.redo,
      end: reader.end,
      records: redoRecords,
      timeline: reader.timeline,
      stop: reader.stopped ?? 'end of files',
      beyond: beyond.records > 0 ? { first: beyond.first, last: beyond.last, records: beyond.records } : null,
      zeroed: beyond.records > 0 ? null : zeroed,
      beyondUnsearched: beyond.unsearchedBytes,
      historyFrom: history.from,
      historyRecords: history.records,
      lastCheckpoint: visitor.lastCheckpoint,
      sawBackupEnd: visitor.sawBackupEnd,
      blocks: request.table.size,
      overflowed: request.table.overflowed || request.relations.overflowed || visitor.overflowed,
      contradictions: visitor.contradictions,
    };
  } finally {
    await walker.close();
  }
}

/** Records whose CRC is right but whose parts contradict each other are counted: no real server writes them. */
function visiting(visitor: LogVisitor): (record: WalRecord) => boolean {
  return (record) => {
    try {
      visitor.visit(record, parseRecordBody(record.bytes, record.offset, record.totalBytes, record.version));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      visitor.contradictions++;
    }
    return true;
  };
}

interface Beyond {
  first: number;
  last: number;
  records: number;
  unsearchedBytes: number;
}

class Walker {
  private readonly blocks = new BlockReader();
  private readonly chunk = Buffer.alloc(CHUNK_BYTES);
  private doneBytes = 0;
  /** LSN of the page that the reader took last, or should have taken first. */
  private lastPage = 0;

  constructor(private readonly request: WalWalkRequest) {}

  close(): Promise<void> {
    return this.blocks.close();
  }

  /** Feeds the pages from the one that holds `from` until the reader stops, the files end, or `to` is reached. */
  async run(reader: WalReader, from: number, to: number): Promise<void> {
    const { pageBytes } = this.request.geometry;
    this.lastPage = from - (from % pageBytes);
    await this.eachChunk(this.lastPage, to, (bytes, count, address) => {
      for (let at = 0; at + pageBytes <= count; at += pageBytes) {
        if (address + at >= to) return false;
        this.lastPage = address + at;
        if (!reader.feed(bytes, at, address + at)) return false;
      }
      return true;
    });
  }

  /** Chunks of consecutive segments, as long as there are any; `take` false ends it. */
  private async eachChunk(from: number, to: number, take: (bytes: Buffer, count: number, address: number) => boolean): Promise<void> {
    const { segmentBytes, pageBytes } = this.request.geometry;
    for (let address = from; address < to; ) {
      this.request.signal.throwIfAborted();
      const start = address - (address % segmentBytes);
      const map = this.request.inventory.segments.get(start)?.map;
      const inSegment = Math.min(map?.sizeBytes ?? 0, segmentBytes) - (address - start);
      const count = Math.min(CHUNK_BYTES, inSegment - (inSegment % pageBytes));
      if (!map || count <= 0) return;
      await this.blocks.read(map, address - start, this.chunk, count);
      this.doneBytes += count;
      this.request.progress(this.doneBytes);
      if (!take(this.chunk, count, address)) return;
      address += count;
    }
  }

  lookForZeroes(): Promise<ZeroedTail | null> {
    return findZeroedTail(this.blocks, this.request, this.lastPage);
  }

  /**
   * Looks for valid records after the end, in pages that say of themselves that they belong there.
   * The server never writes such before the log in between, so they prove a hole.
   */
  async lookBeyond(ended: WalReader): Promise<Beyond> {
    const { segmentBytes } = this.request.geometry;
    const found: Beyond = { first: 0, last: 0, records: 0, unsearchedBytes: 0 };
    const starts = [...this.request.inventory.segments.values()]
      .filter((segment) => segment.live && segment.start + segmentBytes > ended.position)
      .map(({ start }) => start)
      .sort((a, b) => a - b);
    const lastSegments = Math.ceil(SEARCH.lastBytes / segmentBytes);
    const budget = { bytes: SEARCH.firstBytes };
    let next = 0;
    for (; next < starts.length && budget.bytes > 0; next++) {
      const before = found.records;
      await this.searchSegment(starts[next] as number, ended, found, budget);
      if (before === 0 && found.records > 0) budget.bytes = Math.min(budget.bytes, SEARCH.afterFoundBytes);
    }
    const last = Math.max(next, starts.length - lastSegments);
    for (const start of starts.slice(last)) await this.searchSegment(start, ended, found, budget);
    found.unsearchedBytes = (last - next) * segmentBytes;
    return found;
  }

  private async searchSegment(start: number, ended: WalReader, found: Beyond, budget: { bytes: number }): Promise<void> {
    const { segmentBytes, pageBytes } = this.request.geometry;
    let reader = this.resynchronise(ended, found);
    const from = Math.max(start, ended.position - (ended.position % pageBytes) + pageBytes);
    await this.eachChunk(from, start + segmentBytes, (bytes, count, address) => {
      budget.bytes -= count;
      for (let at = 0; at + pageBytes <= count; at += pageBytes) {
        if (!reader.feed(bytes, at, address + at)) reader = this.resynchronise(ended, found);
      }
      return true;
    });
  }

  private resynchronise(ended: WalReader, found: Beyond): WalReader {
    const geometry = { ...this.request.geometry, version: ended.version, leastTimeline: ended.timeline };
    return new WalReader(geometry, ended.position, true, (record) => {
      if (found.records === 0) found.first = record.start;
      found.last = record.start;
      found.records++;
      return true;
    });
  }

  /** The log before redo, as far back as segments follow each other and records are valid. Every page is read once. */
  async readHistory(visitor: LogVisitor, version: number | null): Promise<{ from: number; records: number }> {
    const { geometry, redo, historyBytes } = this.request;
    let begin = redo - (redo % geometry.segmentBytes);
    while (this.request.inventory.segments.has(begin - geometry.segmentBytes) && redo - begin < historyBytes) begin -= geometry.segmentBytes;
    const fresh = (address: number) => new WalReader({ ...geometry, version, leastTimeline: 0 }, address, true, visiting(visitor.before(redo)));
    let reader = fresh(begin);
    let next = begin;
    const restart = (address: number) => {
      visitor.forgetHistory(); // a gap: what was logged before it may have been undone within it
      begin = address;
      reader = fresh(address);
    };
    const take = (bytes: Buffer, at: number, address: number): void => {
      next = address + geometry.pageBytes;
      if (reader.feed(bytes, at, address) || reader.position >= redo) return;
      const tried = begin === address;
      restart(tried ? next : address);
      if (!tried && !reader.feed(bytes, at, address)) restart(next);
    };
    await this.eachChunk(begin, redo, (bytes, count, address) => {
      for (let at = 0; at + geometry.pageBytes <= count && address + at < redo; at += geometry.pageBytes) take(bytes, at, address + at);
      return true;
    });
    if (next < redo) restart(redo); // a segment is shorter than it must be
    return begin < redo ? { from: begin, records: reader.records } : { from: redo, records: 0 };
  }
}
