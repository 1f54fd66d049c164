/** Programs that write a database without pause, and captures of their files while they are stopped in mid-write. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Workload {
  journalMode: 'wal' | 'delete' | 'persist' | 'truncate';
  pageSize: number;
  autoVacuum: 'none' | 'full' | 'incremental';
  encoding: 'UTF-8' | 'UTF-16le' | 'UTF-16be';
  seed: number;
}

/** Runs in a process of its own, so that it can be stopped between any two system calls. */
const PROGRAM = `
import Database from 'better-sqlite3';
const { path, journalMode, pageSize, autoVacuum, encoding, seed } = JSON.parse(process.argv[1]);
let state = seed >>> 0;
const random = (n) => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor((state / 2 ** 32) * n); };
const db = new Database(path, { timeout: 20000 });
db.pragma('page_size=' + pageSize);
db.pragma('auto_vacuum=' + autoVacuum);
db.pragma('encoding="' + encoding + '"');
db.pragma('journal_mode=' + journalMode);
db.pragma('cache_size=' + (5 + random(60)));
db.pragma('wal_autocheckpoint=' + (20 + random(300)));
db.pragma('synchronous=' + ['OFF', 'NORMAL', 'FULL'][random(3)]);
db.exec(\`CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, tag TEXT, amount REAL, body BLOB);
  CREATE INDEX IF NOT EXISTS entry_name ON entry (name); CREATE INDEX IF NOT EXISTS entry_tag ON entry (tag, amount DESC);
  CREATE INDEX IF NOT EXISTS entry_amount ON entry (amount);
  CREATE TABLE IF NOT EXISTS pair (k TEXT, v INTEGER, note TEXT, PRIMARY KEY (k, v)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS mark (id INTEGER PRIMARY KEY, code TEXT UNIQUE, size INT); CREATE INDEX IF NOT EXISTS mark_size ON mark (size);
  CREATE VIRTUAL TABLE IF NOT EXISTS text USING fts5(body);\`);
const word = () => ['ape', 'Bee', 'cat', 'dog', 'Élan', 'fox', 'ибис'][random(7)] + random(100000).toString(36);
const insert = db.prepare('INSERT INTO entry (name, tag, amount, body) VALUES (?, ?, ?, randomblob(?))');
const pair = db.prepare('INSERT OR REPLACE INTO pair VALUES (?, ?, ?)');
const mark = db.prepare('INSERT OR REPLACE INTO mark VALUES (?, ?, ?)');
const text = db.prepare('INSERT INTO text VALUES (?)');
const change = db.prepare('UPDATE entry SET name = ?, body = randomblob(?) WHERE id % 37 = ?');
const remove = db.prepare('DELETE FROM entry WHERE id % 41 = ?');
const negative = db.prepare('INSERT OR IGNORE INTO entry (id, name) VALUES (?, ?)');
process.stdout.write('ready');
for (;;) {
  const abort = random(8) === 0;
  try {
    db.transaction(() => {
      for (let i = random(60); i >= 0; i--) {
        insert.run(word(), word(), random(1e9) / 7 - 5e7, random(10) === 0 ? random(60000) : random(200));
        pair.run(word(), random(1e6) - 5e5, word().repeat(random(10)));
        mark.run(random(2) ? random(5000) : random(2 ** 31) * 2 ** 20, word(), random(1000) - 500);
        if (random(5) === 0) text.run([word(), word(), word()].join(' '));
        if (random(9) === 0) negative.run(-random(2 ** 31) * 2 ** 10, word());
      }
      if (random(3) === 0) change.run(word(), random(3000), random(37));
      if (random(3) === 0) remove.run(random(41));
      if (random(12) === 0) db.exec('DELETE FROM entry WHERE id < (SELECT avg(id) FROM entry)');
      if (abort) throw new Error('rolled back');
    })();
    if (autoVacuum === 'incremental' && random(5) === 0) db.pragma('incremental_vacuum(20)');
    if (random(150) === 0) db.exec('VACUUM');
    if (random(100) === 0) db.exec('CREATE TABLE IF NOT EXISTS t' + random(20) + ' AS SELECT * FROM mark LIMIT 50');
    if (random(100) === 0) db.exec('DROP TABLE IF EXISTS t' + random(20));
  } catch (error) {
    if (error.message !== 'rolled back' && error.code !== 'SQLITE_BUSY' && error.code !== 'SQLITE_LOCKED') throw error;
  }
}`;

export class LoadedDatabase {
  private constructor(
    readonly path: string,
    private readonly writers: ChildProcess[],
  ) {}

  /** Starts `count` writers on one database; resolves when all of them write. */
  static async start(path: string, workload: Workload, count = 1): Promise<LoadedDatabase> {
    const loaded = new LoadedDatabase(path, []);
    try {
      for (let i = 0; i < count; i++) await loaded.addWriter({ path, ...workload, seed: workload.seed + 7919 * i });
    } catch (error) {
      await loaded.stop();
      throw error;
    }
    return loaded;
  }

  private async addWriter(argument: object): Promise<void> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, JSON.stringify(argument)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.writers.push(child);
    await new Promise((resolve, reject) => {
      child.stdout?.once('data', resolve);
      child.once('exit', (code) => reject(new Error(`the writer ended with ${code}`)));
    });
  }

  /** Copies the database with its log while every writer stands still, wherever it is. */
  async capture(folder: string, name = 'captured.db'): Promise<string> {
    for (const writer of this.writers) writer.kill('SIGSTOP');
    try {
      for (const writer of this.writers) await hasStopped(writer.pid ?? 0);
      const target = join(folder, name);
      for (const suffix of ['', '-wal', '-journal', '-shm']) {
        if (existsSync(this.path + suffix)) copyFileSync(this.path + suffix, target + suffix);
      }
      return target;
    } finally {
      for (const writer of this.writers) writer.kill('SIGCONT');
    }
  }

  async stop(): Promise<void> {
    for (const writer of this.writers) {
      if (writer.exitCode !== null) continue;
      const ended = new Promise((resolve) => writer.once('exit', resolve));
      writer.kill('SIGKILL');
      await ended;
    }
  }
}

async function hasStopped(pid: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
    if (state === 'T' || state === 'Z') return;
    await sleep(2);
  }
  throw new Error(`the writer ${pid} did not stop`);
}
