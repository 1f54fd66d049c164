import { randomInt } from 'node:crypto';
import { copyFileSync, existsSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools, TestCluster } from '../testing/cluster.js';
import { clusterAt } from '../testing/cluster-at.js';
import { copyOf } from '../testing/damage.js';
import { DdlLoad } from '../testing/ddl-load.js';
import { type Verification, verify } from '../testing/verify.js';

/** 300 by hand: `SNAPPROOF_CAPTURES=300 npx vitest run --project lab checks/postgresql/catalogue`. */
const CAPTURES = Number(process.env.SNAPPROOF_CAPTURES ?? 10);
const PLACEMENTS = Number(process.env.SNAPPROOF_PLACEMENTS ?? 12);
const PAGE = 8192;

const missing = missingTools();
if (missing) throw new Error(`These tests need PostgreSQL 15; missing: ${missing}. Install it with: apt-get install postgresql-15`);

interface LiveRelation {
  path: string;
  name: string;
  /** Bytes of its main fork. */
  size: number;
  /** As the catalogue counts them: a catalogue may have grown since by its own entries. */
  pages: number;
}

describe('the catalogue against the files', () => {
  let cluster: TestCluster;
  let tablespace: string;
  let quiet: string;
  let live: LiveRelation[];

  const check = (folder: string): Promise<Verification> =>
    verify(
      clusterAt(join(folder, 'data'), { s: join(folder, 'space') }, [
        { what: `pg_tblspc/${tablespace}`, target: '/space', location: { volume: 's', path: '/' } },
      ]),
    );
  const capture = (name: string): string => cluster.captureParts(name, ['data', 'space']);

  /** What `work` gives while a file of the capture lies aside; copying the whole capture each time takes longer than looking at it. */
  async function without<T>(folder: string, path: string, work: (aside: string) => Promise<T>): Promise<T> {
    const aside = join(folder, 'aside');
    renameSync(join(folder, 'data', path), aside);
    try {
      return await work(aside);
    } finally {
      renameSync(aside, join(folder, 'data', path));
    }
  }

  /** Permanent relations of the database `postgres` whose file is not empty. */
  const liveRelations = (): LiveRelation[] =>
    cluster
      .sql(
        "select pg_relation_filepath(oid), oid::regclass, pg_relation_size(oid), relpages from pg_class where relkind in ('r','i','t','m','S') and relpersistence = 'p' and pg_relation_size(oid) > 0",
      )
      .split('\n')
      .map((line) => {
        const [path = '', name = '', size = '', pages = ''] = line.split('|');
        return { path, name, size: Number(size), pages: Number(pages) };
      })
      .filter(({ path }) => !path.startsWith('pg_tblspc'));

  beforeAll(() => {
    const log = ['max_wal_size=48MB', 'min_wal_size=32MB']; // little to copy and to read for each capture
    cluster = TestCluster.create({ scale: 1, settings: ['max_prepared_transactions=5', 'shared_buffers=8MB', 'bgwriter_delay=10ms', ...log] });
    cluster.sql(`create tablespace other location '${cluster.makeFolder('space')}'`);
    tablespace = cluster.sql("select oid from pg_tablespace where spcname = 'other'");
  }, 200_000);

  afterAll(() => cluster?.destroy());

  it(
    'raises no alarm on captures at random instants under DDL',
    async () => {
      const load = DdlLoad.start(cluster);
      cluster.startLoad(1);
      const seen = { relations: 0, byLog: 0, databases: 0, undecided: 0, skipped: 0 };
      try {
        for (let i = 0; i < CAPTURES; i++) {
          await sleep(randomInt(700));
          const folder = capture(`capture${i}`);
          const result = await check(folder);
          expect(result.failed, `${folder}: ${JSON.stringify(result.judgements)}`).toEqual([]);
          expect(result.state).toBe('recoverable');
          expect(result.judgements.catalogue.untested.filter((item) => item.holdsData)).toEqual([]);
          expect(JSON.stringify(result.evidence.catalogue).length).toBeLessThan(10_000);
          const facts = result.evidence.catalogue;
          seen.relations += facts?.relations ?? 0;
          seen.byLog += facts?.byLog ?? 0;
          seen.databases += facts?.databases ?? 0;
          seen.undecided += facts?.undecidedRows ?? 0;
          seen.skipped += facts?.skipped.count ?? 0;
          rmSync(folder, { recursive: true });
        }
      } finally {
        load.stop();
        cluster.stopLoad();
      }
      expect(seen.relations).toBeGreaterThan(300 * CAPTURES);
      // In every second capture, about: in few there may be none.
      if (CAPTURES >= 20) expect(seen.byLog).toBeGreaterThan(0);
    },
    600_000 + CAPTURES * 60_000,
  );

  it('finds the file of a live relation that is gone', async () => {
    cluster.sql('vacuum (analyze)');
    cluster.sql('checkpoint');
    live = liveRelations();
    cluster.sql('checkpoint');
    quiet = capture('quiet');
    const before = await check(quiet);
    expect(before.failed, JSON.stringify(before.judgements.catalogue)).toEqual([]);
    for (let i = 0; i < PLACEMENTS; i++) {
      const { path, name } = live[randomInt(live.length)] as LiveRelation;
      const result = await without(quiet, path, () => check(quiet));
      expect(result.failed, `${name} ${path}`).toContain('catalogue');
      expect(result.state).toBe('damaged');
    }
  });

  it('finds files cut short by whole pages where something tells, and never says that it passed where the catalogue counts more', async () => {
    const found = { failed: 0, inconclusive: 0, missed: 0, of: 0 };
    const names: string[] = [];
    // Not the catalogues themselves: what counts a relation is gone with the end of pg_class.
    const large = live.filter(({ size, pages, name }) => Math.min(size / PAGE, pages) > 1 && !name.startsWith('pg_'));
    for (let i = 0; i < PLACEMENTS; i++) {
      const { path, size, pages, name } = large[randomInt(large.length)] as LiveRelation;
      const { judgements } = await without(quiet, path, (aside) => {
        copyFileSync(aside, join(quiet, 'data', path));
        truncateSync(join(quiet, 'data', path), PAGE * randomInt(Math.min(size / PAGE, pages)));
        return check(quiet);
      });
      const failed = judgements.catalogue.outcome === 'fail';
      const doubted = judgements.catalogue.untested.some((item) => item.holdsData);
      found[failed ? 'failed' : doubted ? 'inconclusive' : 'missed']++;
      if (!failed && !doubted) names.push(`${name} of ${size} bytes`);
      found.of++;
    }
    if (process.env.SNAPPROOF_TRUTH) process.stdout.write(`cut short: ${JSON.stringify(found)}\n`);
    expect(names, JSON.stringify(found)).toEqual([]);
  });

  it('finds a database whose folder is gone, and a damaged map', async () => {
    const folder = copyOf(quiet, 'database');
    const oid = cluster.sql("select oid from pg_database where datname = 'template1'");
    rmSync(join(folder, 'data/base', oid), { recursive: true });
    const gone = await check(folder);
    expect(gone.codes).toContain('postgresql.catalogue.database-missing');
    truncateSync(join(folder, 'data/global/pg_filenode.map'), 100);
    expect((await check(folder)).codes).toContain('postgresql.catalogue.map-damaged');
    rmSync(folder, { recursive: true });
  });

  it('says that an unlogged table needs its init fork only', async () => {
    cluster.sql('create unlogged table scratch as select generate_series(1, 1000) as n');
    cluster.sql('checkpoint');
    const path = cluster.sql("select pg_relation_filepath('scratch')");
    const folder = capture('unlogged');
    rmSync(join(folder, 'data', path));
    expect((await check(folder)).failed).toEqual([]);
    rmSync(join(folder, 'data', `${path}_init`));
    expect((await check(folder)).codes).toContain('postgresql.catalogue.file-missing');
    rmSync(folder, { recursive: true });
  });

  it('finds files that are missing under load, wherever the log does not make them anew', async () => {
    cluster.startLoad(2);
    const chosen = liveRelations();
    await sleep(1000);
    const folder = capture('loaded');
    cluster.stopLoad();
    const told = { failed: 0, inconclusive: 0 };
    for (let i = 0; i < PLACEMENTS; i++) {
      const { path, name } = chosen[randomInt(chosen.length)] as LiveRelation;
      if (!existsSync(join(folder, 'data', path)) || statSync(join(folder, 'data', path)).size === 0) continue;
      const { judgements } = await without(folder, path, () => check(folder));
      const failed = judgements.catalogue.outcome === 'fail';
      expect(failed || judgements.catalogue.untested.some((item) => item.holdsData), `${name} ${path} ${JSON.stringify(judgements.catalogue)}`).toBe(true);
      told[failed ? 'failed' : 'inconclusive']++;
    }
    if (process.env.SNAPPROOF_TRUTH) process.stdout.write(`missing under load: ${JSON.stringify(told)}\n`);
  });
});
