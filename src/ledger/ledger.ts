/** The ledger: all documents, append-only and chained by hashes, in one SQLite file that several writers may use at once. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LedgerDocument } from '../documents.js';
import { LedgerError } from '../errors.js';
import type { VerdictWord, VerificationRecord } from '../types.js';
import { canonicalJson } from './canonical.js';
import { type ConnectOptions, connect, connectReadOnly, isUnborn, type LedgerDatabase } from './database.js';
import { EMPTY_HEAD, type LedgerEntry, type LedgerHead, nextEntry } from './entry.js';
import { allEnvelopes, envelopesOf, insertEnvelopes, type Sealed, type StoredEnvelope, seqsWithout } from './envelopes.js';
import { ledgerFault } from './faults.js';
import { checkFile } from './file-check.js';
import { type DocumentKind, type DocumentOf, schemaOf } from './kinds.js';
import { type DocumentFilter, type LatestFilter, Lookups, type Stored } from './lookups.js';
import { statement } from './statements.js';
import { entriesAfter, type SignedText, strayEnvelopes, textsAfter } from './texts.js';
import { checkEntry, type LedgerVerification, verifyEntries } from './verify.js';

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

export interface AppendOptions {
  /** Default: the clock of the host. */
  now?: Date;
  /** Signs the entry within the transaction that stores it. What it throws undoes the entry too. */
  seal?: (entry: LedgerEntry, text: string) => Sealed[];
}

