/**
 * What the log does to whole relations, databases and tablespaces, and how it ends transactions.
 * Records: storage_xlog.h, dbcommands_xlog.h, relmapper.h, tablespace.h, clog.h, multixact.h and xact.h in src/include.
 */
import { parseRelationMap } from '../format/relation-map.js';
import { parseTransactionEnd } from '../format/transaction-record.js';
import type { RecordBody } from '../format/wal-record.js';
import type { WalRecord } from './reader.js';
import { later, STATUS, TransactionTable } from './transaction-table.js';

const RM = { transaction: 1, storage: 2, commitLog: 3, database: 4, tablespace: 5, multixact: 6, map: 7, commitTime: 18 } as const;
const STORAGE = { create: 0x10, truncate: 0x20 } as const;
const COMMIT_LOG_TRUNCATE = 0x10;
const ZERO_PAGE = 0x00;
const ZERO_MEMBERS_PAGE = 0x10;
const MAX_MADE_PAGES = 200_000;
const MULTIXACT_TRUNCATE = 0x30;
const MAP_HEADER_BYTES = 12;
const MAX_RELATIONS = 500_000;
const MAX_MAPS = 10_000;

export interface RelationChange {
  /** Its file is made by the log that is replayed. */
  created: boolean;
  /** By which transaction; 0: the log does not say. */
  creator: number;
  /** Its files are removed by the log that is replayed. */
  dropped: boolean;
  /** The fewest blocks to which any log that was read cuts it; null: none does. */
  truncatedTo: number | null;
}

/** Which files of fixed pages: pg_xact, pg_multixact/offsets and members, pg_commit_ts. */
export type StatusKind = 'xact' | 'offsets' | 'members' | 'times';

export const relationKey = (tablespace: number, database: number, relation: number): string => `${tablespace}/${database}/${relation}`;

export class LogChanges {
  /** By `relationKey`. */
  readonly relations = new Map<string, RelationChange>();
  /** Oids of databases and tablespaces that are made or removed by the log that is replayed. */
  readonly databases = new Set<number>();
  readonly tablespaces = new Set<number>();
  /** The last pg_filenode.map that the log writes, by database; 0 is the shared one. */
  readonly maps = new Map<number, Map<number, number>>();
  /** Transactions ended by the log that is replayed, and by the log before it. */
  readonly ended = new TransactionTable();
  readonly endedBefore = new TransactionTable();
  /** Pages of transaction status that the log to be replayed makes anew: `xact 3`. */
  readonly madePages = new Set<string>();
  /** From which transaction and multixact on status is kept, as far as log that was read says it. */
  oldestTransaction: number | null = null;
  oldestMultixact: number | null = null;
  private leftOut = false;

  /** Set when the log does more than is held: then nothing may be concluded from what is absent. */
  get overflowed(): boolean {
    return this.leftOut || this.ended.overflowed;
  }

  /** `replayed`: the record lies at or after redo. */
  visit(record: WalRecord, body: RecordBody, replayed: boolean): void {
    if (record.transaction > 0) (replayed ? this.ended : this.endedBefore).see(record.transaction);
    switch (record.resourceManager) {
      case RM.transaction:
        this.visitEnd(record, body, replayed);
        break;
      case RM.storage:
        this.visitStorage(record, body, replayed);
        break;
      case RM.commitLog:
        this.visitCommitLog(record, body, replayed);
        break;
      case RM.multixact:
        this.visitMultixact(record, body, replayed);
        break;
      case RM.commitTime:
        if ((record.info & 0xf0) === ZERO_PAGE) this.visitMadePage('times', record, body, replayed);
        break;
      case RM.database:
        if (replayed && body.mainBytes >= 4) this.databases.add(word(record, body, 0));
        break;
      case RM.tablespace:
        if (replayed && body.mainBytes >= 4) this.tablespaces.add(word(record, body, 0));
        break;
      case RM.map:
        if (replayed) this.visitMap(record, body);
    }
  }

  /** What was logged before a gap may have been another history. */
  forgetHistory(): void {
    this.endedBefore.clear();
  }

