/** A real OpenLDAP server under load, and stores that mdb_load wrote: captures raise no alarm, damage is found. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flipBit, randomFrom, readAt, sizeOf, swap, writeAt, zero } from '../testing/damage.js';
import { judgeFolder } from '../testing/judge.js';
import { missingPackages, RealServer } from '../testing/server.js';
import { lmdbFinder } from './finder.js';
import structure from './structure/index.js';
import { DirectoryLoad, directoryArguments } from './testing/directory.js';

const missing = missingPackages({ slapd: 'slapd', ldapmodify: 'ldap-utils', mdb_load: 'lmdb-utils' });
const CAPTURES = Number(process.env.SNAPPROOF_CAPTURES ?? 10);
const PAGE = 4096;
const folder = mkdtempSync(join(tmpdir(), 'snapproof-lmdb-'));
const captures: string[] = [];

beforeEach((context) => {
  if (missing.length === 0) return;
  Object.assign(context.task.meta, { skipReason: `${missing.join(', ')} is missing` });
  context.skip();
});
beforeAll(async () => {
  if (missing.length > 0) return;
  const live = join(folder, 'live');
  const { args, url } = directoryArguments(live);
  const server = new RealServer('slapd', args, { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
  await server.until(() => spawnSync('ldapwhoami', ['-x', '-H', url]).status === 0);
  const load = new DirectoryLoad(url);
  try {
    for (let i = 0; i < CAPTURES; i++) {
      await sleep(150 + ((i * 97) % 300));
      const to = join(folder, `capture${i}`);
      await server.capture(join(live, 'store'), to);
      captures.push(to);
    }
  } finally {
    await load.stop();
    await server.stop('SIGKILL');
  }
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const judge = (path: string) => judgeFolder(path, lmdbFinder, [structure]);

function outcomeOf(changed: boolean, found: boolean, inValue: boolean, kind: string) {
  // The list of free pages, which mdb_dump does not read, and pages that only the next transaction would need.
  if (!changed) return found ? 'foundElsewhere' : 'unchanged';
  if (found) return 'found';
  if (inValue) return 'missedInLongValues';
  return kind === 'stale' ? 'missedStale' : 'missed';
}

describe('hot captures of a directory under load', () => {
  it('raise no alarm, and can be exported', { timeout: 300_000 }, async () => {
    let last = 0;
    for (const captured of captures) {
      const judged = await judge(captured);
      expect([captured, judged.why, judged.codes, judged.untested, judged.states]).toEqual([captured, [], [], [], ['clean']]);
      expect(judged.judgements['lmdb/structure']?.tested[0]?.how).not.toContain('neither used nor free');
      expect(judged.judgements['lmdb/structure']?.untested).toHaveLength(1);
      last = Number(/transaction (\d+)/.exec(judged.judgements['lmdb/structure']?.summary ?? '')?.[1]);
      expect(spawnSync('mdb_dump', ['-a', captured], { maxBuffer: 2 ** 30 }).status).toBe(0);
    }
    expect(last).toBeGreaterThan(100);
  });
});

/** Stores with every kind of tree. */
function loadStore(name: string, header: string[], pairs: [string, string][]): string {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const input = [
    'VERSION=3',
    'format=print',
    'type=btree',
    'mapsize=268435456',
    ...header,
    'HEADER=END',
    ...pairs.flatMap(([k, v]) => [` ${k}`, ` ${v}`]),
    'DATA=END',
    '',
  ];
  execFileSync('mdb_load', [home], { input: input.join('\n') });
  return home;
}

const pad = (i: number) => String(i).padStart(8, '0');
const many = (count: number, value: (i: number) => string, key = (i: number) => `key ${pad(i)}`): [string, string][] =>
  Array.from({ length: count }, (_, i) => [key(i), value(i)]);

describe('stores of every kind', () => {
  it.each<[string, string[], [string, string][]]>([
    ['plain', [], many(5000, (i) => `value ${i}`)],
    ['with long values', [], many(300, (i) => 'x'.repeat(i * 100))],
    ['of a tree with a name', ['database=people'], many(3000, (i) => `value ${i}`)],
    [
      'with duplicates',
      ['database=dup', 'duplicates=1', 'dupsort=1'],
      many(
        20_000,
        (i) => `value ${pad(i)}`,
        (i) => `key ${i % 7}`,
      ),
    ],
    [
      'with duplicates of one size',
      ['database=fixed', 'duplicates=1', 'dupsort=1', 'dupfixed=1'],
      many(
        20_000,
        (i) => pad(i),
        (i) => `key ${i % 7 === 0 ? i : i % 7}`,
      ),
    ],
    [
      'with reversed keys',
      ['database=reversed', 'reversekey=1'],
      many(
        3000,
        (i) => `v${i}`,
        (i) => `${pad(i * 7919).slice(-6)} k`,
      ),
    ],
    ['empty', [], []],
  ])('%s', async (name, header, pairs) => {
    const home = loadStore(name.replaceAll(' ', '-'), header, pairs);
    const judged = await judge(home);
    expect([judged.why, judged.codes, judged.untested, judged.instances.length]).toEqual([[], [], [], 1]);
    expect(judged.judgements['lmdb/structure']?.untested).toHaveLength(1);
  });
});