/** Entries that are in memory at once when all are walked. */
const LOT = 256;

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
  private readonly lookups: Lookups;
  private born = false;

  constructor(
    private readonly database: LedgerDatabase,
    readonly path: string,
  ) {
    this.lookups = new Lookups(database, (seq, text) => this.parsed(seq, text));
  }

  /**
   * Appends one document in one transaction: when this returns, it is on the disk.
   * @throws LedgerError when it could not be stored; then nothing of it is in the ledger.
   */
  append(document: LedgerDocument, { now, seal }: AppendOptions = {}): LedgerEntry {
    const text = this.guarded('written', () => canonicalJson(document));
    const append = this.database.transaction((): LedgerEntry => {
      const head = this.head();
      this.refuseBrokenEnd(head);
      if (statement<[string]>(this.database, 'SELECT 1 FROM entries WHERE record_id = ?').get(document.id)) throw this.duplicate(document.id);
      const entry = nextEntry(head, document.id, text, (now ?? new Date()).toISOString());
      this.insert(entry, text);
      if (seal) insertEnvelopes(this.database, entry.seq, seal(entry, text));
      return entry;
    });
    return this.guarded('written', () => append.immediate());
  }

  /** Records that fit the filter, the last appended first. */
  history(filter: HistoryFilter = {}): HistoryItem[] {
    return this.records(filter).map(({ entry, document }) => ({ seq: entry.seq, appendedAt: entry.appendedAt, record: document }));
  }

  /** The same, each with its whole entry. */
  records(filter: HistoryFilter = {}): Stored<VerificationRecord>[] {
    return this.read(() => this.lookups.records(filter), []);
  }

  /** Documents of any kind, the last appended first. */
  documents<K extends DocumentKind>(filter: DocumentFilter<K> = {}): Stored<DocumentOf[K]>[] {
    return this.read(() => this.lookups.documents(filter), []);
  }

  /** The document with this id, of any kind. */
  find(id: string): Stored | null {
    return this.read(() => this.lookups.find(id), null);
  }

  at(seq: number): Stored | null {
    return this.read(() => this.lookups.at(seq), null);
  }

  /** The newest record of a machine, of all or with one verdict. */
  latestFor(machine: string, filter: LatestFilter = {}): Stored<VerificationRecord> | null {
    return this.read(() => this.lookups.latestFor(machine, filter), null);
  }

  /** Names of all machines of which there are records, sorted. */
  machines(): string[] {
    return this.read(() => this.lookups.machines(), []);
  }

  /** Records whose restore point has files with all of these SHA-256, the last appended first. It may have others besides. */
  recordsOfDigest(digests: string[], limit?: number): Stored<VerificationRecord>[] {
    return this.read(() => this.lookups.recordsOfDigest(digests, limit), []);
  }

  /** What was appended in a time (ISO 8601, UTC, both ends included), in the order of the chain. */
  between<K extends DocumentKind>(from: string, to: string, kind?: K): Stored<DocumentOf[K]>[] {
    return this.read(() => this.lookups.between(from, to, kind), []);
  }

  head(): LedgerHead {
    const sql = 'SELECT count, hash, record_id AS recordId FROM head WHERE id = 1';
    const head = this.read(() => statement<[], LedgerHead>(this.database, sql).get(), EMPTY_HEAD);
    if (head) return head;
    throw this.broken('its head is missing');
  }

  /** Reads every entry and recomputes every hash. Never throws for what it finds, only for what it cannot read. */
  verify(): LedgerVerification {
    return this.read(() => verifyEntries(this.database), { ok: true, count: 0, head: EMPTY_HEAD, problems: [], notes: [] });
  }

  /** What the hashes do not cover: tables, triggers, indexes. @returns what is wrong, one sentence each; empty when nothing is */
  checkFile(): string[] {
    return this.read(() => checkFile(this.database), []);
  }

  /** One entry and its place only. @returns what is wrong, one sentence each; empty when it is as it was written. */
  checkEntry(seq: number): string[] {
    return this.read(() => checkEntry(this.database, seq), [`There is no entry ${seq}.`]);
  }

  /** Whether the chain holds an entry with this hash, such as a head that was printed earlier; blanks in it do not matter. */
  holds(hash: string): boolean {
    const sql = 'SELECT 1 FROM entries WHERE entry_hash = ?';
    const wanted = hash.replace(/\s/g, '').toLowerCase();
    return wanted === EMPTY_HEAD.hash || this.read(() => statement<[string]>(this.database, sql).get(wanted) !== undefined, false);
  }

  /** Adds signatures of an entry that is there already. @throws LedgerError when it has one of them */
  addEnvelopes(seq: number, sealed: Sealed[]): void {
    this.guarded('written', () => this.database.transaction(() => insertEnvelopes(this.database, seq, sealed)).immediate());
  }

  envelopesOf(seq: number): StoredEnvelope[] {
    return this.read(() => envelopesOf(this.database, seq), []);
  }

  /** Of all entries, in their order. */
  *envelopes(): Generator<StoredEnvelope> {
    yield* this.read(() => allEnvelopes(this.database), [][Symbol.iterator]());
  }

  /** Entries as they lie in the file, with their signatures, in lots that fit memory; nothing in them is verified. */
  *texts(kind?: DocumentKind): Generator<SignedText[]> {
    let last = Number.MIN_SAFE_INTEGER;
    for (;;) {
      const lot = this.read(() => textsAfter(this.database, last, LOT, kind && schemaOf(kind)), []);
      if (lot.length === 0) return;
      yield lot;
      last = lot.at(-1)?.entry.seq ?? last;
    }
  }

  /** One entry as it lies in the file, with its signatures. */
  text(seq: number): SignedText | null {
    const [signed] = this.read(() => textsAfter(this.database, seq - 1, 1), []);
    return signed?.entry.seq === seq ? signed : null;
  }

  /** The chain without the documents, in lots. */
  *chain(): Generator<LedgerEntry[]> {
    let last = Number.MIN_SAFE_INTEGER;
    for (;;) {
      const lot = this.read(() => entriesAfter(this.database, last, LOT), []);
      if (lot.length === 0) return;
      yield lot;
      last = lot.at(-1)?.seq ?? last;
    }
  }

  /** Numbers that signatures name and no entry has. */
  strayEnvelopes(): number[] {
    return this.read(() => strayEnvelopes(this.database), []);
  }

  /** Numbers of entries that have no statement of this name. */
  unsealed(statementName: string): number[] {
    return this.read(() => seqsWithout(this.database, statementName), []);
  }

  close(): void {
    this.database.close();
  }

  private insert(entry: LedgerEntry, record: string): void {
    const columns = 'seq, record_id, record, record_sha256, previous_hash, previous_record_id, appended_at, entry_hash';
    const values = '@seq, @recordId, @record, @recordSha256, @previousHash, @previousRecordId, @appendedAt, @entryHash';
    statement<object>(this.database, `INSERT INTO entries (${columns}) VALUES (${values})`).run({ ...entry, record });
    statement<object>(this.database, 'UPDATE head SET count = @seq, hash = @entryHash, record_id = @recordId WHERE id = 1').run(entry);
  }

  /** Nothing is built on an end that does not fit its head: that would hide what happened to it. */
  private refuseBrokenEnd(head: LedgerHead): void {
    const sql = 'SELECT seq, entry_hash AS hash FROM entries ORDER BY seq DESC LIMIT 1';
    const last = statement<[], { seq: number; hash: string }>(this.database, sql).get();
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
    return new LedgerError({ code: 'ledger.duplicate', message: `The ledger ${this.path} already holds a document ${id}. Nothing was appended.` });
  }

  private parsed(seq: number, text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.broken(`entry ${seq} is no JSON`);
    }
  }

  private read<T>(work: () => T, whenEmpty: T): T {
    return this.guarded('read', () => {
      this.born ||= !isUnborn(this.database);
      return this.born ? work() : whenEmpty;
    });
  }

  private guarded<T>(doing: 'read' | 'written', work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw ledgerFault(cause, this.path, doing);
    }
  }
}
