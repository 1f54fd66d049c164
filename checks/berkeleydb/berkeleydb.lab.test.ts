/** Files that db_load wrote, of every kind, size of page and byte order, whole and damaged; db_verify is the judge. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { flipBit, randomFrom, readAt, sizeOf, swap, zero } from '../testing/damage.js';
import { judgeFolder } from '../testing/judge.js';
import { missingPackages } from '../testing/server.js';
import { berkeleyFinder } from './finder.js';
import pages from './pages/index.js';

const missing = missingPackages({ db_load: 'db-util', db_verify: 'db-util' });
const folder = mkdtempSync(join(tmpdir(), 'snapproof-bdb-'));
let homes = 0;

beforeEach((context) => {
  if (missing.length === 0) return;
  Object.assign(context.task.meta, { skipReason: `${missing.join(', ')} is missing` });
  context.skip();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const newHome = () => {
  const home = join(folder, `home${homes++}`);
  mkdirSync(home);
  return home;
};

function load(kind: string, header: string[], lines: string[], options: string[] = []): string {
  const home = newHome();
  const input = ['VERSION=3', 'format=print', `type=${kind}`, ...header, 'HEADER=END', ...lines.map((line) => ` ${line}`), 'DATA=END', ''].join('\n');
  execFileSync('db_load', [...options, join(home, 'file.db')], { input });
  return home;
}

const judge = (home: string) => judgeFolder(home, berkeleyFinder, [pages]);
const verifies = (home: string) => spawnSync('db_verify', ['-q', join(home, 'file.db')]).status === 0;
const pairs = (count: number, value: (i: number) => string, key = (i: number) => `key ${String(i).padStart(7, '0')}`) =>
  Array.from({ length: count }, (_, i) => [key(i), value(i)]).flat();
const records = (count: number) => Array.from({ length: count }, (_, i) => `record ${i}`.padEnd(40, '.'));

const KINDS: Record<string, () => string> = {
  'a btree with checksums': () =>
    load(
      'btree',
      ['chksum=1', 'db_pagesize=1024'],
      pairs(4000, (i) => `value ${i}`),
    ),
  'a btree without': () =>
    load(
      'btree',
      ['db_pagesize=512'],
      pairs(4000, (i) => `value ${i}`),
    ),
  'a btree of the other byte order': () =>
    load(
      'btree',
      ['db_lorder=4321', 'chksum=1', 'db_pagesize=2048'],
      pairs(3000, (i) => `value ${i}`),
    ),
  'a btree with long values and keys': () =>
    load(
      'btree',
      ['db_pagesize=1024'],
      pairs(
        300,
        (i) => 'x'.repeat(i * 30),
        (i) => `${'k'.repeat(i * 3)}${i}`,
      ),
    ),
  'a btree with duplicates': () =>
    load(
      'btree',
      ['duplicates=1', 'dupsort=1', 'db_pagesize=512'],
      pairs(
        6000,
        (i) => `value ${i}`,
        (i) => `key ${i % 5}`,
      ),
    ),
  'a file of several databases': () => {
    const home = load(
      'btree',
      ['database=first', 'db_pagesize=1024'],
      pairs(2000, (i) => `value ${i}`),
    );
    const input = [
      'VERSION=3',
      'format=print',
      'type=btree',
      'database=second',
      'db_pagesize=1024',
      'HEADER=END',
      ...pairs(2000, (i) => `v${i}`).map((line) => ` ${line}`),
      'DATA=END',
      '',
    ];
    execFileSync('db_load', [join(home, 'file.db')], { input: input.join('\n') });
    return home;
  },
  'a hash with checksums': () =>
    load(
      'hash',
      ['chksum=1', 'db_pagesize=1024'],
      pairs(4000, (i) => `value ${i}`),
    ),
  'a hash with long values': () =>
    load(
      'hash',
      ['db_pagesize=512'],
      pairs(500, (i) => 'y'.repeat(i * 10)),
    ),
  'a recno': () => load('recno', ['db_pagesize=1024'], records(3000)),
  'a queue': () => load('queue', ['re_len=50', 'db_pagesize=1024'], records(3000)),
  'a heap': () => load('heap', ['db_pagesize=1024', 'chksum=1'], records(2000)),
  'an empty btree': () => load('btree', [], []),
};

describe('whole files', () => {
  it.each(Object.entries(KINDS))('%s', async (_, make) => {
    const home = make();
    expect(verifies(home)).toBe(true);
    expect(await judge(home)).toMatchObject({ failed: false, codes: [], states: ['clean'], untested: [] });
  });
});

describe('damage', () => {
  const copyOf = (home: string) => {
    const copy = newHome();
    copyFileSync(join(home, 'file.db'), join(copy, 'file.db'));
    return copy;
  };

  const KINDS_OF_DAMAGE: ((path: string, page: number, pageBytes: number, random: () => number) => void)[] = [
    (path, page, pageBytes, random) => flipBit(path, page * pageBytes + Math.floor(random() * pageBytes), page % 8),
    (path, page, pageBytes) => zero(path, page * pageBytes, pageBytes),
    (path, page, pageBytes) => swap(path, page * pageBytes, (1 + (page % (sizeOf(path) / pageBytes - 1))) * pageBytes, pageBytes),
    (path, page, pageBytes) => truncateSync(path, page * pageBytes),
  ];

  /** Places that db_verify sees and the check does not pass over: by kind of damage. */
  async function place(home: string, name: string): Promise<string[]> {
    const pageBytes = readAt(join(home, 'file.db'), 20, 4).readUInt32LE(0);
    const random = randomFrom(5);
    const table = { placed: 0, wrong: 0, found: 0, missed: [] as string[] };
    for (let i = 0; i < 32; i++) {
      const copy = copyOf(home);
      const path = join(copy, 'file.db');
      const page = 1 + Math.floor(random() * (sizeOf(path) / pageBytes - 2));
      KINDS_OF_DAMAGE[i % 4]?.(path, page, pageBytes, random);
      const wrong = !verifies(copy);
      const judged = await judge(copy);
      table.placed++;
      if (!wrong) continue;
      table.wrong++;
      if (judged.failed || judged.untested.length > 0) table.found++;
      else table.missed.push(`${['bit', 'zero', 'swap', 'cut'][i % 4]} ${page}`);
    }
    process.stdout.write(`${name}: ${JSON.stringify(table)}\n`);
    expect(table.found).toBeGreaterThan(5);
    return table.missed;
  }

  it.each(['a btree with checksums', 'a hash with checksums'])('in %s: what db_verify sees does not pass', { timeout: 300_000 }, async (name) => {
    expect(await place(KINDS[name]?.() ?? '', name)).toEqual([]);
  });

  it.each(['a btree without', 'a file of several databases', 'a recno'])('in %s: all but single bits', { timeout: 300_000 }, async (name) => {
    const missed = await place(KINDS[name]?.() ?? '', name);
    expect(missed.filter((text) => !text.startsWith('bit'))).toEqual([]);
  });

  it('of the first page', async () => {
    const home = copyOf(KINDS['a btree with checksums']?.() ?? '');
    flipBit(join(home, 'file.db'), 90, 3);
    expect(await judge(home)).toMatchObject({ failed: true, states: ['damaged'] });
  });
});
