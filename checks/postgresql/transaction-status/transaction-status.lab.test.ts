import { closeSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools, TestCluster } from '../testing/cluster.js';
import { copyOf } from '../testing/damage.js';
import { type Verification, verifyFolder } from '../testing/verify.js';

const PAGE = 8192;
const COMMITS = 20;

const missing = missingTools();
if (missing) throw new Error(`These tests need PostgreSQL 15; missing: ${missing}. Install it with: apt-get install postgresql-15`);

describe('the status of transactions of a real cluster', () => {
  let cluster: TestCluster;
  let hot: string;

  beforeAll(async () => {
    cluster = TestCluster.create({ scale: 1, settings: ['track_commit_timestamp=on', 'max_wal_size=1GB', 'checkpoint_timeout=1h'] });
    // Each exception block is a subtransaction: 100,000 numbers fill pages of pg_xact. Two that lock one row make a multixact.
    cluster.sql('create table busy as select 1 as n, 0 as v');
    cluster.sql('do $$ begin for i in 1..100000 loop begin insert into busy values (2, i); exception when others then null; end; end loop; end $$');
    const shared = 'begin; select * from busy where n = 1 for share; select pg_sleep(2); commit;\n';
    const sessions = [cluster.session(shared.repeat(3)), cluster.session(shared.repeat(3))];
    await sleep(4000);
    // Counted, not timed, and at the start of a segment: the check compares the commits between there and the checkpoint.
    cluster.sql('select pg_switch_wal()');
    commit(COMMITS);
    cluster.sql('checkpoint');
    cluster.startLoad(2);
    commit(COMMITS);
    hot = cluster.capture('hot');
    for (const session of sessions) session.kill('SIGKILL');
  }, 300_000);

  afterAll(() => cluster?.destroy());

  function commit(times: number): void {
    for (let n = 0; n < times; n++) cluster.sql(`insert into busy values (3, ${n})`);
  }

  async function damaged(name: string, damage: (folder: string) => void): Promise<Verification> {
    const folder = copyOf(hot, name);
    damage(folder);
    const result = await verifyFolder(folder);
    rmSync(folder, { recursive: true });
    return result;
  }

  const writePage = (path: string, page: number, bytes: Uint8Array): void => {
    const file = openSync(path, 'r+');
    writeSync(file, bytes, 0, PAGE, page * PAGE);
    closeSync(file);
  };

  it('is whole in a hot capture, and its commits are compared', async () => {
    const { failed, evidence, judgements } = await verifyFolder(hot);
    expect(failed, JSON.stringify(judgements)).toEqual([]);
    expect(judgements.status.untested).toEqual([]);
    expect(evidence.status?.pages).toBeGreaterThan(3);
    expect(evidence.status?.commitsCompared).toBeGreaterThanOrEqual(COMMITS);
  });

  it.each(['pg_xact/0000', 'pg_multixact/offsets/0000', 'pg_multixact/members/0000', 'pg_commit_ts/0000'])('lacks %s', async (path) => {
    const result = await damaged('segment', (folder) => rmSync(join(folder, path)));
    expect(result.failed, path).toContain('status');
    expect(result.judgements.status.findings[0]?.message).toContain(path);
    expect(result.state).toBe('damaged');
  });

  it('lacks the folder of subtransactions', async () => {
    const result = await damaged('folder', (folder) => rmSync(join(folder, 'pg_subtrans'), { recursive: true }));
    expect(result.codes).toContain('postgresql.status.folder-missing');
  });

  it('is cut short', async () => {
    const result = await damaged('cut', (folder) => truncateSync(join(folder, 'pg_xact/0000'), PAGE));
    expect(result.codes).toContain('postgresql.status.missing');
  });

  it('has its newest page zeroed, or an older one', async () => {
    const pages = readFileSync(join(hot, 'pg_xact/0000')).length / PAGE;
    const newest = await damaged('newest', (folder) => writePage(join(folder, 'pg_xact/0000'), pages - 1, Buffer.alloc(PAGE)));
    expect(newest.codes).toContain('postgresql.status.lost-commit');
    const older = await damaged('older', (folder) => writePage(join(folder, 'pg_xact/0000'), 1, Buffer.alloc(PAGE)));
    expect(older.codes.some((code) => /status\.(lost-commit|blank-page)$/.test(code))).toBe(true);
    expect(older.judgements.status.instanceState).not.toBe('recoverable');
  });

  it('has two pages swapped', async () => {
    const bytes = readFileSync(join(hot, 'pg_xact/0000'));
    const last = bytes.length / PAGE - 1;
    const result = await damaged('swapped', (folder) => {
      writePage(join(folder, 'pg_xact/0000'), last, bytes.subarray(PAGE, 2 * PAGE));
      writePage(join(folder, 'pg_xact/0000'), 1, bytes.subarray(last * PAGE));
    });
    expect(result.failed).toContain('status');
  });
});
