/** Signatures kept beside the entries, in a table that only grows. What they say is for whoever verifies them; here they are text. */
import type { DsseEnvelope } from '../documents.js';
import { canonicalJson } from './canonical.js';
import type { LedgerDatabase } from './database.js';
import { statement } from './statements.js';

/** One statement about one document, signed with one key. */
export interface Sealed {
  /** Which statement it is: a document may have several. */
  statement: string;
  keyId: string;
  envelope: DsseEnvelope;
}

export interface StoredEnvelope {
  seq: number;
  statement: string;
  keyId: string;
  /** JSON as it was stored: parse it as hostile. */
  text: string;
}

const COLUMNS = 'seq, statement, key_id AS keyId, envelope AS text';

export function insertEnvelopes(database: LedgerDatabase, seq: number, sealed: Sealed[]): void {
  const sql = 'INSERT INTO envelopes (seq, statement, key_id, envelope) VALUES (@seq, @statement, @keyId, @text)';
  for (const { statement: name, keyId, envelope } of sealed)
    statement<object>(database, sql).run({ seq, statement: name, keyId, text: canonicalJson(envelope) });
}

export function envelopesOf(database: LedgerDatabase, seq: number): StoredEnvelope[] {
  return statement<[number], StoredEnvelope>(database, `SELECT ${COLUMNS} FROM envelopes WHERE seq = ? ORDER BY statement, key_id`).all(seq);
}

/** All, in the order of the entries. A statement of its own, so that two walks do not disturb each other. */
export function allEnvelopes(database: LedgerDatabase): IterableIterator<StoredEnvelope> {
  return database.prepare<[], StoredEnvelope>(`SELECT ${COLUMNS} FROM envelopes ORDER BY seq, statement, key_id`).iterate();
}

/** Entries without a statement of this name, in their order. */
export function seqsWithout(database: LedgerDatabase, name: string): number[] {
  const sql = 'SELECT seq FROM entries WHERE NOT EXISTS (SELECT 1 FROM envelopes WHERE envelopes.seq = entries.seq AND statement = ?) ORDER BY seq';
  return statement<[string], number>(database, sql).pluck().all(name) as number[];
}
