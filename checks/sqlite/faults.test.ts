/** Damages real databases and logs and sees the damage found; SQLite's own integrity check tells which damage is one. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeStatic } from './testing/judge-all.js';
import { copyDatabase, damage, openSample, truthOf } from './testing/sample.js';

const PAGE = 1024;
const folder = mkdtempSync(join(tmpdir(), 'snapproof-faults-'));
const base = join(folder, 'base.db');
const vacuumed = join(folder, 'vacuumed.db');
let copies = 0;

beforeAll(() => {
  openSample(base).close();
  openSample(vacuumed, { autoVacuum: 'incremental' }).close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function damagedCopy(change: (bytes: Buffer) => unknown, from = base): string {
  const path = join(folder, `fault${copies++}.db`);
  copyDatabase(from, path);
  damage(path, change);
  return path;
}

const pageOf = (bytes: Buffer, page: number) => bytes.subarray((page - 1) * PAGE, page * PAGE);
const pagesOfType = (type: number, from = base) => {
  const bytes = readFileSync(from);
  return Array.from({ length: bytes.length / PAGE }, (_, i) => i + 1).filter((page) => pageOf(bytes, page)[page === 1 ? 100 : 0] === type);
};

/** Never milder than SQLite: what its integrity check finds, the static pass finds. */
async function expectAsSevere(path: string): Promise<{ missed: string | null; found: boolean }> {
  const truth = truthOf(path, folder);
  const judged = await judgeStatic(path);
  return { missed: truth !== 'ok' && !judged.failed ? truth : null, found: judged.failed };
}

/** Complaints of SQLite that name only what the static pass leaves to it: the order of indexes that are not BINARY and ascending. */
const LEFT_TO_SQLITE = /^(row \d+ missing from index entry_folded(; )?)+$/;
/** Every so many pages: the whole takes a minute. */
const STRIDE = 3;

async function sweep(from: string, first: number, change: (bytes: Buffer, page: number) => void): Promise<{ missed: string[]; found: number; pages: number }> {
  const missed: string[] = [];
  let found = 0;
  const last = readFileSync(from).length / PAGE;
  let pages = 0;
  for (let page = first; page <= last; page += STRIDE) {
    pages++;
    const path = damagedCopy((bytes) => void change(bytes, page), from);
    const result = await expectAsSevere(path);
    if (result.found) found++;
    if (result.missed && !LEFT_TO_SQLITE.test(result.missed)) missed.push(`page ${page}: ${result.missed}`);
    unlinkSync(path);
  }
  return { missed, found, pages };
}

describe('every page in turn', () => {
  it('zeroed: all that SQLite finds is found', async () => {
    const { missed, found, pages } = await sweep(base, 1, (bytes, page) => pageOf(bytes, page).fill(0));
    expect(missed).toEqual([]);
    // Free pages, and the last page of an overflow chain, may hold anything.
    expect(found).toBeGreaterThan(pages * 0.4);
  });

  it('zeroed, with a pointer map', async () => {
    const { missed, found, pages } = await sweep(vacuumed, 2, (bytes, page) => pageOf(bytes, page).fill(0));
    expect(missed).toEqual([]);
    expect(found).toBeGreaterThan(pages * 0.4);
  });

  it('replaced by the next page: a write that went astray', async () => {
    const { missed } = await sweep(base, 3, (bytes, page) => {
      if (page * PAGE < bytes.length) pageOf(bytes, page + 1).copy(pageOf(bytes, page));
    });
    expect(missed).toEqual([]);
  });

  it('its second half overwritten by that of another b-tree page: a torn page', async () => {
    const { missed, found, pages } = await sweep(base, 2, (bytes, page) => {
      const leaves = pagesOfType(13);
      const other = leaves[(page * 7) % leaves.length] ?? 2;
      pageOf(bytes, other)
        .subarray(PAGE / 2)
        .copy(pageOf(bytes, page), PAGE / 2);
    });
    expect(missed).toEqual([]);
    expect(found).toBeGreaterThan(pages * 0.3);
  });
});

