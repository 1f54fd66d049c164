/** Small real databases with everything the format knows, and in-process ground truth. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

export interface SampleChoices {
  pageSize?: number;
  autoVacuum?: 'none' | 'full' | 'incremental';
  encoding?: string;
  journalMode?: string;
  rows?: number;
}

/** Fills a new database; the caller closes it. */
export function openSample(path: string, choices: SampleChoices = {}): Database.Database {
  const { pageSize = 1024, autoVacuum = 'none', encoding = 'UTF-8', journalMode = 'delete', rows = 400 } = choices;
  const database = new Database(path);
  database.pragma(`page_size=${pageSize}`);
  database.pragma(`auto_vacuum=${autoVacuum}`);
  database.pragma(`encoding="${encoding}"`);
  database.pragma(`journal_mode=${journalMode}`);
  database.pragma('wal_autocheckpoint=0');
  database.exec(`CREATE TABLE entry (id INTEGER PRIMARY KEY, name TEXT, amount REAL, body BLOB);
    CREATE INDEX entry_name ON entry (name);
    CREATE INDEX entry_folded ON entry (name COLLATE NOCASE DESC);
    CREATE TABLE pair (k TEXT, v INTEGER, PRIMARY KEY (k, v)) WITHOUT ROWID;
    CREATE TABLE gone (filler BLOB);
    CREATE VIRTUAL TABLE words USING fts5(body);`);
  addRows(database, rows, 1);
  database.exec('INSERT INTO gone SELECT zeroblob(300) FROM entry; DELETE FROM gone');
  return database;
}

/** One transaction. */
export function addRows(database: Database.Database, rows: number, seed: number): void {
  const entry = database.prepare('INSERT INTO entry (name, amount, body) VALUES (?, ?, ?)');
  const pair = database.prepare('INSERT OR IGNORE INTO pair VALUES (?, ?)');
  const words = database.prepare('INSERT INTO words VALUES (?)');
  database.transaction(() => {
    for (let i = 0; i < rows; i++) {
      const name = ((i * 7919 + seed * 104729) % 99991).toString(36);
      entry.run(`${name} Name`, i / 3, Buffer.alloc(i % 40 === 0 ? 5000 : i % 90, name));
      pair.run(name, i * seed);
      if (i % 10 === 0) words.run(`${name} and more words`);
    }
  })();
}

/** Copies a database with its log as it lies there. */
export function copyDatabase(from: string, to: string, suffixes = ['', '-wal', '-journal', '-shm']): void {
  for (const suffix of suffixes) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
}

/** What SQLite itself says of a copy: `ok`, or its complaints. */
export function truthOf(path: string, folder: string): string {
  const copy = join(folder, `truth-${Math.random().toString(36).slice(2)}.db`);
  copyDatabase(path, copy, ['', '-wal', '-journal']);
  try {
    const database = new Database(copy);
    try {
      return (database.pragma('integrity_check(5)') as { integrity_check: string }[]).map((row) => row.integrity_check).join('; ');
    } finally {
      database.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Changes the bytes of a file in place, or puts those that `change` returns in their place. */
export function damage(path: string, change: (bytes: Buffer) => unknown): void {
  const bytes = readFileSync(path);
  const changed = change(bytes);
  writeFileSync(path, Buffer.isBuffer(changed) ? changed : bytes);
}
