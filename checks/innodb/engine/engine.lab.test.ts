/** The host's MariaDB in the real sandbox, on copies of captures of a working server, whole and damaged. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSandbox } from '../../../src/labs/sandbox/index.js';
import type { Judgement, SqlQuestion } from '../../../src/types.js';
import { hostEngineContext } from '../../../test/labs/engine/host-engine.js';
import { openFolders } from '../../testing/folder-guest.js';
import { complete, evaluateCheck } from '../check-table/index.js';
import { innodbFinder } from '../find.js';
import { complaints, evaluateRecovery, tried } from '../recovery/index.js';
import { missingTools, TestServer } from '../testing/server.js';
import type { EngineRun } from './parse.js';
import { runEngine } from './run.js';

const missing = missingTools();
const scratch = mkdtempSync(join(tmpdir(), 'snapproof-mariadb-'));
const sandbox = openSandbox();
let server: TestServer;
let early = '';
let late = '';

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function capture(): Promise<void> {
  server = await TestServer.create();
  server.startLoad(2);
  await wait(1500);
  early = server.capture('early');
  await wait(2500);
  late = server.capture('late');
  server.stopLoad();
  await server.stop();
}

async function runOn(folders: Record<string, string>, ask: Partial<SqlQuestion>[] = []): Promise<EngineRun> {
  const { instances, context } = await openFolders(folders, innodbFinder);
  const [instance] = instances;
  if (!instance) throw new Error('no instance was found');
  const questions = ask.map((one) => ({ id: '', instance: instance.id, database: 'load_test', query: '', timeoutSeconds: 30, ...one }));
  const engineContext = hostEngineContext({ files: context.labs.files, sandbox, scratch, questions });
  return JSON.parse(JSON.stringify(await runEngine({ kind: 'instance', id: instance.id, instance }, engineContext))) as EngineRun;
}

function judged(run: EngineRun): { recovery: Judgement; tables: Judgement | null } {
  const tables = run.check && evaluateCheck(complete({ ...run.check, recovered: run.recovery !== null, complaints: complaints(run) }));
  return { recovery: evaluateRecovery(tried(run)), tables };
}

let copies = 0;
const copyOf = (folder: string, change: (path: string) => void): string => {
  const path = server.copy(folder, `copy${copies++}`);
  change(path);
  return path;
};

describe.skipIf(missing !== '')(`MariaDB of the host, in the sandbox${missing === '' ? '' : ` (missing: ${missing})`}`, () => {
  beforeAll(capture, 60_000);
  afterAll(async () => {
    await sandbox.close();
    await server?.destroy();
    rmSync(scratch, { recursive: true, force: true });
  });

  it.each(['early', 'late'])('recovers a hot capture and finds every table sound: %s', async (name) => {
    const run = await runOn({ v: name === 'early' ? early : late });
    expect(run).toMatchObject({ up: true, stopped: true, prepared: false, recovery: { from: expect.any(String) }, use: { engine: 'host' } });
    const { recovery, tables } = judged(run);
    expect(recovery).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', recovery: { needed: true } });
    expect(recovery.recovery?.bytes).toBeGreaterThan(0);
    expect(tables).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', untested: [] });
    expect(run.check?.sound).toBeGreaterThan(30);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('answers what the policy asks, whatever names and values there are', async () => {
    const long = `select '${'x'.repeat(3000)}' from nowhere`;
    const { answers = {} } = await runOn({ v: server.data }, [
      { id: 'count', query: 'select count(*) >= 2000 from journal' },
      { id: 'hostile', query: `select concat('it''s <row>&amp;"', char(10), '@@ up', char(10), 'ask: 0 0 0 0 0 - -'), null, '', 'NULL', '$(id)' /* ; */;` },
      { id: 'none', query: 'select 1 from accounts where false' },
      { id: 'rows', query: 'select seq from mysql.seq_1_to_12345', database: null },
      { id: 'endless', query: "select repeat('x', 1000) from seq_1_to_50000" },
      { id: 'slow', query: 'select sleep(60)', timeoutSeconds: 1 },
      { id: 'table', query: long },
      { id: 'database', query: 'select 1', database: "no'such $(db)" },
      { id: 'broken', query: 'selec 1' },
      { id: 'writing', query: 'delete from plain' },
      { id: 'making', query: 'create table made (a int)' },
      { id: 'two', query: 'select 1; select 2' },
      { id: 'shell', query: '/* */ \\! echo x' },
      { id: 'foreign', query: 'select 1', instance: 'another' },
    ]);
    expect(Object.keys(answers)).not.toContain('foreign');
    expect(answers.count).toMatchObject({ rows: [['1']], rowCount: 1, truncated: false, error: null, how: expect.stringContaining('in the sandbox') });
    expect(answers.hostile).toMatchObject({ rows: [['it\'s <row>&amp;"\n@@ up\nask: 0 0 0 0 0 - -', null, '', 'NULL', '$(id)']], rowCount: 1, error: null });
    expect(answers.none).toMatchObject({ rows: [], rowCount: 0, error: null });
    expect(answers.rows).toMatchObject({ rowCount: 12345, truncated: false, error: null });
    expect(answers.rows?.rows[0]).toEqual(['1']);
    expect(answers.endless).toMatchObject({ truncated: true, error: null });
    expect(answers.slow?.error).toMatchObject({ kind: 'timeout' });
    expect(answers.table?.error).toMatchObject({ kind: 'absent', text: expect.stringContaining('nowhere') });
    expect(answers.database?.error).toMatchObject({ kind: 'absent' });
    for (const id of ['broken', 'two', 'shell']) expect([id, answers[id]?.error?.kind]).toEqual([id, 'statement']);
    for (const id of ['writing', 'making']) expect(answers[id]?.error?.text).toContain('READ ONLY');
  });

  it('keeps its evidence small where many tables complain, and counts what it does not show', async () => {
    const make = Array.from(
      { length: 130 },
      (_, i) => `create table m${i} (id int primary key, v varchar(100)) engine=myisam select seq id, md5(seq) v from seq_1_to_50;`,
    );
    const many = await TestServer.create({ schema: `create database load_test; use load_test; ${make.join('\n')}` });
    try {
      await many.stop();
      for (let i = 0; i < 130; i++) truncateSync(join(many.data, `load_test/m${i}.MYD`), 300);
      const run = await runOn({ v: many.data });
      expect(run.check).toMatchObject({ complained: 130, timedOut: false });
      expect(run.check?.lines.length).toBeLessThanOrEqual(600);
      expect(new Set(run.check?.lines.map(({ table }) => table)).size).toBeLessThanOrEqual(101);
      const { tables } = judged(run);
      expect(tables).toMatchObject({ outcome: 'fail', untested: [{ what: '30 further tables', holdsData: true }] });
      expect(tables?.findings.length).toBeLessThan(30);
    } finally {
      await many.destroy();
    }
  });

  it('tells damage from a table of an engine that cannot be checked', async () => {
    const other = await TestServer.create({ schema: 'create database load_test; use load_test; create table m (a int) engine=memory; create table t (a int)' });
    try {
      await other.stop();
      const { tables } = judged(await runOn({ v: other.data }));
      expect(tables).toMatchObject({ outcome: 'pass', untested: [{ what: 'table load_test.m', holdsData: false }] });
    } finally {
      await other.destroy();
    }
  });

  it('needs nothing for a server that was shut down', async () => {
    const { recovery, tables } = judged(await runOn({ v: server.data }));
    expect(recovery).toMatchObject({ outcome: 'pass', instanceState: 'clean', recovery: { needed: false } });
    expect(tables).toMatchObject({ outcome: 'pass', instanceState: 'clean' });
  });

  it('fails when one table is of a later instant: the server starts, and the table is corrupt', async () => {
    const skewed = copyOf(early, (path) => copyFileSync(join(late, 'load_test/accounts.ibd'), join(path, 'load_test/accounts.ibd')));
    const { recovery, tables } = judged(await runOn({ v: skewed }));
    expect([recovery.outcome, tables?.outcome]).toContain('fail');
    expect(['non-atomic', 'damaged']).toContain(recovery.outcome === 'fail' ? recovery.instanceState : tables?.instanceState);
  });

  it('fails when the log is of an earlier instant', async () => {
    const skewed = copyOf(late, (path) => copyFileSync(join(early, 'ib_logfile0'), join(path, 'ib_logfile0')));
    const { recovery } = judged(await runOn({ v: skewed }));
    expect(recovery).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('InnoDB'), advice: expect.stringMatching(/\S/) });
    expect(['non-atomic', 'damaged']).toContain(recovery.instanceState);
  });

  it('fails without its log', async () => {
    const { recovery } = judged(await runOn({ v: copyOf(late, (path) => rmSync(join(path, 'ib_logfile0'))) }));
    expect(recovery).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('InnoDB'), instanceState: expect.stringMatching(/damaged|non-atomic/) });
  });

  it('fails for a table that was overwritten, of whatever engine', async () => {
    for (const file of ['load_test/documents.ibd', 'load_test/plain.MYD', 'load_test/journal.MAD']) {
      const damage = (path: string) =>
        execFileSync('dd', ['if=/dev/urandom', `of=${join(path, file)}`, 'bs=4096', 'seek=13', 'count=6', 'conv=notrunc'], { stdio: 'ignore' });
      const { recovery, tables } = judged(await runOn({ v: copyOf(server.data, damage) }));
      expect([file, recovery.outcome === 'fail' || tables?.outcome === 'fail']).toEqual([file, true]);
    }
  });

  it('is not kept from starting by a binary log that stays away, and finds a redo log in a folder of its own', async () => {
    const settings = ['--log-bin=FOLDER/data/mine-bin', '--sync-binlog=1', '--innodb-log-group-home-dir=FOLDER/log'];
    const other = await TestServer.create({ settings, folders: ['log'] });
    try {
      other.startLoad(4);
      for (const name of ['one', 'two', 'three']) {
        await wait(700);
        const parts = other.captureParts(name, ['data', 'log']);
        const run = await runOn({ v: join(parts, 'data'), w: join(parts, 'log') });
        expect(run).toMatchObject({ up: true, recovery: { from: expect.any(String) } });
        const { recovery, tables } = judged(run);
        expect([recovery, tables].flatMap((judgement) => (judgement?.outcome === 'pass' ? [] : judgement?.findings.map(({ message }) => message)))).toEqual([]);
      }
    } finally {
      await other.destroy();
    }
  });
});
