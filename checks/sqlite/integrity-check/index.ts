/** Check `sqlite/integrity-check`: see README.md beside this file. */
import { type CheckContext, defineCheck, instanceOf } from '../../../src/check.js';
import type { DatabaseInstance } from '../../../src/types.js';
import { notSqlite } from '../applies.js';
import { mapsOf } from '../guest-database.js';
import { copyAll, sqlite } from '../sqlite-copy.js';
import { type IntegrityEvidence, judge } from './judge.js';

export interface IntegrityOptions {
  /** Larger databases (with their log) are not copied and so not tested. */
  maxBytes: number;
}

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
  const walBytes = maps.wal?.sizeBytes ?? 0;
  const evidence: IntegrityEvidence = { path, volume, sizeBytes, walBytes, readable: maps.database !== null, ran: null };
  if (!maps.database || sizeBytes > context.options.maxBytes) return evidence;
  const folder = await context.labs.scratchFolder();
  await copyAll(maps, folder, context);
  return { ...evidence, ran: await examine(folder, context) };
}

async function examine(folder: string, context: CheckContext<IntegrityOptions>): Promise<IntegrityEvidence['ran']> {
  const request = { context, timeoutMs: TOOL_TIMEOUT_MS };
  let pragma: 'integrity_check' | 'quick_check' = 'integrity_check';
  let result = await sqlite(folder, `PRAGMA ${pragma}(${MAX_LINES});`, request);
  const foreign = FOREIGN.exec(`${result.stdout}\n${result.stderr}`)?.[0] ?? null;
  if (foreign) {
    pragma = 'quick_check';
    result = await sqlite(folder, `PRAGMA ${pragma}(${MAX_LINES});`, request);
  }
  const keys = await sqlite(folder, 'SELECT count(*) FROM pragma_foreign_key_check;', request);
  const count = /^\d+$/.test(keys.stdout.trim()) ? Number(keys.stdout.trim()) : null;
  return { pragma, foreign, answer: lines(result.stdout), errors: lines(result.stderr), foreignKeyViolations: count, durationMs: result.durationMs };
}

function lines(text: string): string[] {
  const all = text.split('\n').filter((line) => line !== '');
  return all.slice(0, MAX_LINES).map((line) => line.slice(0, MAX_LINE_LENGTH));
}
