/** Check `sqlite/integrity-check`: see README.md beside this file. */
import { join } from 'node:path';
import { type CheckContext, defineCheck } from '../../../src/check.js';
import { LabError, MissingToolError } from '../../../src/errors.js';
import type { SandboxResult } from '../../../src/labs/lab.js';
import type { DatabaseInstance } from '../../../src/types.js';
import { instanceOf, notSqlite } from '../applies.js';
import { type DatabaseMaps, mapsOf, withFiles } from '../guest-database.js';
import { copyTo } from './copy.js';
import { type IntegrityEvidence, judge } from './judge.js';

export interface IntegrityOptions {
  /** Larger databases (with their log) are not copied and so not tested. */
  maxBytes: number;
}

const COPY_NAME = 'database';
const MAX_LINES = 20;
const MAX_LINE_LENGTH = 300;
const TOOL_TIMEOUT_MS = 25 * 60_000;
/** What the host's program cannot know of the guest's: then only the checks that need none of it can run. */
const FOREIGN = /no such (collation sequence|function|module|tokenizer)|unknown (tokenizer|function)/i;

export default defineCheck<IntegrityEvidence, IntegrityOptions>({
  id: 'sqlite/integrity-check',
  title: 'SQLite itself opens the database, recovers it and finds it intact',
  failureTitle: 'SQLite itself finds the database damaged',
  description:
    'Copies the database with its log into a throw-away folder and lets the sqlite3 program of the host recover it and run integrity_check in the sandbox. It compares every index with its table, which the static pass does not.',
  stage: 'logical',
  depth: 'recovery',
  targetKind: 'instance',
  lab: 'sandbox',
  timeoutMs: 30 * 60_000,
  optionsSchema: { type: 'object', additionalProperties: false, properties: { maxBytes: { type: 'integer', minimum: 0 } } },
  defaultOptions: { maxBytes: 4 * 1024 ** 3 },
  skipReason: notSqlite,
  collect: (target, context) => collect(instanceOf(target), context),
  evaluate: judge,
});

async function collect(instance: DatabaseInstance, context: CheckContext<IntegrityOptions>): Promise<IntegrityEvidence> {
  const maps = await mapsOf(instance, context);
  const { path, volume } = maps.location;
  const sizeBytes = (maps.database?.sizeBytes ?? 0) + (maps.wal?.sizeBytes ?? 0) + (maps.journal?.sizeBytes ?? 0);
  const evidence: IntegrityEvidence = { path, volume, sizeBytes, readable: maps.database !== null, ran: null };
  if (!maps.database || sizeBytes > context.options.maxBytes) return evidence;
  const folder = await context.labs.scratchFolder();
  await copyAll(maps, folder, sizeBytes, context);
  return { ...evidence, ran: await examine(folder, context) };
}

/** The -shm file stays behind: SQLite builds it anew from the log, as it does after a crash. */
async function copyAll(maps: DatabaseMaps, folder: string, totalBytes: number, context: CheckContext<IntegrityOptions>): Promise<void> {
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

async function examine(folder: string, context: CheckContext<IntegrityOptions>): Promise<IntegrityEvidence['ran']> {
  let pragma: 'integrity_check' | 'quick_check' = 'integrity_check';
  let result = await sqlite(folder, `PRAGMA ${pragma}(${MAX_LINES});`, context);
  const foreign = FOREIGN.exec(`${result.stdout}\n${result.stderr}`)?.[0] ?? null;
  if (foreign) {
    pragma = 'quick_check';
    result = await sqlite(folder, `PRAGMA ${pragma}(${MAX_LINES});`, context);
  }
  const keys = await sqlite(folder, 'SELECT count(*) FROM pragma_foreign_key_check;', context);
  const count = /^\d+$/.test(keys.stdout.trim()) ? Number(keys.stdout.trim()) : null;
  return { pragma, foreign, answer: lines(result.stdout), errors: lines(result.stderr), foreignKeyViolations: count, durationMs: result.durationMs };
}

async function sqlite(folder: string, sql: string, context: CheckContext<IntegrityOptions>): Promise<SandboxResult> {
  const request = {
    tool: 'sqlite3',
    // No start-up file, and nothing in a hostile schema may reach for files or extensions.
    args: ['-init', '/dev/null', '-batch', '-noheader', '-list', '-safe', join(folder, COPY_NAME), `PRAGMA trusted_schema=OFF; ${sql}`],
    writable: [folder],
    cwd: folder,
    env: { HOME: folder, TMPDIR: folder, LC_ALL: 'C' },
    timeoutMs: TOOL_TIMEOUT_MS,
  };
  const result = await context.labs.sandbox.run(request, context.signal);
  if (result.timedOut) throw new LabError({ code: 'sqlite.integrity.timeout', message: `sqlite3 had not finished after ${TOOL_TIMEOUT_MS / 60_000} minutes` });
  if (result.exitCode === 127)
    throw new MissingToolError({ code: 'tool.sqlite3', message: 'the program sqlite3 is missing', advice: 'apt-get install sqlite3' });
  return result;
}

function lines(text: string): string[] {
  const all = text.split('\n').filter((line) => line !== '');
  return all.slice(0, MAX_LINES).map((line) => line.slice(0, MAX_LINE_LENGTH));
}
