/** Documents as they lie in the file, with their signatures: for whoever verifies, signs or exports them. */
import type { LedgerDatabase } from './database.js';
import type { LedgerEntry } from './entry.js';
import { envelopesOf, type StoredEnvelope } from './envelopes.js';
import { ENTRY_COLUMNS } from './lookups.js';
import { statement } from './statements.js';

export interface SignedText {
  entry: LedgerEntry;
  /** Canonical JSON as it was stored: parse it as hostile. */
  text: string;
  envelopes: StoredEnvelope[];
}

interface Row extends LedgerEntry {
  record: string;
}

/** The next entries after a number, in the order of their numbers; with `kind` (a schema) only those that name it. */
export function textsAfter(database: LedgerDatabase, seq: number, limit: number, schema?: string): SignedText[] {
  const condition = schema === undefined ? '' : ' AND kind = @schema';
  const sql = `SELECT ${ENTRY_COLUMNS}, record FROM entries WHERE seq > @seq${condition} ORDER BY seq LIMIT @limit`;
  const rows = statement<object, Row>(database, sql).all({ seq, limit, schema });
  return rows.map(({ record, ...entry }) => ({ entry, text: record, envelopes: envelopesOf(database, entry.seq) }));
}

/** Fields of the entries after a number, without their documents. */
export function entriesAfter(database: LedgerDatabase, seq: number, limit: number): LedgerEntry[] {
  return statement<[number, number], LedgerEntry>(database, `SELECT ${ENTRY_COLUMNS} FROM entries WHERE seq > ? ORDER BY seq LIMIT ?`).all(seq, limit);
}

/** Numbers that signatures name and no entry has. */
export function strayEnvelopes(database: LedgerDatabase): number[] {
  const sql = 'SELECT DISTINCT seq FROM envelopes WHERE seq NOT IN (SELECT seq FROM entries) ORDER BY seq LIMIT 100';
  return statement<[], number>(database, sql).pluck().all() as number[];
}
