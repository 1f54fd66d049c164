/** Databases that Firebird wrote: no alarm on hot captures, and each kind of fault found as far as the structure shows it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { Check } from '../../src/check.js';
import { judgeOne } from '../testing/judge.js';
import { firebirdFinder } from './finder.js';
import { TYPES } from './format/page.js';
import structure from './structure/index.js';
import { createDatabase, dropping, engineSays, isql, Load, missingTool } from './testing/server.js';

const CHECKS = [structure] as unknown as Check[];
/** Raise it to look for rare states. */
const CAPTURES = Number(process.env.SNAPPROOF_CAPTURES ?? 12);
const root = mkdtempSync(join(tmpdir(), 'snapproof-firebird-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const missing = missingTool();
let number = 0;

async function judge(bytes: Buffer, others: Record<string, Buffer> = {}) {
  const folder = join(root, `case${number++}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'shop.fdb'), bytes);
  for (const [name, content] of Object.entries(others)) writeFileSync(join(folder, name), content);
  const judged = await judgeOne(folder, firebirdFinder, CHECKS);
  rmSync(folder, { recursive: true });
  return judged;
}

const DROPPED = /missing pointer page in DPM_data_pages/;

/** Captures under load, and the database after it. */
async function underLoad(name: string, pageBytes: number, captures: number, toTheEnd = false): Promise<{ folder: string; captured: string[]; quiet: Buffer }> {
  const folder = join(root, name);
  const path = createDatabase(folder, pageBytes);
  const load = Load.start(folder, path, toTheEnd ? 12 : 2 * captures + 10);
  const captured: string[] = [];
  try {
    for (let i = 0; i < captures && load.running; i++) {
      await sleep(40 + ((i * 67) % 150));
      captured.push(join(folder, `capture${i}.fdb`));
      load.capture(captured[i] ?? '');
    }
    // A load that was broken off leaves pages to which nothing points.
    if (toTheEnd) await load.finished();
  } finally {
    await load.stop();
  }
  isql(folder, `connect '${path}'; select count(*) from account;`);
  return { folder, captured, quiet: readFileSync(path) };
}

/** Captures of a database in which tables come and go without pause. */
async function whileTablesAreDropped(name: string, captures: number): Promise<{ folder: string; captured: string[] }> {
  const folder = join(root, name);
  const path = createDatabase(folder);
  const load = Load.run(folder, path, dropping(captures * 4));
  const captured: string[] = [];
  try {
    for (let i = 0; i < captures && load.running; i++) {
      await sleep(7 + ((i * 13) % 29));
      captured.push(join(folder, `capture${i}.fdb`));
      load.capture(captured[i] ?? '');
    }
  } finally {
    await load.stop();
  }
  return { folder, captured };
}

function skipped(ctx: { task: { meta: object }; skip(): void }): void {
  if (!missing) return;
  Object.assign(ctx.task.meta, { skipReason: `${missing} is missing (Debian: firebird3.0-server, firebird3.0-utils)` });
  ctx.skip();
}

describe('databases that Firebird wrote', () => {
  it.each([4096, 8192, 16384])('raise no alarm when they are captured under load, pages of %i bytes', async (pageBytes) => {
    if (missing) throw new Error(`${missing} is missing (Debian: firebird3.0-server, firebird3.0-utils)`);
    const { folder, captured } = await underLoad(`load${pageBytes}`, pageBytes, CAPTURES);
    const states: string[] = [];
    for (const path of captured) {
      const judged = await judge(readFileSync(path));
      const { summary, instanceState, findings } = judged.judgements[structure.id] ?? {};
      const truth = engineSays(folder, path);
      // DROP TABLE frees the pages before it commits: captured between the two, the engine has a table without pages. See README.md.
      const dropped = DROPPED.test(truth);
      expect([judged.failed, summary, dropped ? '' : truth]).toEqual([dropped, summary, '']);
      if (dropped) expect(findings?.map(({ code }) => code)).toEqual(['firebird.table.without-pages']);
      else states.push(instanceState ?? 'none');
      expect(judged.evidenceBytes).toBeLessThan(4000);
    }
    // Between two transactions nothing is open.
    expect(states.filter((state) => state !== 'clean' && state !== 'recoverable')).toEqual([]);
    expect(states).toContain('recoverable');
  });

  it('are failed when a table lost its pages while it was dropped, as the engine fails them, and only then', async (ctx) => {
    skipped(ctx);
    const { folder, captured } = await whileTablesAreDropped('dropped', 60);
    let found = 0;
    for (const path of captured) {
      const { failed, judgements } = await judge(readFileSync(path));
      const dropped = DROPPED.test(engineSays(folder, path));
      expect([failed, judgements[structure.id]?.summary]).toEqual([dropped, judgements[structure.id]?.summary]);
      if (dropped) {
        found++;
        expect(judgements[structure.id]?.summary).toMatch(/lists the table PASSING\d+, and nothing says any more where its pages are/);
      }
    }
    expect(found).toBeGreaterThan(0);
  });

  it('with views, external and temporary tables raise no alarm', async (ctx) => {
    skipped(ctx);
    const folder = join(root, 'kinds');
    const path = createDatabase(folder);
    isql(
      folder,
      `connect '${path}'; create view seen as select id from account; create global temporary table kept (id int) on commit preserve rows;
       create global temporary table gone (id int); create table outside external file '${folder}/outside.txt' (line char(10)); commit;
       alter table account add more int; commit; update account set more = 1; commit; drop view seen; commit;`,
    );
    expect((await judge(readFileSync(path))).judgements[structure.id]).toMatchObject({ outcome: 'pass', findings: [] });
  });

  it('are failed when pages are lost, in the wrong place, or older', async (ctx) => {
    skipped(ctx);
    const pageBytes = 4096;
    const { captured, quiet } = await underLoad('faults', pageBytes, 6, true);
    const before = readFileSync(captured[1] ?? '');
    expect((await judge(quiet)).failed).toBe(false);
    const none = (): [number, number] => [0, 0];
    const counts = { zeroed: none(), swapped: none(), stale: none(), torn: none() };
    const page = (bytes: Buffer, at: number) => bytes.subarray(at * pageBytes, (at + 1) * pageBytes);
    const count = async (kind: keyof typeof counts, change: (bytes: Buffer) => void) => {
      const damaged = Buffer.from(quiet);
      change(damaged);
      counts[kind][1]++;
      if ((await judge(damaged)).failed) counts[kind][0]++;
    };
    const data = pagesOf(quiet, pageBytes, [TYPES.data, TYPES.index, TYPES.pointer, TYPES.blob]);
    for (let i = 0; i + 1 < data.length; i += Math.ceil(data.length / 40)) {
      const [one, two] = [data[i] ?? 0, data[i + 1] ?? 0];
      await count('zeroed', (bytes) => void page(bytes, one).fill(0));
      await count('swapped', (bytes) => {
        page(quiet, one).copy(page(bytes, two));
        page(quiet, two).copy(page(bytes, one));
      });
    }
    for (const at of data) {
      if ((at + 1) * pageBytes > before.length || page(before, at).equals(page(quiet, at)) || page(before, at)[0] === 0) continue;
      await count('stale', (bytes) => void page(before, at).copy(page(bytes, at)));
      await count('torn', (bytes) => void page(before, at).copy(page(bytes, at), pageBytes / 2, pageBytes / 2));
    }
    process.stdout.write(`found of placed: ${JSON.stringify(counts)}\n`);
    expect(counts.zeroed[0]).toBe(counts.zeroed[1]);
    expect(counts.swapped[0]).toBe(counts.swapped[1]);
    expect(counts.stale[0]).toBeGreaterThan(0);
    expect(counts.torn[0]).toBeGreaterThan(0);
  });

  it('are untested where their own settings leave nothing to prove', async (ctx) => {
    skipped(ctx);
    const folder = join(root, 'settings');
    const path = createDatabase(folder);
    const header = (change: (bytes: Buffer) => void) => {
      const bytes = readFileSync(path);
      change(bytes);
      return bytes;
    };
    const state = async (bytes: Buffer, others = {}) => (await judge(bytes, others)).judgements[structure.id];
    expect(await state(readFileSync(path))).toMatchObject({ outcome: 'pass', untested: [] });
    expect(await state(header((bytes) => bytes.writeUInt16LE(bytes.readUInt16LE(42) & ~2, 42)))).toMatchObject({
      instanceState: 'unknown',
      untested: [{ holdsData: true }],
    });
    const stalled = header((bytes) => bytes.writeUInt16LE(bytes.readUInt16LE(42) | 0x400, 42));
    expect((await state(stalled))?.findings[0]?.code).toBe('firebird.delta.missing');
    expect(await state(stalled, { 'shop.fdb.delta': Buffer.alloc(10, 1) })).toMatchObject({
      findings: [],
      instanceState: 'unknown',
      untested: [{ holdsData: true }],
    });
    expect(await state(header((bytes) => bytes.writeUInt16LE(0x800d, 18)))).toMatchObject({ instanceState: 'unknown', untested: [{ holdsData: true }] });
    expect(await state(header((bytes) => bytes.fill(0, 0, 16)))).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
  });
});

/** In-use pages of these types, spread over the file. */
function pagesOf(bytes: Buffer, pageBytes: number, types: number[]): number[] {
  const inventory = bytes.subarray(pageBytes, 2 * pageBytes);
  const used = (page: number) => ((inventory[28 + (page >> 3)] ?? 0) & (1 << (page & 7))) === 0;
  const pages = [...Array(Math.floor(bytes.length / pageBytes)).keys()];
  return pages.filter((page) => used(page) && types.includes(bytes[page * pageBytes] ?? 0));
}
