/** One run of a policy at a time: a lock that the kernel holds for this process, so that no death leaves it behind. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { LedgerError, UsageError } from '../../errors.js';

/** @returns what gives it free. @throws UsageError `drill.running` when another run holds it. */
export function lockFolder(folder: string): () => void {
  const database = openLock(folder);
  try {
    // SQLite's exclusive lock is a POSIX record lock (fcntl): it ends with the process, and children do not inherit it.
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if (!(cause instanceof Database.SqliteError) || !cause.code.startsWith('SQLITE_BUSY')) throw unusable(folder, cause);
    throw new UsageError({
      code: 'drill.running',
      message: `Another run of this policy is at work${holder(folder)}. Nothing was started.`,
      advice: 'Wait until it has ended, or end it with SIGTERM: the next run goes on where it stopped.',
      cause,
    });
  }
  writeFileSync(join(folder, 'holder'), `${process.pid}\n`, { mode: 0o600 });
  return () => database.close();
}

function openLock(folder: string): Database.Database {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return new Database(join(folder, 'lock.sqlite'), { timeout: 0 });
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

/** For the message alone. */
function holder(folder: string): string {
  try {
    return ` (process ${Number(readFileSync(join(folder, 'holder'), 'utf8'))})`;
  } catch {
    return '';
  }
}

function unusable(folder: string, cause: unknown): LedgerError {
  const message = `The state of drills in ${folder} cannot be used: ${cause instanceof Error ? cause.message : cause}`;
  return new LedgerError({ code: 'drill.state', message, advice: 'Make room or give permission, or name another folder with --state.', cause });
}
