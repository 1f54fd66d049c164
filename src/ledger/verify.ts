/** Recomputes every hash of the ledger. The common case, nothing wrong, is one pass; only a broken chain is looked into. */
import type { LedgerDatabase } from './database.js';
import { diagnose } from './diagnose.js';
import { EMPTY_HEAD, entryHash, GENESIS_HASH, type LedgerEntry, type LedgerHead, sha256Hex } from './entry.js';

export type LedgerProblemKind = 'changed' | 'removed' | 'inserted' | 'reordered' | 'head';

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
}

/** An entry as it lies in the file, and whether its record's text still has the digest that the entry states. */
export interface CheckedEntry extends LedgerEntry {
  textIntact: boolean;
}

interface Row extends LedgerEntry {
  record: string;
}

const ROWS = `SELECT seq, record_id AS recordId, record, record_sha256 AS recordSha256, previous_hash AS previousHash,
  previous_record_id AS previousRecordId, appended_at AS appendedAt, entry_hash AS entryHash FROM entries ORDER BY seq`;

/** Works on one snapshot of the file, so that a writer at work does not disturb it. */
export function verifyEntries(database: LedgerDatabase): LedgerVerification {
  return database.transaction(() => {
    const head = database.prepare<[], LedgerHead>('SELECT count, hash, record_id AS recordId FROM head WHERE id = 1').get() ?? null;
    const { entries, intact } = checkRows(database.prepare<[], Row>(ROWS).iterate());
    const last = entries.at(-1);
    const headFits =
      head !== null && head.count === entries.length && head.hash === (last?.entryHash ?? GENESIS_HASH) && head.recordId === (last?.recordId ?? '');
    const problems = intact && headFits ? [] : diagnose(entries, head);
    return { ok: problems.length === 0, count: entries.length, head: head ?? EMPTY_HEAD, problems };
  })();
}

function checkRows(rows: Iterable<Row>): { entries: CheckedEntry[]; intact: boolean } {
  const entries: CheckedEntry[] = [];
  let intact = true;
  let previous = { entryHash: GENESIS_HASH, recordId: '' };
  for (const { record, ...entry } of rows) {
    const textIntact = sha256Hex(record) === entry.recordSha256;
    const linked = entry.previousHash === previous.entryHash && entry.previousRecordId === previous.recordId;
    intact &&= textIntact && linked && entry.seq === entries.length + 1 && entryHash(entry) === entry.entryHash;
    entries.push({ ...entry, textIntact });
    previous = entry;
  }
  return { entries, intact };
}
