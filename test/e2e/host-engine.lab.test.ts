/** A data disk alone: no operating system, no partition table, a cluster in an odd folder. The host's PostgreSQL recovers it, in the sandbox. */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools, TestCluster } from '../../checks/postgresql/testing/cluster.js';
import type { Expectation, VerificationRecord } from '../../src/types.js';
import { makeDiskOfFolder, makePoint, resultOf, temporaryFolder, untestedAbout, verify } from './points.js';

const ODD = "srv/it's a/$(place) of its own";
const missing = missingTools();
let folder: string;
let point: string;
const id = `postgresql disk0:/${ODD}`;

const ORDERS = { engine: 'postgresql', database: 'postgres', query: 'select count(*) from orders' };
const TRUE: Expectation[] = [
  { ...ORDERS, name: 'orders', equals: 700 },
  { ...ORDERS, name: 'odd', query: `select 'it''s ' || chr(10) || '"@@ role"'`, equals: 'it\'s \n"@@ role"' },
  { file: `/${ODD}/PG_VERSION`, minSize: 3 },
];

/** Captured hot, with log to replay. */
async function build(): Promise<void> {
  folder = await temporaryFolder();
  const cluster = TestCluster.create({ scale: 1, settings: ['max_wal_size=32MB', 'min_wal_size=32MB', 'wal_recycle=off'] });
  try {
    cluster.sql(
      'create table orders (id int primary key, amount numeric, at timestamptz); insert into orders select g, 10, now() from generate_series(1, 500) g',
    );
    cluster.sql('checkpoint');
    cluster.sql('insert into orders select g, 10, now() from generate_series(501, 700) g');
    const copy = cluster.capture('copy');
    const tree = join(folder, 'tree');
    mkdirSync(dirname(join(tree, ODD)), { recursive: true });
    renameSync(copy, join(tree, ODD));
    await makeDiskOfFolder(join(folder, 'data.raw'), tree, [], '160M');
    rmSync(tree, { recursive: true });
  } finally {
    cluster.destroy();
  }
  point = await makePoint(folder, 'data-only', [join(folder, 'data.raw')]);
}

describe.skipIf(missing !== '')(`a data disk without its system${missing === '' ? '' : ` (missing: ${missing})`}`, () => {
  beforeAll(build, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is judged, recovered by the host's engine, and walked", { timeout: 180_000 }, async () => {
    const { record } = await verify(point, { expect: TRUE });
    expect(record.inspection).toMatchObject({ systems: [], databases: [{ id }], tables: [{ scheme: 'none' }] });
    const recovery = resultOf(record, 'postgresql/recovery', id);
    expect(recovery).toMatchObject({ summary: expect.stringContaining('answered'), outcome: 'pass', recovery: { needed: true }, instanceState: 'recoverable' });
    expect(recovery?.tested[0]?.how).toMatch(/postgres \(PostgreSQL\) 15.* in the sandbox, on a copy of \d+ bytes/);
    const [engine] = recovery?.findings ?? [];
    expect(engine).toMatchObject({ code: 'postgresql.recovery.engine', where: { engine: 'host' }, message: expect.stringContaining('No operating system') });
    expect(engine?.where.copiedBytes).toBeGreaterThan(10_000_000);
    expect(resultOf(record, 'postgresql/amcheck', id)).toMatchObject({ outcome: 'pass', untested: [] });
    expect(record.checks.filter((check) => check.id.startsWith('application/'))).toMatchObject([
      { id: 'application/files', outcome: 'pass', target: expect.stringContaining('expectation 3') },
      { id: 'application/sql', outcome: 'pass', findings: [{ where: { query: 'select count(*) from orders', result: '[["700"]]' } }] },
      { id: 'application/sql', outcome: 'pass', findings: [{ where: { result: '[["it\'s \\n\\"@@ role\\""]]' } }] },
    ]);
    expect(failures(record)).toEqual([]);
    expect(record.verdict).toBe('passed');
    expect(record.instances).toMatchObject([{ id, engine: 'postgresql', state: 'recoverable', recovery: { seconds: expect.any(Number) } }]);
    expect(record.isolation.databaseEngines).toMatch(/in the sandbox/);
  });

  it('fails for what is not true in the data, and leaves open what could not be asked', { timeout: 180_000 }, async () => {
    const expectations: Expectation[] = [
      { ...ORDERS, name: 'more orders', atLeast: 701 },
      { ...ORDERS, name: 'no such table', query: 'select 1 from invoices', rows: 0 },
      { ...ORDERS, name: 'no such query', query: 'selec 1', rows: 0 },
      { engine: 'sqlite', name: 'no such engine', query: 'select 1', rows: 0 },
      { file: '/srv/dump' },
      { ...ORDERS, name: 'endless', query: 'select pg_sleep(300)', rows: 1, timeoutSeconds: 1 },
    ];
    const { record } = await verify(point, { expect: expectations, skip: ['postgresql/amcheck'] });
    const outcomes = record.checks.filter((check) => check.id.startsWith('application/')).map(({ target, outcome }) => `${target.slice(12, 13)} ${outcome}`);
    expect(outcomes.sort()).toEqual(['1 fail', '2 fail', '3 error', '4 fail', '5 fail', '6 error']);
    expect(record.verdict).toBe('failed');
    expect(record.instances).toMatchObject([{ state: 'recoverable' }]);
    expect(untestedAbout(record, /expectation [36]/).map(({ holdsData }) => holdsData)).toEqual([true, true]);
  });
});

function failures(record: VerificationRecord): string[] {
  return record.checks.filter(({ outcome }) => outcome === 'fail' || outcome === 'error').map(({ id: check, summary }) => `${check}: ${summary}`);
}