  /** Whether the log to be replayed makes it, and commits that. */
  isBorn(tablespace: number, database: number, relation: number): boolean {
    const change = this.relation(tablespace, database, relation);
    return change?.created === true && this.ended.get(change.creator) === STATUS.committed;
  }

  relation(tablespace: number, database: number, relation: number): RelationChange | undefined {
    return this.relations.get(relationKey(tablespace, database, relation));
  }

  private visitEnd(record: WalRecord, body: RecordBody, replayed: boolean): void {
    const end = parseTransactionEnd(record.bytes, body.mainOffset, body.mainBytes, record);
    if (!end) return;
    const status = end.committed ? STATUS.committed : STATUS.aborted;
    for (const transaction of end.transactions) (replayed ? this.ended : this.endedBefore).note(transaction, status);
    if (!replayed) return;
    for (const { tablespace, database, relation } of end.dropped) this.change(tablespace, database, relation, (known) => (known.dropped = true));
  }

  /** Create: relation, fork. Truncate: first block gone, relation, flags. */
  private visitStorage(record: WalRecord, body: RecordBody, replayed: boolean): void {
    const operation = record.info & 0xf0;
    const at = (i: number) => word(record, body, i);
    if (operation === STORAGE.create && replayed && body.mainBytes >= 16)
      this.change(at(0), at(1), at(2), (known) => Object.assign(known, { created: true, creator: record.transaction }));
    if (operation === STORAGE.truncate && body.mainBytes >= 16) {
      this.change(at(1), at(2), at(3), (known) => (known.truncatedTo = Math.min(known.truncatedTo ?? at(0), at(0))));
    }
  }

  /** Page, oldest transaction (the page has 8 bytes since version 17). */
  private visitCommitLog(record: WalRecord, body: RecordBody, replayed: boolean): void {
    if ((record.info & 0xf0) === ZERO_PAGE) this.visitMadePage('xact', record, body, replayed);
    const place = record.version >= 17 ? 2 : 1;
    if ((record.info & 0xf0) === COMMIT_LOG_TRUNCATE && body.mainBytes >= 4 * (place + 1))
      this.oldestTransaction = later(this.oldestTransaction, word(record, body, place));
  }

  /** Database, first and last multixact that go. */
  private visitMultixact(record: WalRecord, body: RecordBody, replayed: boolean): void {
    const operation = record.info & 0xf0;
    if (operation === ZERO_PAGE) this.visitMadePage('offsets', record, body, replayed);
    if (operation === ZERO_MEMBERS_PAGE) this.visitMadePage('members', record, body, replayed);
    if (operation === MULTIXACT_TRUNCATE && body.mainBytes >= 12) this.oldestMultixact = later(this.oldestMultixact, word(record, body, 2));
  }

  private visitMadePage(kind: StatusKind, record: WalRecord, body: RecordBody, replayed: boolean): void {
    if (!replayed || body.mainBytes < 4) return;
    if (this.madePages.size < MAX_MADE_PAGES) this.madePages.add(`${kind} ${word(record, body, 0)}`);
    else this.leftOut = true;
  }

  private visitMap(record: WalRecord, body: RecordBody): void {
    if (body.mainBytes < MAP_HEADER_BYTES) return;
    const map = parseRelationMap(record.bytes.subarray(body.mainOffset + MAP_HEADER_BYTES, body.mainOffset + body.mainBytes));
    if (!map) return;
    const database = word(record, body, 0);
    if (this.maps.size < MAX_MAPS || this.maps.has(database)) this.maps.set(database, map);
    else this.leftOut = true;
  }

  private change(tablespace: number, database: number, relation: number, set: (known: RelationChange) => void): void {
    const key = relationKey(tablespace, database, relation);
    let known = this.relations.get(key);
    if (!known) {
      if (this.relations.size >= MAX_RELATIONS) {
        this.leftOut = true;
        return;
      }
      known = { created: false, creator: 0, dropped: false, truncatedTo: null };
      this.relations.set(key, known);
    }
    set(known);
  }
}

/** The word at a place of the record's own data, which was found to reach that far. */
function word(record: WalRecord, body: RecordBody, place: number): number {
  return record.bytes.readUInt32LE(body.mainOffset + 4 * place);
}
