/** A throw-away copy of a database with its log, and the host's sqlite3 on it, in the sandbox. */
import { join } from 'node:path';
import type { CheckContext } from '../../src/check.js';
import { LabError, MissingToolError } from '../../src/errors.js';
import type { SandboxResult } from '../../src/labs/lab.js';
import { copyTo } from './copy.js';
import { type DatabaseMaps, withFiles } from './guest-database.js';

const COPY_NAME = 'database';

export interface SqliteRequest {
  context: Pick<CheckContext<unknown>, 'labs' | 'signal'>;
  timeoutMs: number;
  /** Options of sqlite3 before the database; default: a list without heading. */
  mode?: string[];
}

/** The -shm file stays behind: SQLite builds it anew from the log, as it does after a crash. */
export async function copyAll(maps: DatabaseMaps, folder: string, context: Pick<CheckContext<unknown>, 'signal' | 'progress'>): Promise<void> {
  const totalBytes = (maps.database?.sizeBytes ?? 0) + (maps.wal?.sizeBytes ?? 0) + (maps.journal?.sizeBytes ?? 0);
  let doneBytes = 0;
  const onBytes = (bytes: number) => {
    doneBytes += bytes;
    context.progress({ stage: 'logical', what: `copying ${maps.location.path}`, doneBytes, totalBytes });
  };
  const { signal } = context;
  await withFiles(maps, async ({ database, wal, journal }) => {
    await copyTo(database, join(folder, COPY_NAME), signal, onBytes);
    if (wal) await copyTo(wal, join(folder, `${COPY_NAME}-wal`), signal, onBytes);
    if (journal) await copyTo(journal, join(folder, `${COPY_NAME}-journal`), signal, onBytes);
  });
}

export async function sqlite(folder: string, sql: string, { context, timeoutMs, mode = ['-noheader', '-list'] }: SqliteRequest): Promise<SandboxResult> {
  const request = {
    tool: 'sqlite3',
    // No start-up file, and nothing in a hostile schema may reach for files or extensions.
    args: ['-init', '/dev/null', '-batch', ...mode, '-safe', join(folder, COPY_NAME), `PRAGMA trusted_schema=OFF; ${sql}`],
    writable: [folder],
    cwd: folder,
    env: { HOME: folder, TMPDIR: folder, LC_ALL: 'C' },
    timeoutMs,
  };
  const result = await context.labs.sandbox.run(request, context.signal);
  if (result.timedOut) throw new LabError({ code: 'sqlite.timeout', message: `sqlite3 had not finished after ${Math.round(timeoutMs / 1000)} s` });
  if (result.exitCode === 127)
    throw new MissingToolError({ code: 'tool.sqlite3', message: 'the program sqlite3 is missing', advice: 'apt-get install sqlite3' });
  return result;
}
