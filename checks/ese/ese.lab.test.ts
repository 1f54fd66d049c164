/** What others say of the databases that are built here, and what is said here of databases that Windows wrote. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Check } from '../../src/check.js';
import { judgeEach, judgeOne } from '../testing/judge.js';
import { writeFiles } from '../testing/write-files.js';
import { eseFinder } from './finder.js';
import log from './log/index.js';
import pages from './pages/index.js';
import structure from './structure/index.js';
import { database } from './testing/build.js';

const CHECKS = [log, pages, structure] as unknown as Check[];
const root = mkdtempSync(join(tmpdir(), 'snapproof-ese-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let number = 0;

const folderOf = (files: Record<string, Buffer>) => writeFiles(join(root, `case${number++}`), files);

const judge = (files: Record<string, Buffer>) => judgeOne(folderOf(files), eseFinder, CHECKS);

describe('an independent reader', () => {
  it.each([4096, 8192, 16384, 32768])('finds the tables of a built database with pages of %i bytes', (pageBytes) => {
    const path = join(folderOf({ 'built.edb': database({ pageBytes }) }), 'built.edb');
    const said = execFileSync('esedbinfo', [path], { encoding: 'utf8' });
    expect(said).toContain(`Page size:\t\t${pageBytes} bytes`);
    expect(said).toMatch(/Table: 3\s+t \(4\)/);
  });
});

/** Files that Windows wrote, all shut down cleanly or open without their log; each is named by SNAPPROOF_ESE_SAMPLES. */
const SAMPLES = process.env.SNAPPROOF_ESE_SAMPLES ?? '';

describe('real databases', () => {
  it('raise no alarm about their pages and trees, and damage in them is found', async (ctx) => {
    if (!existsSync(SAMPLES)) {
      Object.assign(ctx.task.meta, { skipReason: 'SNAPPROOF_ESE_SAMPLES names no folder of ESE databases' });
      ctx.skip();
    }
    const found = await judgeEach(SAMPLES, eseFinder, CHECKS);
    expect(found.length).toBeGreaterThan(0);
    for (const judged of found) {
      const { [log.id]: state, ...rest } = judged.judgements;
      for (const judgement of Object.values(rest)) expect(judgement, judged.instance.id).toMatchObject({ outcome: 'pass' });
      const clean = rest[structure.id]?.instanceState === 'clean';
      expect(state?.outcome, judged.instance.id).toBe(clean ? 'pass' : 'fail');
      expect(await rotFound(join(SAMPLES, judged.instance.location.path))).toBe(ROTTEN_PAGES);
    }
  });
});

const ROTTEN_PAGES = 10;

/** How many of ten pages in use, each with a few other bytes, fail the database. */
async function rotFound(path: string): Promise<number> {
  const sound = readFileSync(path);
  const pageBytes = sound.readUInt32LE(236);
  // Leaves that no empty page stands for: what holds data.
  const used = [...Array(Math.floor(sound.length / pageBytes) - 2).keys()].filter((i) => (sound.readUInt32LE((i + 2) * pageBytes + 36) & 0xa80a) === 0xa802);
  let found = 0;
  for (let i = 0; i < ROTTEN_PAGES; i++) {
    const data = Buffer.from(sound);
    const page = 1 + (used[Math.floor((i * used.length) / ROTTEN_PAGES)] ?? 0);
    data.write('rotten bytes', (page + 1) * pageBytes + 100 + ((i * 137) % (pageBytes - 200)), 'latin1');
    const judged = await judge({ 'rotten.edb': data });
    // A page that no tree leads to is told, and does no harm.
    if (judged.judgements[pages.id]?.outcome === 'fail' || judged.codes.includes('ese.page.unused')) found++;
  }
  return found;
}
