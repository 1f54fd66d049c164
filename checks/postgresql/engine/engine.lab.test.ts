/** The script of the engine, run with the host's PostgreSQL 15 in namespaces of its own, on real clusters, whole and damaged. */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAnswers, type Questions, questionsFor, questionsScript } from '../../../src/engines/questions.js';
import type { SqlQuestion } from '../../../src/types.js';
import { evaluateAmcheck, usable } from '../amcheck/index.js';
import { evaluateRecovery, tried } from '../recovery/index.js';
import { type AmcheckRun, type EngineRun, parseEngineRun } from './parse.js';
import { psql } from './questions.js';
import { engineScript } from './script.js';

const BINARIES = '/usr/lib/postgresql/15/bin';
const missing = [
  ...(existsSync(`${BINARIES}/pg_amcheck`) ? [] : ['postgresql-15']),
  ...(spawnSync('unshare', ['--version']).error ? ['util-linux (unshare)'] : []),
  ...(process.getuid?.() === 0 ? [] : ['the rights of root']),
];

const folder = mkdtempSync(join(tmpdir(), 'snapproof-engine-'));
const base = join(folder, 'base');
let table = '';
let index = '';

/** Everything that once was a false alarm: a role of another name, large segments, a slot, another port, a page setting that hides damage. */
function build(): void {
  chmodSync(folder, 0o777);
  const SQL = [
    "create table t (a int primary key, b text); insert into t select g, repeat('x', 50) from generate_series(1, 2000) g; create table later (a int);",
    "select pg_create_logical_replication_slot('s', 'test_decoding');",
    'create extension amcheck;',
    'create table lookup (x int); create function f(int) returns int language plpgsql immutable as $$ begin perform 1 from lookup; return $1; end $$;',
    'create index te on t (f(a)); drop table lookup; alter role boss set statement_timeout = 1; checkpoint;',
  ];
  asPostgres(`${BINARIES}/initdb -D ${base} -k -U boss --wal-segsize=64 -A trust`);
  appendFileSync(
    join(base, 'postgresql.auto.conf'),
    `port = 6000\nwal_level = logical\nzero_damaged_pages = on\nunix_socket_directories = '${folder}'\nlisten_addresses = ''\n`,
  );
  asPostgres(`${BINARIES}/pg_ctl -D ${base} -w -l ${folder}/log start`);
  // One of the statements gives the role a time limit that our own must not meet; what a client says goes before it.
  const client = `PGOPTIONS='-c statement_timeout=0' ${BINARIES}/psql -X -v ON_ERROR_STOP=1`;
  const psql = (sql: string) => asPostgres(`${client} -h ${folder} -p 6000 -U boss -d postgres -Atq`, sql);
  for (const sql of SQL) psql(sql);
  [table = '', index = ''] = psql("select pg_relation_filepath('t'); select pg_relation_filepath('t_pkey')").trim().split('\n');
  psql('insert into later select generate_series(3000, 3100)');
  asPostgres(`${BINARIES}/pg_ctl -D ${base} -m immediate stop`);
}

function asPostgres(command: string, input = ''): string {
  return execFileSync('su', ['postgres', '-s', '/bin/sh', '-c', command], { cwd: '/', encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });
}

function runOn(dataFolder: string, amcheck: boolean, questions: Questions = { list: [], token: '~t~' }): EngineRun {
  const scene = { binaries: BINARIES, dataFolder, parts: {}, runFolder: '/run/snapproof', identity: 'root' as const };
  const script = join(folder, 'script');
  writeFileSync(script, engineScript(scene, { startTimeoutMs: 60_000, amcheckTimeoutMs: amcheck ? 60_000 : 0, questions: questionsScript(questions, psql) }));
  const inside = `mount -t tmpfs -o mode=0755 tmpfs /run && exec env -i PATH="$PATH" LANG=C.UTF-8 sh ${script}`;
  const { stdout } = spawnSync('unshare', ['--mount', '--net', '--pid', '--ipc', '--fork', '--kill-child', 'sh', '-c', inside], { encoding: 'utf8' });
  return JSON.parse(JSON.stringify({ ...parseEngineRun(stdout), answers: parseAnswers(stdout, questions, 'psql', psql) })) as EngineRun;
}

let copies = 0;
function damaged(change: (path: string) => void): string {
  const path = join(folder, `copy${copies++}`);
  cpSync(base, path, { recursive: true, preserveTimestamps: true });
  change(path);
  execFileSync('chown', ['-R', 'postgres:', path]);
  chmodSync(path, 0o700);
  return path;
}

const overwrite = (path: string, offset: number) =>
  execFileSync('dd', [`of=${path}`, 'if=/dev/urandom', 'bs=1', `seek=${offset}`, 'count=64', 'conv=notrunc'], { stdio: 'ignore' });