describe('single faults', () => {
  it.each([
    ['two leaves of a table', 13],
    ['two leaves of an index', 10],
  ])('%s swapped', async (_, type) => {
    const pages = pagesOfType(type);
    for (let i = 4; i + 1 < pages.length; i += 5) {
      const path = damagedCopy((bytes) => {
        const [one, two] = [pageOf(bytes, pages[i] ?? 0), pageOf(bytes, pages[i + 1] ?? 0)];
        const kept = Buffer.from(one);
        two.copy(one);
        kept.copy(two);
      });
      const { missed } = await expectAsSevere(path);
      // Indexes under a collation that is not BINARY are left to SQLite's own check.
      if (type === 13) expect(missed).toBeNull();
      if (type === 10 && missed) expect((await judgeStatic(path)).evidence.walk?.uncomparedIndexes).toBeGreaterThan(0);
    }
  });

  it('finds swapped leaves of an index under BINARY', async () => {
    const path = join(folder, 'one-index.db');
    const database = openSample(path, { rows: 1200 });
    database.exec('DROP INDEX entry_folded; DROP TABLE pair; DROP TABLE words; VACUUM');
    database.close();
    const pages = pagesOfType(10, path);
    damage(path, (bytes) => {
      const [one, two] = [pageOf(bytes, pages[3] ?? 0), pageOf(bytes, pages[6] ?? 0)];
      const kept = Buffer.from(one);
      two.copy(one);
      kept.copy(two);
    });
    expect((await judgeStatic(path)).codes).toContain('sqlite.tree.order');
  });

  it('finds a wrong count and a wrong trunk of the free list', async () => {
    const count = await judgeStatic(damagedCopy((bytes) => void bytes.writeUInt32BE(bytes.readUInt32BE(36) + 1, 36)));
    expect(count.codes).toContain('sqlite.freelist');
    const trunk = await judgeStatic(damagedCopy((bytes) => void bytes.writeUInt32BE(0xffffffff, (bytes.readUInt32BE(32) - 1) * PAGE + 4)));
    expect(trunk.codes).toContain('sqlite.freelist');
  });

  it('finds a wrong entry of the pointer map', async () => {
    const judged = await judgeStatic(damagedCopy((bytes) => void bytes.writeUInt32BE(77, PAGE + 5 * 3 + 1), vacuumed));
    expect(judged.codes).toContain('sqlite.pointer-map');
  });

  it('finds a truncated file, in the middle of a page too', async () => {
    for (const lengthBytes of [PAGE * 50, PAGE * 50 + 100, 3000]) {
      const path = damagedCopy(() => undefined);
      truncateSync(path, lengthBytes);
      expect((await judgeStatic(path)).codes).toContain('sqlite.file.short');
    }
  });

  it('finds a destroyed header', async () => {
    const judged = await judgeStatic(damagedCopy((bytes) => void bytes.fill(0, 0, 100)));
    expect(judged.structure.outcome).toBe('fail');
    expect(judged.codes).toEqual(['sqlite.header']);
  });

  it('says that a file that vanished could not be read', async () => {
    const judged = await judgeStatic(join(folder, 'not-there.db'));
    expect(judged.structure).toMatchObject({ outcome: 'fail', untested: [{ holdsData: true }] });
  });
});

describe('healthy databases', () => {
  const sizes = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];
  it.each(sizes.flatMap((pageSize) => (['none', 'full', 'incremental'] as const).map((autoVacuum) => [pageSize, autoVacuum] as const)))(
    'pages of %i bytes, auto-vacuum %s',
    async (pageSize, autoVacuum) => {
      const path = join(folder, `healthy-${pageSize}-${autoVacuum}.db`);
      openSample(path, { pageSize, autoVacuum, encoding: ['UTF-8', 'UTF-16le', 'UTF-16be'][pageSize % 3] ?? 'UTF-8', rows: 700 }).close();
      const judged = await judgeStatic(path);
      expect(judged.structure.summary).toMatch(/in place and well-formed/);
      expect(judged.codes).toEqual([]);
      expect(judged.wal.consistency?.level).toBe('application');
      expect(judged.evidence.walk?.pointerMap).toBe(autoVacuum === 'none' ? 'none' : 'compared');
    },
  );

  it('accepts a file of no length and a database without a table', async () => {
    const nothing = join(folder, 'nothing.db');
    writeFileSync(nothing, '');
    expect(await judgeStatic(nothing)).toMatchObject({ failed: false, codes: [] });
    const empty = join(folder, 'empty.db');
    const database = openSample(empty, { rows: 0 });
    database.exec('DROP TABLE entry; DROP TABLE pair; DROP TABLE gone; DROP TABLE words; VACUUM');
    database.close();
    expect(await judgeStatic(empty)).toMatchObject({ failed: false, codes: [] });
  });
});
