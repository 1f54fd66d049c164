/** The ledger: all records, append-only and chained by hashes, in one SQLite file that several writers may use at once. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { LedgerError } from '../errors.js';
import type { VerdictWord, VerificationRecord } from '../types.js';
import { canonicalJson } from './canonical.js';
import { type ConnectOptions, connect, connectReadOnly, isUnborn, type LedgerDatabase } from './database.js';
import { EMPTY_HEAD, type LedgerEntry, type LedgerHead, nextEntry } from './entry.js';
import { ledgerFault } from './faults.js';
import { type LedgerVerification, verifyEntries } from './verify.js';

export interface HistoryFilter {
  machine?: string;
  verdict?: VerdictWord;
  /** Newest first; default: all. */
  limit?: number;
}

export interface HistoryItem {
  seq: number;
  appendedAt: string;
  record: VerificationRecord;
}

/** The folder given by `--state`, else snapproof's own below the XDG state folder. */
export function stateFolder(option: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  if (option) return resolve(option);
  const base = env.XDG_STATE_HOME?.startsWith('/') ? env.XDG_STATE_HOME : join(homedir(), '.local', 'state');
  return join(base, 'snapproof');
}

export function ledgerPath(folder: string): string {
  return join(folder, 'ledger.sqlite');
}

/** Opens the ledger of a state folder for appending; makes it where there is none. @throws LedgerError */
export function openLedger(folder: string, options: ConnectOptions = {}): Ledger {
  const path = ledgerPath(folder);
  return new Ledger(connect(path, options), path);
}

/** Opens the ledger of a state folder for reading; null when there is none. @throws LedgerError */
export function readLedger(folder: string, options: ConnectOptions = {}): Ledger | null {
  const path = ledgerPath(folder);
  const database = connectReadOnly(path, options);
  return database && new Ledger(database, path);
}

export class Ledger {
  constructor(
    private readonly database: LedgerDatabase,
    readonly path: string,
  ) {}

  /**
   * Appends one record in one transaction: when this returns, it is on the disk.
   * @throws LedgerError when it could not be stored; then nothing of it is in the ledger.
   */
  appendRecord(record: VerificationRecord, now: Date = new Date()): LedgerEntry {
    const text = this.guarded('written', () => canonicalJson(record));
    const append = this.database.transaction((): LedgerEntry => {
      const head = this.head();
      this.refuseBrokenEnd(head);
      if (this.database.prepare('SELECT 1 FROM entries WHERE record_id = ?').get(record.id)) throw this.duplicate(record.id);
      const entry = nextEntry(head, record.id, text, now.toISOString());
      this.insert(entry, text);
      return entry;
    });
    return this.guarded('written', () => append.immediate());
  }

  /** Records that fit the filter, the last appended first. */
  history(filter: HistoryFilter = {}): HistoryItem[] {
    const where = ['1', ...(filter.machine === undefined ? [] : ['machine = @machine']), ...(filter.verdict === undefined ? [] : ['verdict = @verdict'])];
    const sql = `SELECT seq, appended_at AS appendedAt, record FROM entries WHERE ${where.join(' AND ')} ORDER BY seq DESC LIMIT @limit`;
    const values = { machine: filter.machine, verdict: filter.verdict, limit: filter.limit ?? -1 };
    const rows = this.read(() => this.database.prepare<object, { seq: number; appendedAt: string; record: string }>(sql).all(values), []);
    return rows.map(({ seq, appendedAt, record }) => ({ seq, appendedAt, record: this.parsed(seq, record) }));
  }

  head(): LedgerHead {
    const sql = 'SELECT count, hash, record_id AS recordId FROM head WHERE id = 1';
    const head = this.read(() => this.database.prepare<[], LedgerHead>(sql).get(), EMPTY_HEAD);
    if (head) return head;
    throw this.broken('its head is missing');
  }

  /** Reads every entry and recomputes every hash. Never throws for what it finds, only for what it cannot read. */
  verify(): LedgerVerification {
    return this.read(() => verifyEntries(this.database), { ok: true, count: 0, head: EMPTY_HEAD, problems: [] });
  }

  /** Whether the chain holds an entry with this hash, such as a head that was printed earlier. */
  holds(hash: string): boolean {
    const sql = 'SELECT 1 FROM entries WHERE entry_hash = ?';
    return hash === EMPTY_HEAD.hash || this.read(() => this.database.prepare(sql).get(hash.trim().toLowerCase()) !== undefined, false);
  }

  close(): void {
    this.database.close();
  }

  private insert(entry: LedgerEntry, record: string): void {
    const columns = 'seq, record_id, record, record_sha256, previous_hash, previous_record_id, appended_at, entry_hash';
    const values = '@seq, @recordId, @record, @recordSha256, @previousHash, @previousRecordId, @appendedAt, @entryHash';
    this.database.prepare(`INSERT INTO entries (${columns}) VALUES (${values})`).run({ ...entry, record });
    this.database.prepare('UPDATE head SET count = @seq, hash = @entryHash, record_id = @recordId WHERE id = 1').run(entry);
  }

  /** Nothing is built on an end that does not fit its head: that would hide what happened to it. */
  private refuseBrokenEnd(head: LedgerHead): void {
    const last = this.database.prepare<[], { seq: number; hash: string }>('SELECT seq, entry_hash AS hash FROM entries ORDER BY seq DESC LIMIT 1').get();
    if ((last?.seq ?? 0) !== head.count || (last?.hash ?? EMPTY_HEAD.hash) !== head.hash) throw this.broken('its last entry does not fit its head');
  }

  private broken(why: string): LedgerError {
    return new LedgerError({
      code: 'ledger.broken',
      message: `The ledger ${this.path} was changed by something else than snapproof: ${why}. Nothing was appended.`,
      advice: 'Run "snapproof ledger verify" to see what happened. Keep the file as evidence, and name another folder with --state meanwhile.',
    });
  }

  private duplicate(id: string): LedgerError {
    return new LedgerError({ code: 'ledger.duplicate', message: `The ledger ${this.path} already holds a record ${id}. Nothing was appended.` });
  }

  private parsed(seq: number, text: string): VerificationRecord {
    try {
      return JSON.parse(text) as VerificationRecord;
    } catch {
      throw this.broken(`entry ${seq} is no JSON`);
    }
  }

  private read<T>(work: () => T, whenEmpty: T): T {
    return this.guarded('read', () => (isUnborn(this.database) ? whenEmpty : work()));
  }

  private guarded<T>(doing: 'read' | 'written', work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw ledgerFault(cause, this.path, doing);
    }
  }
}
