/** Finds documents of a ledger by its indexes; what the table of digests says is held against the hashed text before anybody gets it. */
import type { LedgerDocument } from '../documents.js';
import type { VerdictWord, VerificationRecord } from '../types.js';
import type { LedgerDatabase } from './database.js';
import type { LedgerEntry } from './entry.js';
import { type DocumentKind, type DocumentOf, schemaOf } from './kinds.js';
import { statement } from './statements.js';

/** A document and its place in the chain. */
export interface Stored<D = LedgerDocument> {
  entry: LedgerEntry;
  document: D;
}

export interface DocumentFilter<K extends DocumentKind = DocumentKind> {
  /** Default: all. */
  kind?: K;
  /** Sign-offs about this record or drill. */
  about?: string;
  /** Newest first; default: all. */
  limit?: number;
}

export interface LatestFilter {
  verdict?: VerdictWord;
  /** Only records before this entry. */
  beforeSeq?: number;
}

interface Row extends LedgerEntry {
  record: string;
}

export const ENTRY_COLUMNS = `seq, record_id AS recordId, record_sha256 AS recordSha256, previous_hash AS previousHash,
  previous_record_id AS previousRecordId, appended_at AS appendedAt, entry_hash AS entryHash`;
const SELECT = `SELECT ${ENTRY_COLUMNS}, record FROM entries`;
const RECORD = schemaOf('record');

export class Lookups {
  /** @param parse the text of an entry; throws when it is no JSON */
  constructor(
    private readonly database: LedgerDatabase,
    private readonly parse: (seq: number, text: string) => unknown,
  ) {}

  /** The last appended first. */
  documents<K extends DocumentKind>({ kind, about, limit }: DocumentFilter<K>): Stored<DocumentOf[K]>[] {
    const where = [...(kind === undefined ? [] : ['kind = @kind']), ...(about === undefined ? [] : ['about = @about'])];
    const condition = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`;
    return this.all(`${condition} ORDER BY seq DESC LIMIT @limit`, { kind: kind && schemaOf(kind), about, limit: limit ?? -1 });
  }

  /** Records, the last appended first. */
  records(filter: { machine?: string; verdict?: VerdictWord; limit?: number }): Stored<VerificationRecord>[] {
    const where = [
      'kind = @kind',
      ...(filter.machine === undefined ? [] : ['machine = @machine']),
      ...(filter.verdict === undefined ? [] : ['verdict = @verdict']),
    ];
    return this.all(` WHERE ${where.join(' AND ')} ORDER BY seq DESC LIMIT @limit`, { kind: RECORD, limit: -1, ...filter });
  }

  find(id: string): Stored | null {
    return this.all<LedgerDocument>(' WHERE record_id = @id', { id })[0] ?? null;
  }

  at(seq: number): Stored | null {
    return this.all<LedgerDocument>(' WHERE seq = @seq', { seq })[0] ?? null;
  }

  latestFor(machine: string, { verdict, beforeSeq }: LatestFilter): Stored<VerificationRecord> | null {
    const condition = `WHERE machine = @machine${verdict === undefined ? '' : ' AND verdict = @verdict'} AND seq < @before`;
    const before = beforeSeq ?? Number.MAX_SAFE_INTEGER;
    return this.all<VerificationRecord>(` ${condition} ORDER BY seq DESC LIMIT 1`, { machine, verdict, before })[0] ?? null;
  }

  /** Names of all machines of which there are records, sorted. Each costs one step in the index, however many records it has. */
  machines(): string[] {
    const sql = `WITH RECURSIVE names (name) AS (
      SELECT min(machine) FROM entries WHERE machine > ''
      UNION ALL SELECT (SELECT min(machine) FROM entries WHERE machine > name) FROM names WHERE name IS NOT NULL
    ) SELECT name FROM names WHERE name IS NOT NULL`;
    return statement<[], string>(this.database, sql).pluck().all() as string[];
  }

  /** Records whose restore point has files with all of these digests, the last appended first. */
  recordsOfDigest(digests: string[], limit = -1): Stored<VerificationRecord>[] {
    const wanted = [...new Set(digests)];
    const [first] = wanted;
    if (first === undefined) return [];
    const sql = `SELECT seq FROM files AS hit WHERE sha256 = @first AND NOT EXISTS (
      SELECT 1 FROM json_each(@wanted) AS digest WHERE NOT EXISTS (SELECT 1 FROM files WHERE sha256 = digest.value AND seq = hit.seq)
    ) ORDER BY seq DESC LIMIT @limit`;
    const seqs = statement<object, number>(this.database, sql)
      .pluck()
      .all({ first, wanted: JSON.stringify(wanted), limit }) as number[];
    const found = seqs.map((seq) => this.at(seq) as Stored<VerificationRecord> | null);
    return found.filter((stored) => stored !== null).filter(({ document }) => holdsAll(document, wanted));
  }

  /** What was appended in a time, both ends included, by the clock of the host, in the order of the chain. */
  between<K extends DocumentKind>(from: string, to: string, kind?: K): Stored<DocumentOf[K]>[] {
    const condition = `WHERE appended_at BETWEEN @from AND @to${kind === undefined ? '' : ' AND kind = @kind'}`;
    return this.all(` ${condition} ORDER BY seq`, { from, to, kind: kind && schemaOf(kind) });
  }

  private all<D>(tail: string, values: object): Stored<D>[] {
    const rows = statement<object, Row>(this.database, SELECT + tail).all(values);
    return rows.map(({ record, ...entry }) => ({ entry, document: this.parse(entry.seq, record) as D }));
  }
}

function holdsAll(document: VerificationRecord, digests: string[]): boolean {
  const own = new Set(document.restorePoint?.files?.map(({ sha256 }) => sha256));
  return digests.every((digest) => own.has(digest));
}
