/** Questions of the policy, answered by the real sqlite3 program. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Sandbox } from '../../src/labs/lab.js';
import { openSandbox } from '../../src/labs/sandbox/index.js';
import type { SqlAnswer, SqlQuestion } from '../../src/types.js';
import { contextOver } from '../testing/folder-guest.js';
import { askDatabase } from './client.js';
import { targetAt } from './testing/instance.js';
import { addRows, copyDatabase, damage, openSample } from './testing/sample.js';
import { directSandbox, missingProgram } from './testing/sqlite-program.js';

const folder = mkdtempSync(join(tmpdir(), 'snapproof-ask-'));
const scratchParent = mkdtempSync(join(tmpdir(), 'snapproof-ask-scratch-'));
const scratchFolder = async () => mkdtempSync(join(scratchParent, 'copy-'));
let table = '';
let rows = 0;
beforeAll(() => {
  expect(missingProgram()).toBeNull();
  const database = openSample(join(folder, 'live.db'), { journalMode: 'wal' });
  addRows(database, 60, 2);
  table = String(database.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite%' limit 1").pluck().get());
  rows = Number(database.prepare(`select count(*) from "${table}"`).pluck().get());
  copyDatabase(join(folder, 'live.db'), join(folder, 'whole.db'));
  database.pragma('wal_checkpoint(TRUNCATE)');
  copyDatabase(join(folder, 'live.db'), join(folder, 'damaged.db'), ['']);
  database.close();
  damage(join(folder, 'damaged.db'), (bytes) => bytes.fill(0, 1024));
});
afterAll(() => {
  for (const path of [folder, scratchParent]) rmSync(path, { recursive: true, force: true });
});

async function ask(query: string, name = 'whole.db', timeoutSeconds = 20, sandbox: Sandbox = directSandbox): Promise<SqlAnswer> {
  const target = targetAt(`/${name}`);
  const question: SqlQuestion = { id: 'q', instance: target.id, database: null, query, timeoutSeconds };
  const answer = await askDatabase(target.instance, question, contextOver(folder, { options: {}, labs: { sandbox, scratchFolder } }));
  expect(readdirSync(scratchParent)).toEqual([]);
  return answer;
}

it('counts what is in the log too, and leaves the original as it was', async () => {
  const before = readFileSync(join(folder, 'whole.db'));
  expect(await ask(`select count(*) as n from "${table}"`)).toMatchObject({ rows: [[String(rows)]], rowCount: 1, truncated: false, error: null });
  expect(readFileSync(join(folder, 'whole.db')).equals(before)).toBe(true);
});

it('tells values apart, whatever they hold', async () => {
  const value = `'a''b' || char(10) || '[{"x":1}]' || char(27)`;
  expect(await ask(`select ${value}, null as b, '' as c, 1.5 as d`)).toMatchObject({ rows: [['a\'b\n[{"x":1}]\u001b', null, '', '1.5']], rowCount: 1 });
  expect(await ask('select 1 where 0')).toMatchObject({ rows: [], rowCount: 0, error: null });
});

it('says what kept it from answering', async () => {
  expect((await ask('select * from nowhere')).error).toMatchObject({ kind: 'absent' });
  expect((await ask('selec 1')).error).toMatchObject({ kind: 'statement' });
  expect((await ask('select 1; select 2')).error).toMatchObject({ kind: 'statement' });
  expect((await ask(`delete from "${table}"`)).error).toMatchObject({ kind: 'statement' });
  expect((await ask(`select count(*) from "${table}"`, 'damaged.db')).error).toMatchObject({ kind: 'damage' });
  const endless = 'with recursive c(n) as (select 1 union all select n + 1 from c) select count(*) from c';
  expect((await ask(endless, 'whole.db', 1)).error).toMatchObject({ kind: 'timeout' });
});

it('reads no more of a huge answer than it must', async () => {
  const many = "with recursive c(n) as (select 1 union all select n + 1 from c where n < 100000) select n, printf('%.200c', 'x') as t from c";
  const sandbox = openSandbox();
  try {
    const answer = await ask(many, 'whole.db', 20, sandbox);
    expect(answer).toMatchObject({ truncated: true, rows: [], error: null });
    expect(answer.rowCount).toBeGreaterThan(1000);
  } finally {
    await sandbox.close();
  }
});
