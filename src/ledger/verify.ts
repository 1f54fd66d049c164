/** Recomputes every hash of the ledger. The common case, nothing wrong, is one pass that keeps nothing; only a broken chain is looked into. */
import type { LedgerDatabase } from './database.js';
import { diagnose } from './diagnose.js';
import { EMPTY_HEAD, entryHash, GENESIS_HASH, type LedgerEntry, type LedgerHead, sha256Hex } from './entry.js';
import { ENTRY_COLUMNS } from './lookups.js';
import { statement } from './statements.js';

/** `file`: not an entry, but what it is stored in or found by. */
export type LedgerProblemKind = 'changed' | 'removed' | 'inserted' | 'reordered' | 'head' | 'file';

export interface LedgerProblem {
  /** Of the entry it is about: where it is, or for a removed one, where it was. Null for the head. */
  seq: number | null;
  /** Null where nothing that is left names the record. */
  recordId: string | null;
  kind: LedgerProblemKind;
  message: string;
}

export interface LedgerVerification {
  ok: boolean;
  /** Entries found. */
  count: number;
  /** Compare it with one that was printed earlier: only that shows when the whole file was put back to an older state. */
  head: LedgerHead;
  problems: LedgerProblem[];
  /** What is no damage, but ought to be known: a clock that went back. */
  notes: LedgerNote[];
}

export interface LedgerNote {
  seq: number;
  message: string;
}

/** An entry as it lies in the file, and whether its record's text still has the digest that the entry states. */
export interface CheckedEntry extends LedgerEntry {
  textIntact: boolean;
}

interface Row extends LedgerEntry {
  /** Its bytes: what is hashed is what lies in the file. */
  record: Buffer;
}

interface Pass {
  intact: boolean;
  count: number;
  last: LedgerEntry | null;
  notes: LedgerNote[];
}

const COLUMNS = `${ENTRY_COLUMNS}, CAST(record AS BLOB) AS record`;
const ROWS = `SELECT ${COLUMNS} FROM entries ORDER BY seq`;
const MOST_NOTES = 1000;

/** Works on one snapshot of the file, so that a writer at work does not disturb it. */
export function verifyEntries(database: LedgerDatabase): LedgerVerification {
  return database.transaction(() => {
    const head = database.prepare<[], LedgerHead>('SELECT count, hash, record_id AS recordId FROM head WHERE id = 1').get() ?? null;
    const pass = checkRows(rowsOf(database));
    const problems = pass.intact && headFits(head, pass) ? [] : diagnose(collect(rowsOf(database)), head);
    return { ok: problems.length === 0, count: pass.count, head: head ?? EMPTY_HEAD, problems, notes: pass.notes };
  })();
}

function rowsOf(database: LedgerDatabase): IterableIterator<Row> {
  return database.prepare<[], Row>(ROWS).iterate();
}

function headFits(head: LedgerHead | null, { count, last }: Pass): boolean {
  return head !== null && head.count === count && head.hash === (last?.entryHash ?? GENESIS_HASH) && head.recordId === (last?.recordId ?? '');
}

/** Keeps nothing but the last entry: a ledger may be larger than memory. */
function checkRows(rows: Iterable<Row>): Pass {
  const pass: Pass = { intact: true, count: 0, last: null, notes: [] };
  for (const row of rows) {
    pass.count++;
    pass.intact &&= follows(row, pass.last) && row.seq === pass.count && entryHash(row) === row.entryHash && isTextIntact(row);
    if (pass.last && row.appendedAt < pass.last.appendedAt && pass.notes.length < MOST_NOTES) pass.notes.push(clockNote(row, pass.last));
    pass.last = row;
  }
  return pass;
}

function follows(entry: LedgerEntry, previous: LedgerEntry | null): boolean {
  return entry.previousHash === (previous?.entryHash ?? GENESIS_HASH) && entry.previousRecordId === (previous?.recordId ?? '');
}

function isTextIntact({ record, recordSha256 }: Row): boolean {
  return sha256Hex(record) === recordSha256;
}

function clockNote(entry: LedgerEntry, before: LedgerEntry): LedgerNote {
  const message = `The clock went back: entry ${entry.seq} was appended at ${entry.appendedAt}, after entry ${before.seq} of ${before.appendedAt}.`;
  return { seq: entry.seq, message };
}

function collect(rows: Iterable<Row>): CheckedEntry[] {
  return [...rows].map(({ record, ...entry }) => ({ ...entry, textIntact: sha256Hex(record) === entry.recordSha256 }));
}

/**
 * One entry and its place, without reading the rest: its text, its hash, and that the entry after it (or the head) names it.
 * @returns what is wrong, one sentence each; empty: nothing
 */
export function checkEntry(database: LedgerDatabase, seq: number): string[] {
  return database.transaction(() => {
    const at = (number: number): Row | null => statement<[number], Row>(database, `SELECT ${COLUMNS} FROM entries WHERE seq = ?`).get(number) ?? null;
    const entry = at(seq);
    if (!entry) return [`There is no entry ${seq}.`];
    const head = statement<[], LedgerHead>(database, 'SELECT count, hash, record_id AS recordId FROM head WHERE id = 1').get() ?? EMPTY_HEAD;
    const after = at(seq + 1);
    return [
      ...(isTextIntact(entry) ? [] : [`The text of entry ${seq} is not what was stored.`]),
      ...(entryHash(entry) === entry.entryHash ? [] : [`The fields of entry ${seq} are not what was stored.`]),
      ...(follows(entry, seq === 1 ? null : at(seq - 1)) ? [] : [`Entry ${seq} does not follow the one before it.`]),
      ...((after ? follows(after, entry) : head.count === seq && head.hash === entry.entryHash) ? [] : [`What follows entry ${seq} does not name it.`]),
    ];
  })();
}
