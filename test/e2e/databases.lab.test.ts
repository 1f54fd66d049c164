/**
 * The guest's own MariaDB and Redis, in the appliance, on the overlay: a Debian system that was never booted, and a disk with the data of both,
 * captured hot. Once sound and once damaged.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools, TestServer } from '../../checks/innodb/testing/server.js';
import { Load, serverArguments } from '../../checks/redis/testing/load.js';
import { sizeOf } from '../../checks/testing/damage.js';
import { missingPackages, RealServer } from '../../checks/testing/server.js';
import { databasesGuest, databasesRootDisk } from '../../fixtures/databases/build.js';
import type { Expectation, VerificationRecord } from '../../src/types.js';
import { makeDiskOfFolder, makePoint, resultOf, run, temporaryFolder, verify } from './points.js';

const missing = [missingTools(), ...missingPackages({ 'redis-server': 'redis-server', mmdebstrap: 'mmdebstrap', guestfish: 'libguestfs-tools' })]
  .filter(Boolean)
  .join(', ');
const MARIADB = 'innodb disk1:/maria';
const REDIS = 'redis disk1:/redis';
/** Emulated, beside other work. */
const VERIFY_MS = 3_600_000;
const LOAD_TEST = { engine: 'mariadb', database: 'load_test' };
const EXPECTATIONS: Expectation[] = [
  { ...LOAD_TEST, name: 'rows', query: 'select count(*) from journal', atLeast: 2000 },
  { ...LOAD_TEST, name: 'sum', query: 'select count(*) from accounts where id <= 20000', equals: 20000 },
  { ...LOAD_TEST, name: 'hostile', query: `select concat('it''s "<row>', char(10), '@@ up')`, equals: 'it\'s "<row>\n@@ up' },
  { ...LOAD_TEST, name: 'none', query: 'select id from accounts where balance is null', rows: 0 },
  { ...LOAD_TEST, name: 'untrue', query: 'select count(*) from documents', equals: 299 },
  { ...LOAD_TEST, name: 'endless', query: 'select sleep(300)', rows: 1, timeoutSeconds: 1 },
  { engine: 'redis', name: 'keys', query: 'DBSIZE', atLeast: 1 },
  { engine: 'redis', name: 'no key', query: 'GET "there is no such key"', equals: null },
];

let folder: string;
let sound: string;
let damaged: string;

/** Two captures of each, a while apart. */
async function captureMariadb(): Promise<[string, string]> {
  const server = await TestServer.create();
  try {
    server.startLoad(2);
    const end = Number(server.sql('select max(id) from load_test.accounts'));
    const grown = (by: number) => until(() => Number(server.sql('select max(id) from load_test.accounts')) > end + by);
    await grown(50);
    const early = join(folder, 'maria-early');
    const late = join(folder, 'maria-late');
    await run('cp', ['-a', server.capture('early'), early]);
    await grown(1500);
    await run('cp', ['-a', server.capture('late'), late]);
    return [early, late];
  } finally {
    await server.destroy();
  }
}

async function captureRedis(): Promise<string> {
  const live = join(folder, 'redis-live');
  mkdirSync(live);
  const server = new RealServer('redis-server', serverArguments(live, ['--appendonly', 'yes', '--auto-aof-rewrite-percentage', '0']));
  let load: Load | null = null;
  try {
    await server.until(() => existsSync(`${live}.sock`) && /ready to accept/i.test(server.output), 60_000);
    load = new Load(`${live}.sock`);
    const log = join(live, 'appendonlydir');
    await until(() => sizeOf(join(log, 'appendonly.aof.1.incr.aof')) > 100_000);
    load.send('BGREWRITEAOF');
    await until(() => readdirSync(log).includes('appendonly.aof.2.base.rdb') && sizeOf(join(log, 'appendonly.aof.2.incr.aof')) > 100_000);
    const copy = join(folder, 'redis');
    await server.capture(live, copy);
    return copy;
  } finally {
    load?.stop();
    await server.stop('SIGKILL');
  }
}

async function until(ready: () => boolean): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) if (ready()) return;
  throw new Error('what the test waits for did not come');
}

