/** The host's MariaDB in the real sandbox, on copies of captures of a working server, whole and damaged. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineRunner } from '../../../src/labs/engine/index.js';
import { openSandbox } from '../../../src/labs/sandbox/index.js';
import type { Judgement } from '../../../src/types.js';
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

async function runOn(folders: Record<string, string>): Promise<EngineRun> {
  const { instances, context } = await openFolders(folders, innodbFinder);
  const [instance] = instances;
  if (!instance) throw new Error('no instance was found');
  const { signal } = context;
  const scratchFolder = async () => mkdtempSync(join(scratch, 'copy-'));
  const appliance = () => Promise.reject(new Error('this test has no appliance'));
  const engine = new EngineRunner({ choice: 'auto', limitBytes: 2 ** 33, files: () => context.labs.files, appliance, sandbox, scratchFolder, signal });
  const engineContext = { ...context, labs: { ...context.labs, engine } };
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
