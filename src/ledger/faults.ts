/** Turns what SQLite and the file system say into what happened, where, and what to do. */
import Database from 'better-sqlite3';
import { LedgerError, SnapproofError } from '../errors.js';

interface Fault {
  code: string;
  message(path: string, doing: string): string;
  advice: string;
}

const NOT_STORED = 'The ledger itself is unharmed: an entry is written whole or not at all.';

const FULL: Fault = {
  code: 'ledger.full',
  message: (path, doing) => `The ledger ${path} cannot be ${doing}: no space is left on its disk. ${NOT_STORED}`,
  advice: 'Free some space there, or name a folder on another disk with --state, and run it again.',
};
const READ_ONLY: Fault = {
  code: 'ledger.readOnly',
  message: (path, doing) => `The ledger ${path} cannot be ${doing}: its folder or file may not be written.`,
  advice:
    'Run as the user who owns it, or name a folder you may write with --state. To read a ledger from read-only media, copy it to a writable folder first.',
};
const FORBIDDEN: Fault = {
  code: 'ledger.forbidden',
  message: (path, doing) => `The ledger ${path} cannot be ${doing}: no permission.`,
  advice: 'Run as the user who owns it, or name another folder with --state.',
};
const FOREIGN: Fault = {
  code: 'ledger.foreign',
  message: (path) => `${path} is not a ledger of snapproof (not an SQLite database at all). It was left as it is.`,
  advice: 'Name another folder with --state, or move that file away.',
};
const CORRUPT: Fault = {
  code: 'ledger.corrupt',
  message: (path, doing) => `The ledger ${path} cannot be ${doing}: the file itself is damaged.`,
  advice: 'Keep the file as it is, restore it from a backup together with its -wal file, and compare its head with the last one you printed.',
};
const LOCKED: Fault = {
  code: 'ledger.locked',
  message: (path, doing) => `The ledger ${path} cannot be ${doing}: another program has kept it locked for too long.`,
  advice: 'See which program holds it (fuser shows it), wait for it or end it, and run it again.',
};
const UNREADABLE: Fault = {
  code: 'ledger.io',
  message: (path, doing) => `The ledger ${path} cannot be ${doing}: its disk reports errors.`,
  advice: 'Look into the log of the machine for errors of that disk, and name a folder on another disk with --state.',
};
const NOT_A_FOLDER: Fault = {
  code: 'ledger.noFolder',
  message: (path, doing) => `The ledger ${path} cannot be ${doing}: its folder cannot be made or is not a folder.`,
  advice: 'Name a folder with --state.',
};

/** By the beginning of SQLite's or the system's code; the first that fits. */
const FAULTS: [string, Fault][] = [
  ['SQLITE_FULL', FULL],
  ['ENOSPC', FULL],
  ['EDQUOT', FULL],
  ['SQLITE_READONLY', READ_ONLY],
  ['SQLITE_CANTOPEN', READ_ONLY],
  ['EROFS', READ_ONLY],
  ['EACCES', FORBIDDEN],
  ['EPERM', FORBIDDEN],
  ['SQLITE_PERM', FORBIDDEN],
  ['SQLITE_NOTADB', FOREIGN],
  ['SQLITE_CORRUPT', CORRUPT],
  ['SQLITE_BUSY', LOCKED],
  ['SQLITE_LOCKED', LOCKED],
  ['SQLITE_PROTOCOL', LOCKED],
  ['SQLITE_IOERR', UNREADABLE],
  ['EIO', UNREADABLE],
  ['ENOTDIR', NOT_A_FOLDER],
  ['EEXIST', NOT_A_FOLDER],
  ['EISDIR', NOT_A_FOLDER],
  ['ENOENT', NOT_A_FOLDER],
];

/** @param doing what could not be done: `opened`, `read`, `written`. */
export function ledgerFault(cause: unknown, path: string, doing: 'opened' | 'read' | 'written'): SnapproofError {
  if (cause instanceof SnapproofError) return cause;
  const code = codeOf(cause);
  const fault = FAULTS.find(([prefix]) => code.startsWith(prefix))?.[1];
  if (fault) return new LedgerError({ code: fault.code, message: fault.message(path, doing), advice: fault.advice, cause });
  const text = cause instanceof Error ? cause.message : String(cause);
  return new LedgerError({ code: 'ledger.unexpected', message: `The ledger ${path} cannot be ${doing}: ${text}`, cause });
}

function codeOf(cause: unknown): string {
  if (cause instanceof Database.SqliteError) return cause.code;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
