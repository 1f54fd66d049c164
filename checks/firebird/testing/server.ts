/** Real databases under load, by the engine embedded in Firebird's own tools: no server is started, nothing listens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';

export function missingTool(): string | null {
  return ['isql-fb', 'gfix', 'gbak'].find((tool) => execaSync('which', [tool], { reject: false }).exitCode !== 0) ?? null;
}

function environment(folder: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin', FIREBIRD_LOCK: folder, FIREBIRD_TMP: folder, ISC_USER: 'SYSDBA', HOME: folder };
}

/** Runs a script and waits. Throws when isql finds an error in it. */
export function isql(folder: string, script: string): void {
  execaSync('isql-fb', ['-q', '-bail'], { input: script, cwd: folder, env: environment(folder), extendEnv: false, timeout: 60_000 });
}

/**
 * What the engine says of a copy when it reads all of it (gbak); empty when nothing is wrong. `gfix -v -full` is no such word on a copy
 * of a database in use: it counts pages and index entries of unfinished transactions as errors.
 */
export function engineSays(folder: string, path: string): string {
  const options = { env: environment(folder), extendEnv: false, reject: false, timeout: 60_000 } as const;
  const backup = execaSync('gbak', ['-b', '-g', path, `${path}.fbk`], options);
  rmSync(`${path}.fbk`, { force: true });
  if (backup.exitCode !== 0) return `gbak: ${String(backup.stderr)}`;
  const queries =
    "select count(*) from account where owner like '%'; select count(*) from entry where moved > timestamp '2000-01-01' and char_length(text) >= 0;";
  const read = execaSync('isql-fb', ['-q', '-bail', path], { ...options, input: queries });
  return read.exitCode === 0 ? '' : `isql: ${String(read.stdout)} ${String(read.stderr)}`;
}

/** The words of Firebird's own checker. */
export function gfixSays(folder: string, path: string): string {
  const { stdout, stderr } = execaSync('gfix', ['-v', '-full', '-n', path], { env: environment(folder), extendEnv: false, reject: false, timeout: 60_000 });
  return `${String(stdout)}${String(stderr)}`.trim();
}

const TABLES = `
create table account (id int primary key, owner varchar(60), amount int, note varchar(400));
create table entry (id int primary key, account int references account (id), text blob sub_type text, moved timestamp);
create descending index entry_moved on entry (moved);
create index account_owner on account (owner, amount);
create sequence entries;
commit;`;

export function createDatabase(folder: string, pageBytes = 8192): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'live.fdb');
  isql(folder, `create database '${path}' page_size ${pageBytes};${TABLES}`);
  return path;
}

/** Some transactions: inserts, updates that leave versions behind, deletes, blobs of several levels, a table that comes and goes. */
function round(number: number): string {
  const base = number * 40;
  const lines = [];
  for (let i = 0; i < 40; i++) {
    const id = base + i;
    const note = 'n'.repeat((id * 37) % 390);
    lines.push(`insert into account values (${id}, 'owner ${(id * 7919) % 1000} ${'o'.repeat(id % 40)}', ${id % 97}, '${note}');`);
    const text = 't'.repeat(1 + ((id * 613) % 900));
    lines.push(
      `insert into entry values (next value for entries, ${id}, rpad('${text}', ${i === 7 ? 30_000 : 1000}, 'x'), dateadd(${id} second to timestamp '2024-01-01'));`,
    );
    if (i % 10 === 9) lines.push('commit;');
  }
  lines.push(
    `update account set amount = amount + 1, note = note || 'longer than it was' where mod(id, 7) = ${number % 7} and char_length(note) < 350;`,
    'commit;',
  );
  lines.push(`delete from entry where mod(id, 11) = ${number % 11} and id < ${base};`, 'commit;');
  if (number % 4 === 1)
    lines.push(
      `create table passing${number} (id int primary key, x varchar(2000)); commit;`,
      `insert into passing${number} values (1, rpad('a', 1900, 'b')); commit;`,
    );
  if (number % 4 === 3) lines.push(`drop table passing${number - 2}; commit;`);
  lines.push(`update account set owner = 'r' where id < ${base};`, 'rollback;');
  return lines.join('\n');
}

/** Tables that are made, filled and dropped, one after the other. */
export function dropping(tables: number): string {
  return Array.from(
    { length: tables },
    (_, i) =>
      `create table passing${i} (id int primary key, x varchar(2000)); commit; insert into passing${i} values (1, rpad('a', 1900, 'b')); commit; drop table passing${i}; commit;`,
  ).join('\n');
}

export class Load {
  private constructor(
    private readonly child: ChildProcess,
    private readonly path: string,
  ) {}

  static start(folder: string, path: string, rounds: number, first = 0): Load {
    return Load.run(folder, path, Array.from({ length: rounds }, (_, i) => round(first + i)).join('\n'));
  }

  /** Statements of isql. */
  static run(folder: string, path: string, statements: string): Load {
    const script = join(folder, 'load.sql');
    writeFileSync(script, `connect '${path}';\n${statements}\n`);
    const child = spawn('isql-fb', ['-q', '-i', script], { cwd: folder, env: environment(folder), stdio: 'ignore' });
    return new Load(child, path);
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** A copy between two system calls of the writer. */
  capture(to: string): void {
    this.child.kill('SIGSTOP');
    try {
      copyFileSync(this.path, to);
    } finally {
      this.child.kill('SIGCONT');
    }
  }

  async finished(): Promise<void> {
    while (this.running) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async stop(): Promise<void> {
    if (this.running) this.child.kill('SIGKILL');
    await this.finished();
  }
}
