import { randomBytes, randomInt } from 'node:crypto';
import { appendFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flipBit, takeFrom, writeAt } from '../testing/damage.js';
import { missingTools, TestCluster } from './testing/cluster.js';
import { clusterAt } from './testing/cluster-at.js';
import { copyOf, logSegment } from './testing/damage.js';
import { verify, verifyFolder } from './testing/verify.js';

const missing = missingTools();
if (missing) throw new Error(`These tests need PostgreSQL 15; missing: ${missing}. Install it with: apt-get install postgresql-15`);

const location = (volume: string) => ({ volume, path: '/' });

describe('a cluster without checksums, on three disks', () => {
  let cluster: TestCluster;
  let early: string;
  let late: string;
  let tablespace: string;
  let accounts: string;

  beforeAll(async () => {
    cluster = TestCluster.create({ checksums: false, separateLog: true, scale: 1 });
    cluster.sql(`create tablespace other location '${cluster.makeFolder('space')}'`);
    cluster.sql('alter table pgbench_accounts set tablespace other');
    tablespace = cluster.sql("select oid from pg_tablespace where spcname = 'other'");
    accounts = cluster.sql("select pg_relation_filepath('pgbench_accounts')").replace(/^pg_tblspc\/\d+\//, '');
    cluster.startLoad(2);
    await sleep(2000);
    early = cluster.captureParts('early', ['data', 'wal', 'space']);
    await sleep(2000);
    cluster.sql('checkpoint');
    late = cluster.captureParts('late', ['data', 'wal', 'space']);
    cluster.stopLoad();
  }, 200_000);

  afterAll(() => cluster?.destroy());

  /** Volume ids: v the data, w the log, s the tablespace. */
  const threeDisks = (data: string, wal: string, space: string) =>
    clusterAt(join(data, 'data'), { w: join(wal, 'wal'), s: join(space, 'space') }, [
      { what: 'pg_wal', target: '/wal', location: location('w') },
      { what: `pg_tblspc/${tablespace}`, target: '/space', location: location('s') },
    ]);

  it('passes, with bit rot inside pages listed as untested', async () => {
    const result = await verify(threeDisks(early, early, early));
    expect(result.failed, JSON.stringify(result.judgements)).toEqual([]);
    expect(result.state).toBe('recoverable');
    expect(result.judgements.pages.untested).toMatchObject([{ what: 'bit rot inside pages', holdsData: false }]);
  });

  it('fails when the disk of the tablespace is newer', async () => {
    const result = await verify(threeDisks(early, early, late));
    expect(result.state).toBe('non-atomic');
    expect(result.evidence.relations?.pages.kinds.newer.examples[0]?.file).toContain(`pg_tblspc/${tablespace}/PG_15_`);
  });

  it('fails when the disk of the tablespace is older', async () => {
    const result = await verify(threeDisks(late, late, early));
    expect(result.evidence.relations?.pages.kinds.stale.count).toBeGreaterThan(0);
    expect(result.state).toBe('non-atomic');
  });

  it('fails when the disk of the log is older than the control file', async () => {
    const result = await verify(threeDisks(late, early, late));
    expect(result.failed).toContain('log');
  });

  it('fails a damaged page header', async () => {
    const damaged = copyOf(early, 'header');
    flipBit(join(damaged, 'space', accounts), 5 * 8192 + 19, 2);
    const result = await verify(threeDisks(damaged, damaged, damaged));
    const { header, restored } = result.evidence.relations?.pages.kinds ?? {};
    expect((header?.count ?? 0) + (restored?.count ?? 0)).toBe(1);
  });

  it('says what is missing when a disk is not in the restore point', async () => {
    const result = await verifyFolder(join(early, 'data'));
    expect(result.codes).toContain('postgresql.wal.folder-missing');
    expect(result.judgements.pages.untested.some((item) => item.holdsData && item.what.includes(tablespace))).toBe(true);
  });
});

describe('hostile bytes anywhere in a cluster', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = TestCluster.create({ scale: 1 });
    cluster.startLoad(2);
    await sleep(1500);
    cluster.stopLoad();
  }, 200_000);

  afterAll(() => cluster?.destroy());

  it('give a judgement, never an exception', async () => {
    const capture = cluster.capture('hostile');
    const log = (await verifyFolder(capture)).evidence.wal?.log;
    const start = log?.redo ?? 0;
    for (let round = 0; round < 12; round++) {
      const bytes = randomBytes(round % 2 ? 8192 : 40);
      const at = start + randomInt((log?.end ?? start) - start);
      writeAt(logSegment(capture, at), at % (16 * 1024 * 1024 - 8192), bytes);
      writeAt(join(capture, 'base/5/1259'), randomInt(50_000), bytes);
      if (round > 8) writeAt(join(capture, 'global/pg_control'), randomInt(300), bytes.subarray(0, 4));
      const result = await verifyFolder(capture);
      expect(result.failed.length).toBeGreaterThan(0);
      expect(JSON.stringify(result.evidence).length).toBeLessThan(40_000);
    }
  });

  it('with an absurd link or folder in place of a file give a judgement', async () => {
    const capture = cluster.capture('links');
    rmSync(join(capture, 'pg_wal'), { recursive: true });
    symlinkSync('pg_wal', join(capture, 'pg_wal'));
    symlinkSync('/etc', join(capture, 'pg_tblspc/777'));
    rmSync(join(capture, 'base/5/1259'));
    mkdirSync(join(capture, 'base/5/1259'));
    const result = await verifyFolder(capture);
    expect(result.codes).toContain('postgresql.wal.folder-missing');
    expect(result.judgements.pages.untested.some((item) => item.what.includes('777'))).toBe(true);
  });

  it('finds fsync switched off', async () => {
    const capture = cluster.capture('fsync');
    appendFileSync(join(capture, 'postgresql.auto.conf'), "fsync = 'off'\n");
    const result = await verifyFolder(capture);
    expect(result.codes).toContain('postgresql.control.fsync-off');
    expect(result.failed).toEqual([]);
  });
});

describe('a base backup', () => {
  let cluster: TestCluster;
  let backup: string;

  beforeAll(async () => {
    cluster = TestCluster.create({ scale: 1 });
    cluster.startLoad(2);
    await sleep(500);
    backup = cluster.makeFolder('backup');
    cluster.run('pg_basebackup', ['-h', cluster.folder, '-U', 'tester', '-D', backup, '-X', 'stream', '-c', 'fast']);
    cluster.stopLoad();
  }, 200_000);

  afterAll(() => cluster?.destroy());

  it('is recovered from the start its label names, and must reach its end', async () => {
    const result = await verifyFolder(backup);
    expect(result.failed, JSON.stringify(result.judgements)).toEqual([]);
    expect(result.evidence.head.backupLabel?.endRequired).toBe(true);
    expect(result.evidence.wal?.log?.sawBackupEnd).toBe(true);
    expect(result.evidence.wal?.log?.redo).toBe(result.evidence.head.backupLabel?.redo);
  });

  it('fails with the log of another cluster', async () => {
    const other = TestCluster.create({ scale: 1 });
    try {
      const copy = copyOf(backup, 'foreign');
      takeFrom(other.data, copy, ['pg_wal']);
      const result = await verifyFolder(copy);
      expect(result.codes).toContain('postgresql.wal.other-cluster');
      expect(result.failed).toContain('log');
    } finally {
      other.destroy();
    }
  });
});
