/** Reads the log from where recovery starts to its true end, looks for what lies beyond, and reads back before it for rule R2. */
import type { BlockTable, RelationNumbers } from '../../../src/bytes/block-table.js';
import { FormatError } from '../../../src/errors.js';
import { parseRecordBody } from '../format/wal-record.js';
import { lookBeyond } from './beyond.js';
import type { LogChanges } from './changes.js';
import { LogChunks } from './chunks.js';
import { readHistory } from './history.js';
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

/** Bounded memory: one chunk, one record and the block table. */
export async function walkLog(request: WalWalkRequest): Promise<LogFacts> {
  const { inventory, geometry, redo, historyBytes, table, relations, changes, signal } = request;
  const chunks = new LogChunks(request);
  try {
    const visitor = new LogVisitor(table, relations, changes, redo, request.hintsLogged);
    const reader = new WalReader(geometry, redo, false, visiting(visitor));
    const lastPage = await follow(chunks, geometry, reader, redo);
    const zeroed = await findZeroedTail(chunks.blocks, { inventory, geometry, signal }, lastPage);
    const beyond = await lookBeyond(chunks, inventory, geometry, reader);
    const redoRecords = reader.records;
    const history = await readHistory(chunks, {
      ...{ inventory, redo, historyBytes, geometry: { ...geometry, version: reader.version } },
      visit: visiting(visitor.before(redo)),
      forget: () => visitor.forgetHistory(),
    });
    visitor.applyTruncations();
    return {
      redo,
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
      blocks: table.size,
      overflowed: table.overflowed || relations.overflowed || visitor.overflowed,
      contradictions: visitor.contradictions,
    };
  } finally {
    await chunks.close();
  }
}

/** Feeds the pages from the one that holds `from` until the reader stops or the files end. Gives the last that it took, or should have taken. */
async function follow(chunks: LogChunks, { pageBytes }: WalGeometry, reader: WalReader, from: number): Promise<number> {
  let lastPage = from - (from % pageBytes);
  await chunks.each(lastPage, Number.POSITIVE_INFINITY, (bytes, count, address) => {
    for (let at = 0; at + pageBytes <= count; at += pageBytes) {
      lastPage = address + at;
      if (!reader.feed(bytes, at, lastPage)) return false;
    }
    return true;
  });
  return lastPage;
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
