/**
 * What the chain of hashes does not cover: the tables as such and the indexes, by which records are found. Whoever hides a failed record from an
 * index changes no hash, and a search would miss it.
 */
import Database from 'better-sqlite3';
import type { LedgerDatabase } from './database.js';
import { FILES_OF_RECORDS, STEPS } from './tables.js';

const MOST_PROBLEMS = 20;
/** SQLite's own tables come and go by themselves. */
const SCHEMA = "SELECT type || ' ' || name AS what, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'";

/** @returns what is wrong, one sentence each; empty: nothing */
export function checkFile(database: LedgerDatabase): string[] {
  return [...schemaProblems(database), ...damage(database), ...fileProblems(database)];
}

function schemaProblems(database: LedgerDatabase): string[] {
  const expected = expectedSchema();
  const found = schemaOf(database);
  const missing = [...expected].filter(([what, sql]) => found.get(what) !== sql);
  const foreign = [...found.keys()].filter((what) => !expected.has(what));
  return [
    ...missing.map(([what]) => `The ${what} is ${found.has(what) ? 'not what snapproof made' : 'missing'}.`),
    ...foreign.map((what) => `The ${what} was put in.`),
  ];
}

function expectedSchema(): Map<string, string> {
  const fresh = new Database(':memory:');
  try {
    for (const step of Object.values(STEPS)) fresh.exec(step);
    return schemaOf(fresh);
  } finally {
    fresh.close();
  }
}

function schemaOf(database: LedgerDatabase): Map<string, string> {
  return new Map(
    database
      .prepare<[], { what: string; sql: string }>(SCHEMA)
      .all()
      .map(({ what, sql }) => [what, sql]),
  );
}

/** Pages, and every index against its table. */
function damage(database: LedgerDatabase): string[] {
  const lines = database.pragma(`integrity_check(${MOST_PROBLEMS})`) as { integrity_check: string }[];
  return lines
    .map(({ integrity_check: text }) => text)
    .filter((text) => text !== 'ok')
    .map((text) => `SQLite finds: ${text.slice(0, 300)}.`);
}

/** The table of digests against what the records say, both ways. */
function fileProblems(database: LedgerDatabase): string[] {
  const seqs = (sql: string): number[] => database.prepare(`SELECT DISTINCT seq FROM (${sql}) LIMIT ${MOST_PROBLEMS}`).pluck().all() as number[];
  const table = 'SELECT sha256, seq FROM files';
  return [
    ...seqs(`${FILES_OF_RECORDS} EXCEPT ${table}`).map((seq) => `Entry ${seq} is not found by the digests of its files: they were taken out of their table.`),
    ...seqs(`${table} EXCEPT ${FILES_OF_RECORDS}`).map((seq) => `The table of digests names files that entry ${seq} does not have.`),
  ];
}
