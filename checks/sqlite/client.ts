/** Asks a SQLite database a question of the policy: the host's sqlite3, on a throw-away copy, in the sandbox. Values come as JSON, so that none can pass for another. */
import { rm } from 'node:fs/promises';
import type { CheckContext } from '../../src/check.js';
import { LabError, NotTestedError } from '../../src/errors.js';
import type { DatabaseInstance, SqlAnswer, SqlQuestion } from '../../src/types.js';
import { mapsOf } from './guest-database.js';
import { copyAll, sqlite } from './sqlite-copy.js';

const MAX_ROWS = 20;
/** Larger databases (with their log) are not copied. */
const MAX_BYTES = 4 * 1024 ** 3;
const HOW = "the host's sqlite3, in the sandbox, on a copy with its log";

export async function askDatabase(instance: DatabaseInstance, question: SqlQuestion, context: CheckContext<unknown>): Promise<SqlAnswer> {
  const maps = await mapsOf(instance, context);
  const sizeBytes = (maps.database?.sizeBytes ?? 0) + (maps.wal?.sizeBytes ?? 0);
  if (!maps.database) throw new LabError({ code: 'sqlite.ask.unreadable', message: `${maps.location.path} cannot be read` });
  if (sizeBytes > MAX_BYTES) throw new NotTestedError({ code: 'sqlite.ask.size', message: `${maps.location.path} has ${sizeBytes} bytes, too many to copy.` });
  const folder = await context.labs.scratchFolder();
  try {
    await copyAll(maps, folder, context);
    const timeoutMs = question.timeoutSeconds * 1000;
    // The log is taken in before: a database that may not be written cannot be recovered.
    await sqlite(folder, 'PRAGMA user_version;', { context, timeoutMs: 10 * 60_000 });
    const startedAt = performance.now();
    const result = await sqlite(folder, `PRAGMA query_only=ON; ${question.query}`, { context, timeoutMs, mode: ['-json'] }).catch((error) => {
      if (error instanceof LabError && error.code === 'sqlite.timeout') return error.message;
      throw error;
    });
    const seconds = (performance.now() - startedAt) / 1000;
    if (typeof result === 'string') return { rows: [], rowCount: 0, truncated: false, error: { kind: 'timeout', text: result }, seconds, how: HOW };
    return answerOf(result, seconds);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param result of `sqlite3 -json`: an array of objects, or nothing where there are no rows. */
export function answerOf(result: { stdout: string; stderr: string; truncated: boolean }, seconds: number): SqlAnswer {
  const answer: SqlAnswer = { rows: [], rowCount: 0, truncated: result.truncated, error: errorOf(result.stderr), seconds, how: HOW };
  if (answer.error || result.stdout.trim() === '') return answer;
  // A row stands on a line of its own: of a cut text the lines that came count.
  if (result.truncated) return { ...answer, rowCount: result.stdout.split('\n').length - 1 };
  const rows = rowsOf(result.stdout);
  if (!rows) return { ...answer, error: { kind: 'statement', text: 'its answer cannot be read: it must be one statement' } };
  return { ...answer, rows: rows.slice(0, MAX_ROWS).map((row) => Object.values(row).map(textOf)), rowCount: rows.length };
}

function rowsOf(text: string): Record<string, unknown>[] | null {
  try {
    const rows: unknown = JSON.parse(text);
    return Array.isArray(rows) && rows.every((row) => typeof row === 'object' && row !== null) ? rows : null;
  } catch {
    return null;
  }
}

function textOf(value: unknown): string | null {
  return value === null ? null : String(value);
}

/** https://www.sqlite.org/rescode.html: 11 corrupt, 26 not a database, 10 input or output. */
function errorOf(stderr: string): SqlAnswer['error'] {
  const text = stderr
    .split('\n')
    .find((line) => /error/i.test(line))
    ?.slice(0, 400);
  if (text === undefined) return null;
  if (/malformed|not a database|disk I\/O error/i.test(text)) return { kind: 'damage', text };
  return { kind: /no such table/i.test(text) ? 'absent' : 'statement', text };
}
