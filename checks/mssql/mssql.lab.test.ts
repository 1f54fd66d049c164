/** Whole databases through finder, threads and both checks: built from the format, and real ones where a folder of them is named. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Check } from '../../src/check.js';
import { judgeEach, judgeOne } from '../testing/judge.js';
import { mssqlFinder } from './finder.js';
import { isAllocated } from './format/allocation.js';
import { CHECKSUM, PAGE_BYTES } from './format/page.js';
import logVersusPages from './log-versus-pages/index.js';
import pageChecksums from './page-checksums/index.js';
import { type DatabaseChoices, dataFile, logFile, usualLog, type VlfChoices } from './testing/build.js';

const CHECKS = [pageChecksums, logVersusPages] as unknown as Check[];
const root = mkdtempSync(join(tmpdir(), 'snapproof-mssql-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let number = 0;

function database(choices: DatabaseChoices, vlfs: VlfChoices[] | null = usualLog(), change: (data: Buffer) => void = () => undefined): string {
  const folder = join(root, `case${number++}`);
  mkdirSync(folder);
  const data = dataFile(choices);
  change(data);
  writeFileSync(join(folder, 'sales.mdf'), data);
  if (vlfs) writeFileSync(join(folder, 'sales_log.ldf'), logFile(vlfs));
  return folder;
}

const judge = (folder: string) => judgeOne(folder, mssqlFinder, CHECKS);
const states = (judged: Awaited<ReturnType<typeof judge>>) => Object.values(judged.judgements).map(({ instanceState }) => instanceState);

describe('databases built from the format', () => {
  it('pass when they are sound, and their evidence is small', async () => {
    const running = await judge(database({}));
    expect(running).toMatchObject({ failed: false, codes: [] });
    expect(states(running)).toEqual(['recoverable', 'recoverable']);
    expect(running.evidenceBytes).toBeLessThan(4000);
    expect(states(await judge(database({ clean: true })))).toEqual(['clean', 'clean']);
  });

  it.each([
    ['mssql.page.sum', (data: Buffer) => void data.fill(0, 40 * PAGE_BYTES + 4096, 41 * PAGE_BYTES)],
    ['mssql.page.zeroed', (data: Buffer) => void data.fill(0, 40 * PAGE_BYTES, 41 * PAGE_BYTES)],
    ['mssql.page.misplaced', (data: Buffer) => void data.copyWithin(40 * PAGE_BYTES, 41 * PAGE_BYTES, 42 * PAGE_BYTES)],
    ['mssql.boot-page', (data: Buffer) => void data.fill(7, 9 * PAGE_BYTES + 500, 9 * PAGE_BYTES + 501)],
    ['mssql.file-header', (data: Buffer) => void data.fill(0, 0, PAGE_BYTES)],
  ])('fail with %s', async (code, change) => {
    const judged = await judge(database({}, usualLog(), change));
    expect(judged).toMatchObject({ failed: true });
    expect(judged.codes).toContain(code);
  });

  it('pass with anything in free space', async () => {
    const folder = database({ inUse: 80 }, usualLog(), (data) => void data.fill(0xa7, 80 * PAGE_BYTES));
    expect(await judge(folder)).toMatchObject({ failed: false, codes: [] });
  });

  it('fail when pages are newer than the log, and when the log no longer has their checkpoint', async () => {
    const newer = await judge(database({ lsnOf: () => ({ vlf: 44, block: 20, slot: 1 }), checkpoint: { vlf: 44, block: 16, slot: 1 } }));
    expect(newer.codes).toEqual(expect.arrayContaining(['mssql.page.newer-than-log', 'mssql.checkpoint.beyond']));
    expect(states(newer)[1]).toBe('non-atomic');
    const older = await judge(database({ checkpoint: { vlf: 30, block: 16, slot: 1 } }));
    expect(older.codes).toEqual(['mssql.checkpoint.overwritten']);
  });

  it('are found with all their files, wherever these lie', async () => {
    const folder = database({});
    mkdirSync(join(folder, 'other'));
    writeFileSync(join(folder, 'other', 'more.dat'), dataFile({ fileId: 3 }));
    writeFileSync(join(folder, 'other', 'lonely.ndf'), dataFile({ fileId: 3, binding: 'ff'.repeat(16) }));
    writeFileSync(join(folder, 'disc.mdf'), Buffer.alloc(500_000, 'ISO'));
    writeFileSync(join(folder, 'other', 'alone.ldf'), logFile(usualLog(), 'ee'.repeat(16)));
    const found = await judgeEach(folder, mssqlFinder, CHECKS);
    const byPath = Object.fromEntries(found.map((judged) => [judged.instance.location.path, judged]));
    expect(byPath['/sales.mdf']?.instance.links.map(({ target }) => target).sort()).toEqual(['/other/more.dat', '/sales_log.ldf']);
    expect(byPath['/sales.mdf']?.failed).toBe(false);
    expect(byPath['/other/lonely.ndf']?.codes).toContain('mssql.file.missing');
    const alone = byPath['/other/alone.ldf']?.judgements[logVersusPages.id];
    expect(alone).toMatchObject({
      outcome: 'pass',
      instanceState: 'unknown',
      untested: [{ holdsData: true, why: expect.stringContaining('data files are not') }],
    });
    expect(byPath['/disc.mdf']?.judgements[pageChecksums.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
  });
});

/** Any folder of .mdf files with their .ldf files, which must be sound. */
const SAMPLES = process.env.SNAPPROOF_MSSQL_SAMPLES ?? '';
const ROTTEN_PAGES = 10;

describe('databases that servers wrote', () => {
  it('raise no alarm, and bit rot in pages in use is found', async (ctx) => {
    if (!existsSync(SAMPLES)) {
      Object.assign(ctx.task.meta, { skipReason: 'SNAPPROOF_MSSQL_SAMPLES names no folder of .mdf and .ldf files' });
      ctx.skip();
    }
    const found = await judgeEach(SAMPLES, mssqlFinder, CHECKS);
    expect(found.length).toBeGreaterThan(0);
    for (const judged of found) {
      expect(judged, judged.instance.id).toMatchObject({ failed: false, codes: [] });
      expect(await rotFound(join(SAMPLES, judged.instance.location.path))).toBe(ROTTEN_PAGES);
    }
  });
});

/** How many of ten flipped bits, each in another page with a checksum, fail the database. */
async function rotFound(path: string): Promise<number> {
  const folder = join(root, `rot${number++}`);
  mkdirSync(folder);
  let found = 0;
  for (let i = 0; i < ROTTEN_PAGES; i++) {
    const data = readFileSync(path);
    const summed = [...Array(Math.floor(data.length / PAGE_BYTES)).keys()].filter((page) => isUsedWithSum(data, page));
    const page = summed[Math.floor((i * summed.length) / ROTTEN_PAGES)] ?? 0;
    const at = page * PAGE_BYTES + 100 + ((i * 1237) % 8000);
    data[at] = (data[at] ?? 0) ^ (1 << (i & 7));
    writeFileSync(join(folder, 'rotten.mdf'), data);
    if ((await judge(folder)).judgements[pageChecksums.id]?.outcome === 'fail') found++;
  }
  return found;
}

function isUsedWithSum(data: Buffer, page: number): boolean {
  return isAllocated(data.subarray(PAGE_BYTES, 2 * PAGE_BYTES), page) && (data.readUInt16LE(page * PAGE_BYTES + 4) & CHECKSUM) !== 0;
}