describe('damage', () => {
  const damaged = (change: (path: string) => void) => {
    const copy = join(folder, `damaged${Math.random()}`);
    mkdirSync(copy);
    copyFileSync(join(captures.at(-1) ?? '', 'data.mdb'), join(copy, 'data.mdb'));
    change(join(copy, 'data.mdb'));
    return judge(copy);
  };
  /** Pages of the trees that the newest meta page reaches, by their flags. */
  const pages = (path: string, flags: number) =>
    Array.from({ length: Math.floor(sizeOf(path) / PAGE) - 2 }, (_, i) => i + 2).filter(
      (page) => (readAt(path, page * PAGE + 10, 2).readUInt16LE(0) & 7) === flags,
    );
  const newestMeta = (path: string) => (readAt(path, 144, 8).readBigUInt64LE(0) > readAt(path, PAGE + 144, 8).readBigUInt64LE(0) ? 0 : PAGE);
  const root = (path: string) => Number(readAt(path, newestMeta(path) + 128, 8).readBigUInt64LE(0));

  it.each<[string, (path: string) => void]>([
    ['the root zeroed', (path) => zero(path, root(path) * PAGE, PAGE)],
    ['the root swapped with another page', (path) => swap(path, root(path) * PAGE, (root(path) === 5 ? 6 : 5) * PAGE, PAGE)],
    ['the file cut in half', (path) => truncateSync(path, PAGE * Math.floor(sizeOf(path) / PAGE / 2))],
    ['a meta page zeroed', (path) => zero(path, PAGE, PAGE)],
    ['the magic number lost', (path) => zero(path, 0, 512)],
    ['an older transaction made the newest', (path) => flipBit(path, newestMeta(path) + 146, 0)],
  ])('%s', async (name, change) => {
    const judged = await damaged(change);
    if (name.startsWith('an older')) expect(judged.failed).toBe(false);
    else expect(judged).toMatchObject({ failed: true, states: ['damaged'] });
  });

  const dump = (path: string) => spawnSync('mdb_dump', ['-a', '-n', path], { maxBuffer: 2 ** 30 }).stdout;

  /** Pages behind the first one of a long value: nothing but bytes of the value. */
  function insideLongValues(path: string): Set<number> {
    const inside = new Set<number>();
    for (const page of pages(path, 4)) {
      const head = readAt(path, page * PAGE, 16);
      // Bytes of a value may look like anything.
      const count = Number(head.readBigUInt64LE(0)) === page ? Math.min(head.readUInt32LE(12), 100) : 0;
      for (let i = 1; i < count; i++) inside.add(page + i);
    }
    return inside;
  }

  const partnerOf = (page: number, path: string) => 2 + ((page + 7) % (Math.floor(sizeOf(path) / PAGE) - 2));

  /** Damages page `page`; says whether what the store answers changed by it, and whether that was found. */
  async function damagePage(page: number, kind: 'zeroed' | 'swapped' | 'stale') {
    const older = join(captures.at(-3) ?? '', 'data.mdb');
    let same = true;
    const judged = await damaged((path) => {
      const before = dump(path);
      const other = partnerOf(page, path);
      if (kind === 'zeroed') zero(path, page * PAGE, PAGE);
      else if (kind === 'swapped') swap(path, page * PAGE, other * PAGE, PAGE);
      else if ((page + 1) * PAGE <= sizeOf(older)) writeAt(path, page * PAGE, readAt(older, page * PAGE, PAGE));
      same = dump(path).equals(before);
    });
    return { changed: !same, found: judged.failed };
  }

  it('zeroed, swapped and stale pages anywhere: found where they are in use, and only there', { timeout: 300_000 }, async () => {
    const random = randomFrom(11);
    const path = join(captures.at(-1) ?? '', 'data.mdb');
    const long = insideLongValues(path);
    const table = { placed: 0, unchanged: 0, found: 0, missedInLongValues: 0, missedStale: 0, missed: 0, foundElsewhere: 0 };
    for (let i = 0; i < 60; i++) {
      const page = 2 + Math.floor(random() * (sizeOf(path) / PAGE - 2));
      const kind = (['zeroed', 'swapped', 'stale'] as const)[i % 3] ?? 'zeroed';
      const { changed, found } = await damagePage(page, kind);
      table.placed++;
      const inValue = long.has(page) || (kind === 'swapped' && long.has(partnerOf(page, path)));
      table[outcomeOf(changed, found, inValue, kind)]++;
    }
    process.stdout.write(`${JSON.stringify(table)}\n`);
    expect(table).toMatchObject({ missed: 0 });
    expect(table.found).toBeGreaterThan(5);
  });
});