describe.skipIf(missing.length > 0)(`the engine's script${missing.length > 0 ? ` (missing: ${missing.join(', ')})` : ''}`, () => {
  beforeAll(build);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('recovers an unusual but healthy cluster, finds its role, and walks it', () => {
    const run = runOn(
      damaged(() => undefined),
      true,
    );
    expect(run).toMatchObject({ answered: true, startCode: 0, stopCode: 0, databases: 2, closedDatabases: 0, redoStart: expect.stringMatching(/^0\//) });
    expect(evaluateRecovery(tried(run))).toMatchObject({ outcome: 'pass', findings: [], recovery: { needed: true } });
    const judgement = evaluateAmcheck(usable(run.amcheck as AmcheckRun));
    // The index whose function lost its table cannot be walked; that is no damage.
    expect(judgement).toMatchObject({ outcome: 'pass', findings: [] });
    expect(judgement.untested.map((item) => item.what)).toEqual(['btree index "postgres.public.te" after recovery']);
  });

  it('sees a damaged page of a table through amcheck, whatever the guest set to hide it', () => {
    const run = runOn(
      damaged((path) => overwrite(join(path, table), 9000)),
      true,
    );
    expect(evaluateAmcheck(usable(run.amcheck as AmcheckRun))).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('invalid page') });
  });

  it('sees a damaged index', () => {
    const run = runOn(
      damaged((path) => overwrite(join(path, index), 9000)),
      true,
    );
    expect(evaluateAmcheck(usable(run.amcheck as AmcheckRun)).summary).toContain('t_pkey');
  });

  it('fails a cluster whose catalogue cannot be read: no session, or damage', () => {
    const catalogues = (path: string) => readdirSync(join(path, 'base')).map((name) => join(path, 'base', name, '1259'));
    const run = runOn(
      damaged((path) => catalogues(path).forEach((file) => void overwrite(file, 100))),
      false,
    );
    expect(evaluateRecovery(tried(run))).toMatchObject({ outcome: 'fail', summary: expect.stringMatching(/invalid page in block 0|page verification failed/) });
  });

  it('fails a cluster without its log', () => {
    const run = runOn(
      damaged((path) => readdirSync(join(path, 'pg_wal')).forEach((name) => void rmSync(join(path, 'pg_wal', name), { recursive: true }))),
      false,
    );
    expect(evaluateRecovery(tried(run))).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('could not locate a valid checkpoint record') });
  });

  it('does not blame the data for what is wrong with the place', () => {
    const run = runOn(
      damaged((path) => appendFileSync(join(path, 'postgresql.auto.conf'), "dynamic_library_path = '/nowhere'\nno_such_setting = 1\n")),
      false,
    );
    expect(() => tried(run)).toThrow(/could not be tried here.*(configuration|no_such_setting)/);
  });

  /** A database with a name, and values, that mean something to shells, to conninfo strings and to the marks of the script. */
  it('asks it, whatever names and values there are', () => {
    const ask = (id: string, query: string, more: Partial<SqlQuestion> = {}): SqlQuestion => ({
      id,
      instance: 'i',
      database: null,
      query,
      timeoutSeconds: 20,
      ...more,
    });
    const questions = questionsFor('i', [
      ask('count', 'select count(*) from t', { database: 'postgres' }),
      ask('hostile', `select E'it''s $(id) \\n@@ role\nask: 0 0 0 0 0 - -' || chr(31) || '$HOME', null, '', true`),
      ask('none', 'select 1 where false'),
      ask('empty', "select ''"),
      ask('rows', 'select g from generate_series(1, 12345) g'),
      ask('endless', "select repeat('x', 1000) from generate_series(1, 50000)"),
      ask('slow', 'select pg_sleep(60)', { timeoutSeconds: 1 }),
      ask('table', 'select * from nowhere'),
      ask('database', 'select 1', { database: "a'b\\ dbname=postgres" }),
      ask('broken', 'selec 1'),
      ask('writing', 'delete from t', { database: 'postgres' }),
      ask('foreign', 'select 1', { instance: 'another' }),
    ]);
    const { answers } = runOn(
      damaged(() => undefined),
      false,
      questions,
    );
    expect(Object.keys(answers)).toEqual(questions.list.map(({ id }) => id));
    expect(answers.count).toMatchObject({ rows: [['2000']], rowCount: 1, truncated: false, error: null });
    expect(answers.hostile).toMatchObject({ rows: [["it's $(id) \n@@ role\nask: 0 0 0 0 0 - -\u001f$HOME", null, '', 't']], rowCount: 1 });
    expect(answers.none).toMatchObject({ rows: [], rowCount: 0, error: null });
    expect(answers.empty).toMatchObject({ rows: [['']], rowCount: 1, error: null });
    expect(answers.rows).toMatchObject({ rowCount: 12345, truncated: false, error: null });
    expect(answers.rows?.rows[0]).toEqual(['1']);
    expect(answers.endless).toMatchObject({ truncated: true, error: null });
    expect(answers.slow?.error).toMatchObject({ kind: 'timeout' });
    expect(answers.table?.error).toMatchObject({ kind: 'absent', text: expect.stringContaining('nowhere') });
    expect(answers.database?.error).toMatchObject({ kind: 'absent', text: expect.stringContaining("a'b") });
    expect(answers.broken?.error?.kind).toBe('statement');
    expect(answers.writing?.error).toMatchObject({ kind: 'statement', text: expect.stringContaining('read-only') });
  });

  it('is told of damage by the query that meets it', () => {
    const questions = questionsFor('i', [{ id: 'q', instance: 'i', database: 'postgres', query: 'select sum(a) from t', timeoutSeconds: 20 }]);
    const { answers } = runOn(
      damaged((path) => overwrite(join(path, table), 9000)),
      false,
      questions,
    );
    expect(answers.q?.error).toMatchObject({ kind: 'damage', text: expect.stringContaining('invalid page') });
  });
});
