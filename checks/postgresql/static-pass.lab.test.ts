import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append, flipBit, readAt, stale, swap, takeFrom, tear, zero } from '../testing/damage.js';
import { pageChecksum } from './format/checksum.js';
import type { LogFacts } from './log/walk.js';
import { missingTools, TestCluster } from './testing/cluster.js';
import { copyOf, cutLog, logSegment, zeroLog } from './testing/damage.js';
import { type Verification, verifyFolder } from './testing/verify.js';

const CAPTURES = 12;
const PAGE = 8192;

const missing = missingTools();
if (missing) throw new Error(`These tests need PostgreSQL 15; missing: ${missing}. Install it with: apt-get install postgresql-15`);

describe('the static pass on a real cluster', () => {
  let cluster: TestCluster;
  const captures: string[] = [];
  let quiet: string;
  let accounts: string;
  /** One row in one page, changed before every capture. */
  let hot: string;

  beforeAll(async () => {
    cluster = TestCluster.create({ settings: ['shared_buffers=4MB', 'bgwriter_delay=10ms', 'bgwriter_lru_maxpages=1000'] });
    cluster.sql('create unlogged table scratch as select generate_series(1, 20000) as n; create index on scratch (n)');
    cluster.sql('create table shrinking as select generate_series(1, 50000) as n; delete from shrinking where n > 5000');
    accounts = cluster.sql("select pg_relation_filepath('pgbench_accounts')");
    cluster.sql('create table hot with (fillfactor = 10) as select 1 as n');
    hot = cluster.sql("select pg_relation_filepath('hot')");
    cluster.startLoad();
    for (let i = 0; i < CAPTURES; i++) {
      await sleep(300 + Math.random() * 1200);
      if (i === 3) cluster.sql('vacuum shrinking');
      if (i % 4 === 3) cluster.sql('checkpoint');
      if (i === 6) cluster.sql('drop table shrinking');
      cluster.sql('update hot set n = n + 1');
      captures.push(cluster.capture(`capture${i}`));
    }
    cluster.stopLoad();
    await sleep(1000);
    cluster.sql('checkpoint');
    cluster.sql('checkpoint');
    quiet = cluster.capture('quiet');
  }, 300_000);

  afterAll(() => cluster?.destroy());

  async function damaged(from: string, name: string, damage: (folder: string) => void): Promise<Verification> {
    const folder = copyOf(from, name);
    damage(folder);
    const result = await verifyFolder(folder);
    rmSync(folder, { recursive: true });
    return result;
  }

  async function logOf(folder: string): Promise<LogFacts> {
    const log = (await verifyFolder(folder)).evidence.wal?.log;
    if (!log) throw new Error('the capture has no log');
    return log;
  }

  const capture = (i: number): string => captures.at(i) ?? '';
  /** The hot page was changed after its checkpoint: the log holds a full image. */
  const LOADED = 10;

  it('raises no alarm on captures at random instants under load', async () => {
    for (const folder of captures) {
      const result = await verifyFolder(folder);
      expect(result.failed, `${folder}: ${JSON.stringify(result.judgements)}`).toEqual([]);
      expect(result.state).toBe('recoverable');
      expect(result.evidence.relations?.pages.pages).toBeGreaterThan(1000);
      expect(result.judgements.log.recovery?.needed).toBe(true);
      expect(JSON.stringify(result.evidence).length).toBeLessThan(20_000);
    }
  });

  it('gets R2 something to compare', async () => {
    const result = await verifyFolder(capture(-1));
    expect(result.evidence.relations?.pages.requiredPages).toBeGreaterThan(100);
    expect(result.evidence.relations?.exemptFiles).toBeGreaterThanOrEqual(2);
  });

  it('fails a torn page that the log does not repair', async () => {
    const result = await damaged(quiet, 'torn', (folder) => tear(join(folder, accounts), 7 * PAGE, PAGE));
    expect(result.failed).toEqual(['pages']);
    expect(result.state).toBe('damaged');
    expect(result.evidence.relations?.pages.kinds.checksum.examples[0]).toMatchObject({ file: accounts, block: 7 });
  });

  it('passes a torn page of which the log holds a full image', async () => {
    const result = await damaged(capture(LOADED), 'torn-repaired', (folder) => tear(join(folder, hot), 0, PAGE));
    expect(result.evidence.relations?.pages.kinds.restored.count).toBe(1);
    expect(result.failed).toEqual([]);
    expect(result.state).toBe('recoverable');
  });

  it('fails bit rot', async () => {
    const result = await damaged(quiet, 'rot', (folder) => flipBit(join(folder, accounts), 11 * PAGE + 5000, 2));
    expect(result.failed).toEqual(['pages']);
  });

  it('fails swapped pages', async () => {
    const result = await damaged(quiet, 'swapped', (folder) => swap(join(folder, accounts), 3 * PAGE, 4 * PAGE, PAGE));
    expect(result.evidence.relations?.pages.kinds.checksum.count).toBe(2);
    expect(result.failed).toEqual(['pages']);
  });

  it('fails data files newer than the log (R1)', async () => {
    const result = await damaged(capture(0), 'newer', (folder) => takeFrom(capture(-1), folder, ['base']));
    expect(result.codes).toContain('postgresql.page.newer-than-log');
    expect(result.failed).toContain('reconciliation');
    expect(result.state).toBe('non-atomic');
    expect(result.judgements.reconciliation.summary).toContain('were not captured at the same instant');
  });

  it('fails data files older than the log (R2)', async () => {
    const result = await damaged(quiet, 'older', (folder) => takeFrom(capture(-2), folder, ['base']));
    expect(result.codes).toContain('postgresql.page.older-than-log');
    expect(result.failed).toContain('reconciliation');
    expect(result.state).toBe('non-atomic');
  });

  it('fails one lost write', async () => {
    const result = await damaged(quiet, 'lost-write', (folder) => stale(join(folder, hot), 0, PAGE, join(capture(5), hot)));
    expect(result.evidence.relations?.pages.kinds.stale.count).toBe(1);
    expect(result.judgements.reconciliation.summary).toContain('Writes to the data files were lost');
  });

  it('fails a hole in the log', async () => {
    const log = await logOf(capture(LOADED));
    const result = await damaged(capture(LOADED), 'hole', (folder) => zeroLog(folder, log.redo + Math.floor((log.end - log.redo) / 2), 65536));
    expect(result.codes).toContain('postgresql.wal.hole');
    expect(result.failed).toContain('log');
    expect(['lost-tail', 'damaged']).toContain(result.state);
  });

  it('fails a log whose end is overwritten with zeroes, in a segment that was recycled', async () => {
    const log = await logOf(capture(LOADED));
    const result = await damaged(capture(LOADED), 'end', (folder) => zeroLog(folder, log.end - 2 * PAGE, 2 * PAGE + 1));
    expect(result.codes).toContain('postgresql.wal.end-zeroed');
    expect(result.failed).toContain('log');
    expect(['lost-tail', 'damaged']).toContain(result.state);
  });

  it('fails when the segment with the start of recovery is missing', async () => {
    const { redo } = await logOf(capture(-1));
    const result = await damaged(capture(-1), 'no-redo', (folder) => rmSync(logSegment(folder, redo)));
    expect(result.codes).toContain('postgresql.wal.redo-missing');
    expect(result.failed).toContain('log');
  });

  it('fails a log cut off before the checkpoint record', async () => {
    const { redo, lastCheckpoint } = await logOf(quiet);
    const result = await damaged(quiet, 'cut-checkpoint', (folder) => cutLog(folder, lastCheckpoint ?? redo));
    expect(result.failed).toContain('log');
  });

  it('fails a log cut off before the newest data', async () => {
    const folder = capture(5);
    const before = await verifyFolder(folder);
    const newest = before.evidence.relations?.pages.maxLsn ?? 0;
    const checkpoint = before.evidence.wal?.log?.lastCheckpoint ?? 0;
    expect(newest).toBeGreaterThan(checkpoint + 1024);
    const result = await damaged(folder, 'cut', (copy) => cutLog(copy, newest - 512));
    expect(result.codes).toContain('postgresql.page.newer-than-log');
    expect(result.state).toBe('non-atomic');
  });

  it('fails a damaged control file', async () => {
    const result = await damaged(quiet, 'control', (folder) => flipBit(join(folder, 'global/pg_control'), 40, 2));
    expect(result.failed).toContain('control');
    expect(result.state).toBe('damaged');
  });

  it('passes zero pages in the middle of a relation that was being extended', async () => {
    const result = await damaged(quiet, 'zero', (folder) => {
      const path = join(folder, accounts);
      const blocks = cluster.sql(`select pg_relation_size('pgbench_accounts') / ${PAGE}`);
      const last = readAt(path, 0, PAGE);
      last.writeUInt16LE(pageChecksum(last, Number(blocks) + 1), 8);
      append(path, Buffer.concat([Buffer.alloc(PAGE), last]));
    });
    expect(result.failed).toEqual([]);
    expect(result.evidence.relations?.pages.zeroPages).toBeGreaterThan(0);
  });

  it('passes a database that was being removed, whatever the server had thrown away of it', async () => {
    cluster.sql('create database leaving');
    const oid = cluster.sql("select oid from pg_database where datname = 'leaving'");
    const file = `base/${oid}/1255`;
    const lose = async (name: string): Promise<Verification> => {
      cluster.sql('checkpoint');
      return damaged(cluster.capture(name), `${name}-lost`, (folder) => zero(join(folder, file), 10 * PAGE, 3 * PAGE));
    };
    expect((await lose('staying')).codes).toContain('postgresql.page.older-than-log');
    // As the server does it before it throws away the pages that it has not written.
    cluster.sql("update pg_database set datconnlimit = -2 where datname = 'leaving'");
    expect((await lose('leaving')).failed).toEqual([]);
    cluster.sql('drop database leaving');
  });

  it('passes a cluster that was shut down, as clean', async () => {
    cluster.stop('fast');
    const result = await verifyFolder(cluster.data);
    expect(result.failed).toEqual([]);
    expect(result.state).toBe('clean');
    expect(result.judgements.control.consistency?.level).toBe('application');
    expect(result.judgements.log.recovery).toEqual({ needed: false, seconds: null, bytes: 0 });
  });
});
