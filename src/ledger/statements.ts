/** Statements of one connection, each prepared once. */
import type Database from 'better-sqlite3';
import type { LedgerDatabase } from './database.js';

const prepared = new WeakMap<LedgerDatabase, Map<string, Database.Statement>>();

/** @param sql a text of the program, never one with values in it: each is kept as long as the connection. */
export function statement<Values extends unknown[] | object, Row = unknown>(
  database: LedgerDatabase,
  sql: string,
): Database.Statement<Values extends unknown[] ? Values : [Values], Row> {
  const all = prepared.get(database) ?? new Map<string, Database.Statement>();
  prepared.set(database, all);
  const known = all.get(sql) ?? database.prepare(sql);
  all.set(sql, known);
  return known as unknown as Database.Statement<Values extends unknown[] ? Values : [Values], Row>;
}
