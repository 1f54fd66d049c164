/** The ledger's SQLite file: its tables, and a connection on which every commit is on the disk before it returns. */
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { LedgerError } from '../errors.js';
import { EMPTY_HEAD } from './entry.js';
import { ledgerFault } from './faults.js';

export type LedgerDatabase = Database.Database;

/** ASCII `snpf`, in the header of the file: tells a ledger from any other SQLite database. */
const APPLICATION_ID = 0x736e7066;
export const SCHEMA_VERSION = 1;

/**
 * `machine` and `verdict` are computed from the record, so that no search can show what the hashed text does not say.
 * The triggers stop mistakes, not an attacker; the chain of hashes finds both. OR REPLACE deletes without firing a delete trigger,
 * hence the guard on insertion.
 */
const SCHEMA = `
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  record_id TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL,
  record_sha256 TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  previous_record_id TEXT NOT NULL,
  appended_at TEXT NOT NULL,
  entry_hash TEXT NOT NULL UNIQUE,
  machine TEXT GENERATED ALWAYS AS (json_extract(record, '$.restorePoint.machine')) VIRTUAL,
  verdict TEXT GENERATED ALWAYS AS (json_extract(record, '$.verdict')) VIRTUAL
) STRICT;
CREATE INDEX entries_by_machine ON entries (machine, seq);
CREATE INDEX entries_by_verdict ON entries (verdict, seq);
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  count INTEGER NOT NULL,
  hash TEXT NOT NULL,
  record_id TEXT NOT NULL
) STRICT;
INSERT INTO head VALUES (1, ${EMPTY_HEAD.count}, '${EMPTY_HEAD.hash}', '${EMPTY_HEAD.recordId}');
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_only_next BEFORE INSERT ON entries
  WHEN NEW.seq <> (SELECT count FROM head) + 1 OR NEW.previous_hash <> (SELECT hash FROM head)
    OR EXISTS (SELECT 1 FROM entries WHERE record_id = NEW.record_id OR entry_hash = NEW.entry_hash)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER head_only_forward BEFORE UPDATE ON head
  WHEN NEW.count <> OLD.count + 1 OR NEW.hash <> (SELECT entry_hash FROM entries WHERE seq = NEW.count)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER head_no_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
`;

export interface ConnectOptions {
  /** How long to wait for another writer; default 30 s. */
  busyTimeoutMs?: number;
}

/** Opens the ledger, and makes it (folder mode 0700) where there is none. @throws LedgerError */
export function connect(path: string, options: ConnectOptions = {}): LedgerDatabase {
  return opened(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Guest file names are nobody else's business; SQLite gives its -wal and -shm files the same mode.
    closeSync(openSync(path, 'a', 0o600));
    const database = new Database(path, { timeout: options.busyTimeoutMs ?? 30_000 });
    return prepared(database, () => {
      refuseForeign(database, path);
      useWriteAheadLog(database, options.busyTimeoutMs ?? 30_000);
      // A reopened WAL database comes up with synchronous=NORMAL, where a power cut may take the last commits.
      database.pragma('synchronous = FULL');
      createOnce(database);
    });
  });
}

/** Opens an existing ledger to read it; null when there is none. @throws LedgerError */
export function connectReadOnly(path: string, options: ConnectOptions = {}): LedgerDatabase | null {
  if (!existsSync(path)) return null;
  return opened(path, () => {
    accessSync(path, constants.R_OK);
    const database = new Database(path, { readonly: true, timeout: options.busyTimeoutMs ?? 30_000 });
    return prepared(database, () => {
      // Killed between making the file and filling it: an empty file is an empty ledger.
      if (!refuseForeign(database, path)) database.pragma('query_only = 1');
    });
  });
}

/** Whether a file that exists is still empty: its tables are made with the first record. */
export function isUnborn(database: LedgerDatabase): boolean {
  return database.pragma('application_id', { simple: true }) === 0 && database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
}

function opened(path: string, open: () => LedgerDatabase): LedgerDatabase {
  try {
    return open();
  } catch (cause) {
    throw ledgerFault(cause, path, 'opened');
  }
}

function prepared(database: LedgerDatabase, prepare: () => void): LedgerDatabase {
  try {
    prepare();
    return database;
  } catch (cause) {
    database.close();
    throw cause;
  }
}

/** @returns true when the file is an empty database. */
function refuseForeign(database: LedgerDatabase, path: string): boolean {
  if (isUnborn(database)) return true;
  if (database.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new LedgerError({
      code: 'ledger.foreign',
      message: `${path} is an SQLite database, but not a ledger of snapproof. It was left as it is.`,
      advice: 'Name another folder with --state, or move that file away.',
    });
  }
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > SCHEMA_VERSION) {
    throw new LedgerError({
      code: 'ledger.newer',
      message: `The ledger ${path} was written by a newer snapproof (ledger version ${version}; this one knows ${SCHEMA_VERSION}). It was left as it is.`,
      advice: 'Use that newer snapproof, or name another folder with --state.',
    });
  }
  return false;
}

/** SQLite does not always wait for a lock when the journal mode changes, so the wait is ours. */
function useWriteAheadLog(database: LedgerDatabase, timeoutMs: number): void {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      if (database.pragma('journal_mode', { simple: true }) === 'wal' || database.pragma('journal_mode = WAL', { simple: true }) === 'wal') return;
    } catch (cause) {
      if (!(cause instanceof Database.SqliteError) || !cause.code.startsWith('SQLITE_BUSY') || Date.now() > deadline) throw cause;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}

function createOnce(database: LedgerDatabase): void {
  if (!isUnborn(database)) return;
  const create = database.transaction(() => {
    if (!isUnborn(database)) return;
    database.exec(SCHEMA);
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${SCHEMA_VERSION}`);
  });
  create.immediate();
}
