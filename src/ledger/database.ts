/** The ledger's SQLite file: its tables, and a connection on which every commit is on the disk before it returns. */
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { LedgerError } from '../errors.js';
import { ledgerFault } from './faults.js';
import { SCHEMA_VERSION, STEPS } from './tables.js';

export type LedgerDatabase = Database.Database;

/** ASCII `snpf`, in the header of the file: tells a ledger from any other SQLite database. */
const APPLICATION_ID = 0x736e7066;

const PAGE_BYTES = 8192;

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
      // Takes effect in a new file only. Records have some kilobytes: most fit a page of this size, and a walk over all reads fewer of them.
      if (refuseForeign(database, path)) database.pragma(`page_size = ${PAGE_BYTES}`);
      useWriteAheadLog(database, options.busyTimeoutMs ?? 30_000);
      // A reopened WAL database comes up with synchronous=NORMAL, where a power cut may take the last commits.
      database.pragma('synchronous = FULL');
      bringUp(database);
    });
  });
}

/** Opens an existing ledger to read it; null when there is none. One of an older version is brought up first. @throws LedgerError */
export function connectReadOnly(path: string, options: ConnectOptions = {}): LedgerDatabase | null {
  if (!existsSync(path)) return null;
  const database = openToRead(path, options);
  // Killed between making the file and filling it: an empty file is an empty ledger.
  if (isUnborn(database) || versionOf(database) === SCHEMA_VERSION) return database;
  database.close();
  connect(path, options).close();
  return openToRead(path, options);
}

function openToRead(path: string, options: ConnectOptions): LedgerDatabase {
  return opened(path, () => {
    accessSync(path, constants.R_OK);
    const database = new Database(path, { readonly: true, timeout: options.busyTimeoutMs ?? 30_000 });
    return prepared(database, () => {
      if (!refuseForeign(database, path)) database.pragma('query_only = 1');
    });
  });
}

function versionOf(database: LedgerDatabase): number {
  return Number(database.pragma('user_version', { simple: true }));
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
  const version = versionOf(database);
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

/** Makes the tables, or brings those of an older ledger up to this version. Another writer may do the same at this moment. */
function bringUp(database: LedgerDatabase): void {
  if (versionOf(database) === SCHEMA_VERSION) return;
  const steps = database.transaction(() => {
    for (let version = versionOf(database) + 1; version <= SCHEMA_VERSION; version++) {
      database.exec(STEPS[version] ?? '');
      database.pragma(`application_id = ${APPLICATION_ID}`);
      database.pragma(`user_version = ${version}`);
    }
  });
  steps.immediate();
}
