/** Sessions that make, rewrite, shorten and remove tables, indexes and databases without a pause. What fails (a table that another session removed) is passed over. */
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import type { TestCluster } from './cluster.js';

const STATEMENTS = 20_000;
const TABLES = 8;

/** `T` stands for a table; several statements in one line are one round trip, and one transaction where it says so. */
const TABLE_WORK = [
  'create table T as select n as a, n::text as b from generate_series(1, RANDOM) n',
  'create table T as select n as a, repeat(md5(n::text), 100) as b from generate_series(1, 200) n',
  'create unlogged table T as select n as a, n::text as b from generate_series(1, RANDOM) n',
  'create table T (a serial primary key, b text)',
  'drop table if exists T cascade',
  'truncate T',
  'insert into T select n, n::text from generate_series(1, RANDOM) n',
  'delete from T where a > 100;\nvacuum T',
  'delete from T;\nvacuum T',
  'vacuum full T',
  'vacuum (analyze) T',
  'analyze T',
  'create index on T (a)',
  'create index T_b on T (b)',
  'create index concurrently T_c on T (a, b)',
  'reindex table T',
  'reindex table concurrently T',
  'drop index if exists T_b',
  'cluster T using T_b',
  'alter table T alter a type bigint',
  'alter table T alter a type integer',
  'alter table T set unlogged',
  'alter table T set logged',
  'alter table T set tablespace other',
  'alter table T set tablespace pg_default',
  'begin; create table T as select n as a, n::text as b from generate_series(1, RANDOM) n; rollback',
  'begin; drop table if exists T; rollback',
  'begin; truncate T; savepoint s; truncate T; rollback to s; commit',
  'begin; create table T (a int, b text); insert into T select n, n from generate_series(1, RANDOM) n; truncate T; commit',
  "begin; create table T (a int, b text); prepare transaction 'T'; commit prepared 'T'",
  "begin; drop table T; prepare transaction 'T'; rollback prepared 'T'",
  'create materialized view T_m as select * from T',
  'refresh materialized view T_m',
  'create sequence T_s',
  "select nextval('T_s')",
  'drop sequence T_s',
  'create temporary table T_t as select 1 as a; drop table T_t',
];
const CATALOGUE_WORK = [
  'vacuum full pg_class',
  'reindex table pg_class',
  'vacuum pg_class',
  'vacuum full pg_attribute',
  'reindex index concurrently pg_depend_reference_index',
  'checkpoint',
];
const DATABASE_WORK = [
  'create database D',
  'create database D strategy file_copy',
  'drop database if exists D',
  'alter database D set tablespace other',
  'alter database D set tablespace pg_default',
  'vacuum full pg_database',
  'checkpoint',
];

export class DdlLoad {
  private constructor(private readonly sessions: ChildProcess[]) {}

  /** The cluster has a tablespace `other` and allows prepared transactions. */
  static start(cluster: TestCluster): DdlLoad {
    const tables = [0, 1, 2].map((session) => script(() => tableWork(session)));
    const databases = script(() => pick(DATABASE_WORK).replaceAll('D', `churn${randomInt(2)}`));
    return new DdlLoad([...tables, databases].map((text) => cluster.session(text)));
  }

  stop(): void {
    for (const session of this.sessions) session.kill('SIGKILL');
  }
}

function script(next: () => string): string {
  return Array.from({ length: STATEMENTS }, () => `${next()};\n`).join('');
}

/** Sessions share tables, so that they get into each other's way. */
function tableWork(session: number): string {
  if (randomInt(60) === 0) return pick(CATALOGUE_WORK);
  const table = `churn_${(randomInt(TABLES) + session * 5) % (TABLES + 4)}`;
  return pick(TABLE_WORK)
    .replaceAll('T', table)
    .replaceAll('RANDOM', String(randomInt(20_000)));
}

function pick(list: readonly string[]): string {
  return list[randomInt(list.length)] ?? '';
}
