import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append, readAt, writeAt, zero } from '../../testing/damage.js';
import { missingTools, TestCluster } from '../testing/cluster.js';
import { type Verification, verifyFolder } from '../testing/verify.js';

/** More by hand: `SNAPPROOF_CAPTURES=100 npx vitest run --project lab checks/postgresql/zeroed-pages`. */
const CAPTURES = Number(process.env.SNAPPROOF_CAPTURES ?? 8);
const PAGE = 8192;
const KINDS = { btree: 'a', hash: 'b', gist: 'c', spgist: 'c', gin: 'd' };

const missing = missingTools();
if (missing) throw new Error(`These tests need PostgreSQL 15; missing: ${missing}. Install it with: apt-get install postgresql-15`);

const rows = (count: number): string => `select n as a, md5(n::text) as b, point(n, n % 100) as c, array[n, n % 10] as d from generate_series(1, ${count}) n`;
/** A table for each kind of index, one that only the visibility map knows, one with long values, and a sequence. */
const TABLES = [
  ...Object.entries(KINDS).map(([kind, column]) => `create table by_${kind} as ${rows(10_000)}; create index ${kind} on by_${kind} using ${kind} (${column})`),
  `create index equal on by_btree ((a % 10)); create index brin on by_btree using brin (a) with (pages_per_range = 2)`,
  `create table plain as select n as a, repeat('x', 200) as b from generate_series(1, 20000) n`,
  `create table toasted as select n as a, string_agg(md5(i::text), '') as b from generate_series(1, 20) n, generate_series(1, 2000) i group by n`,
  'create sequence counter',
  'create table bulk (a int, b text); create index bulk_a on bulk (a)',
];