async function point(root: string, name: string, maria: string, redis: string): Promise<string> {
  const tree = join(folder, `${name}.tree`);
  mkdirSync(tree);
  renameSync(maria, join(tree, 'maria'));
  await run('cp', ['-a', redis, join(tree, 'redis')]);
  await makeDiskOfFolder(join(folder, `${name}.raw`), tree, ['-U', databasesGuest.dataUuid], '400M');
  rmSync(tree, { recursive: true });
  return makePoint(folder, name, [root, join(folder, `${name}.raw`)]);
}

async function build(): Promise<void> {
  const root = await databasesRootDisk();
  folder = await temporaryFolder();
  const [early, late] = await captureMariadb();
  const redis = await captureRedis();
  const torn = join(folder, 'redis-torn');
  await run('cp', ['-a', redis, torn]);
  const base = join(torn, 'appendonlydir', 'appendonly.aof.2.base.rdb');
  truncateSync(base, sizeOf(base) - 100);
  const skewed = join(folder, 'maria-skewed');
  await run('cp', ['-a', early, skewed]);
  copyFileSync(join(late, 'load_test/accounts.ibd'), join(skewed, 'load_test/accounts.ibd'));
  sound = await point(root, 'sound', late, redis);
  damaged = await point(root, 'damaged', skewed, torn);
}

describe.skipIf(missing !== '')(`the guest's own MariaDB and Redis in the appliance${missing === '' ? '' : ` (missing: ${missing})`}`, () => {
  beforeAll(build, VERIFY_MS);
  afterAll(() => folder && rmSync(folder, { recursive: true, force: true }));

  it('recover a hot capture, check it, and answer what the policy asks', { timeout: VERIFY_MS }, async () => {
    const { record } = await verify(sound, { engine: 'guest', expect: EXPECTATIONS });
    expect(record.inspection?.systems).toMatchObject([{ distro: 'debian', arch: 'x86_64', hostname: 'databases' }]);
    expect(record.inspection?.databases.map(({ id }) => id).sort()).toEqual([MARIADB, REDIS]);
    const recovery = resultOf(record, 'innodb/recovery', MARIADB);
    expect(recovery).toMatchObject({ summary: expect.stringContaining('answered'), outcome: 'pass', instanceState: 'recoverable', recovery: { needed: true } });
    expect(recovery?.findings[0]).toMatchObject({ where: { engine: 'guest' }, message: expect.stringContaining('in the appliance, on the overlay') });
    expect(resultOf(record, 'innodb/check-table', MARIADB)).toMatchObject({ outcome: 'pass', summary: expect.stringMatching(/found [3-9]\d tables sound/) });
    const redis = resultOf(record, 'redis/recovery', REDIS);
    expect(redis).toMatchObject({ summary: expect.stringContaining('holds'), outcome: 'pass', recovery: { needed: true } });
    expect(redis?.findings[0]).toMatchObject({ where: { engine: 'guest' } });
    expect(outcomesOfExpectations(record)).toEqual(['1 pass', '2 pass', '3 pass', '4 pass', '5 fail', '6 error', '7 pass', '8 pass']);
    expect(record.checks.find(({ id }) => id === 'application/sql')?.tested[0]?.how).toContain("the client of the guest's own MariaDB 10.11");
    // What is not true in the data, and nothing else.
    expect(wrong(record)).toEqual(['application/sql fail', 'application/sql error']);
  });

  it('show damage as their own hosts do', { timeout: VERIFY_MS }, async () => {
    const { record } = await verify(damaged, { engine: 'guest' });
    const [recovery, tables] = ['innodb/recovery', 'innodb/check-table'].map((id) => resultOf(record, id, MARIADB));
    expect([recovery?.outcome, tables?.outcome]).toContain('fail');
    expect(resultOf(record, 'redis/recovery', REDIS)).toMatchObject({
      outcome: 'fail',
      instanceState: 'damaged',
      summary: expect.stringContaining('does not start'),
    });
    expect(record.verdict).toBe('failed');
  });
});

function outcomesOfExpectations(record: VerificationRecord): string[] {
  return record.checks
    .filter(({ id }) => id === 'application/sql')
    .map(({ target, outcome }) => `${target.slice(12, 13)} ${outcome}`)
    .sort();
}

function wrong(record: VerificationRecord): string[] {
  return record.checks.filter(({ outcome }) => outcome === 'fail' || outcome === 'error').map(({ id, outcome }) => `${id} ${outcome}`);
}