describe('zeroed pages of a real cluster', () => {
  let cluster: TestCluster;
  let quiet: string;

  const pathOf = (relation: string): string => cluster.sql(`select pg_relation_filepath('${relation}')`);

  beforeAll(() => {
    // Without log from before the checkpoint nothing but the data themselves can tell.
    const settings = ['max_wal_size=64MB', 'min_wal_size=32MB', 'wal_recycle=off', 'autovacuum=off', 'shared_buffers=8MB'];
    cluster = TestCluster.create({ scale: 1, settings });
    for (const text of TABLES) cluster.sql(text);
    cluster.sql('vacuum plain');
    for (let i = 0; i < 2; i++) {
      cluster.sql('select pg_switch_wal()');
      cluster.sql('checkpoint');
    }
    quiet = cluster.capture('quiet');
  }, 300_000);

  afterAll(() => cluster?.destroy());

  /** Judges the quiet capture while a few pages of one file are zero. */
  async function zeroed(path: string, block: number, blocks = 1): Promise<Verification> {
    const file = join(quiet, path);
    const before = readAt(file, block * PAGE, blocks * PAGE);
    zero(file, block * PAGE, blocks * PAGE);
    try {
      return await verifyFolder(quiet);
    } finally {
      writeAt(file, block * PAGE, before);
    }
  }

  it('are none, and nothing is said', async () => {
    const { failed, state, evidence } = await verifyFolder(quiet);
    expect(failed).toEqual([]);
    expect(state).toBe('recoverable');
    expect(evidence.relations?.pages.requiredPages).toBeLessThan(50);
  });

  it.each(Object.keys(KINDS))('are found by the rows of a %s index', async (kind) => {
    const table = pathOf(`by_${kind}`);
    const { evidence, judgements, state } = await zeroed(table, 20, 3);
    const { count, examples } = evidence.zeroed?.lost.index ?? { count: 0, examples: [] };
    expect([count, examples[0]?.file, examples[0]?.block, state]).toEqual([3, table, 20, 'damaged']);
    if (kind !== 'btree') expect(examples[0]?.index).toBe(pathOf(kind));
    expect(judgements.zeroed.outcome).toBe('fail');
  });

  it.each([
    ['plain', 11, 'zeroed.visible-rows-lost'],
    ['btree', 5, 'zeroed.index-page'],
    ['btree', 3, 'zeroed.index-page'],
    ['btree', 0, 'zeroed.first-page'],
    ['equal', 4, 'zeroed.index-page'],
    ['hash', 2, 'zeroed.index-page'],
    ['gist', 6, 'zeroed.index-page'],
    ['spgist', 1, 'zeroed.index-page'],
    ['spgist', 9, 'zeroed.index-page'],
    ['gin', 4, 'zeroed.index-page'],
    ['brin', 2, 'zeroed.index-page'],
    ['brin', 0, 'zeroed.first-page'],
    ['counter', 0, 'zeroed.first-page'],
  ] as const)('are found in %s, block %i', async (relation, block, code) => {
    const path = pathOf(relation);
    const { codes, judgements, state } = await zeroed(path, block);
    expect(codes).toContain(`postgresql.${code}`);
    expect(judgements.zeroed.findings[0]?.where).toMatchObject({ file: path, block });
    expect(state).toBe('damaged');
  });

  it('are found in long values, by the index that these have', async () => {
    const path = cluster.sql("select pg_relation_filepath(reltoastrelid) from pg_class where relname = 'toasted'");
    expect((await zeroed(path, 7)).codes).toContain('postgresql.zeroed.rows-lost');
  });

  it('are legal at the end of a file that was made longer', async () => {
    const files = ['by_btree', 'btree', 'plain'].map((relation) => join(quiet, pathOf(relation)));
    for (const file of files) append(file, Buffer.alloc(4 * PAGE));
    const { failed, evidence } = await verifyFolder(quiet);
    expect(failed).toEqual([]);
    expect(evidence.zeroed).toMatchObject({ pages: 12, relations: 3, indexes: 2, maps: 1 });
  });

  const copy = (count: number): string => `copy bulk from program 'seq -f "%.0f\tabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz" 1 ${count}';\n`;

  async function captured(name: string): Promise<Verification> {
    const folder = cluster.capture(name);
    const result = await verifyFolder(folder);
    expect(result.failed, `${folder}: ${JSON.stringify(result.judgements)}`).toEqual([]);
    expect(result.state).toBe('recoverable');
    rmSync(folder, { recursive: true });
    return result;
  }

  /** Work that several sessions do at once, until they are stopped. */
  async function under(texts: string[], work: () => Promise<void>): Promise<void> {
    const sessions: ChildProcess[] = texts.map((text) => cluster.session(text.repeat(2000)));
    try {
      await work();
    } finally {
      for (const session of sessions) session.kill('SIGKILL');
    }
  }

  it(
    'are not taken for damage while tables grow and shrink, also after a crash',
    async () => {
      const shrink = "delete from bulk where ctid > '(200,0)';\nvacuum bulk;\nselect pg_sleep(0.2);\n";
      const seen = { pages: 0, indexes: 0 };
      const look = async (name: string) => {
        const { evidence } = await captured(name);
        seen.pages += evidence.zeroed?.pages ?? 0;
        seen.indexes += evidence.zeroed?.indexes ?? 0;
      };
      await under([copy(3000), copy(2000), copy(1000), copy(500), shrink, 'select pg_sleep(1);\ncheckpoint;\n'], async () => {
        for (let i = 0; i < CAPTURES; i++) {
          await sleep(Math.random() * 800);
          await look(`growing${i}`);
        }
      });
      await under([copy(3000), copy(2000), copy(1000), copy(500)], () => sleep(700));
      cluster.stop('immediate');
      cluster.start(['autovacuum=off']);
      cluster.sql('checkpoint');
      await look('recovered');
      if (process.env.SNAPPROOF_TRUTH) process.stdout.write(`while tables grew: ${JSON.stringify(seen)}\n`);
    },
    300_000 + CAPTURES * 30_000,
  );

  it(
    'and files that are built ahead of the log are no alarm, while an index is made concurrently',
    async () => {
      cluster.sql(`create table steady as ${rows(100_000)}; create index steady_b on steady (b)`);
      const rebuild = 'reindex index concurrently steady_b;\n';
      const make = 'create index concurrently steady_a on steady (a, b);\ndrop index concurrently steady_a;\n';
      await under([rebuild, make, 'select pg_sleep(1);\ncheckpoint;\n'], async () => {
        for (let i = 0; i < CAPTURES; i++) {
          await sleep(Math.random() * 500);
          await captured(`building${i}`);
        }
      });
    },
    300_000 + CAPTURES * 30_000,
  );

  it('is no alarm that pages of a GiST index, built by sorting, carry no place in the log', async () => {
    cluster.sql(`create index sorted on by_gin using gist (c)`);
    cluster.sql('checkpoint');
    const { evidence } = await captured('sorted');
    expect(evidence.relations?.pages.requiredPages).toBeGreaterThan(50);
  });
});
