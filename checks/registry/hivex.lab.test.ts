/** Hives that hivex wrote: no alarm, logs made from two of their states are applied, and lost sectors are found. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import type { Check } from '../../src/check.js';
import { judgeOne } from '../testing/judge.js';
import { writeFiles } from '../testing/write-files.js';
import { registryFinder } from './finder.js';
import log from './log/index.js';
import structure from './structure/index.js';
import { changedPages, hive, newLog, oldLog, sealBase } from './testing/build.js';

const CHECKS = [structure, log] as unknown as Check[];
const root = mkdtempSync(join(tmpdir(), 'snapproof-hivex-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const missing = ['hivexregedit', 'hivexml'].find((tool) => execaSync('which', [tool], { reject: false }).exitCode !== 0);
let number = 0;

/** Reads the hive as hivex does: its words for what is wrong, or null. */
function hivexObjects(path: string): string | null {
  const { exitCode, stderr } = execaSync('hivexml', [path], { reject: false, stdout: 'ignore' });
  return exitCode === 0 ? null : String(stderr);
}

/** Keys of several depths, values of many lengths, some renewed in every round. */
function script(round: number): string {
  const lines = ['Windows Registry Editor Version 5.00', '', '[\\Software]', ''];
  for (let key = 0; key < 120; key++) {
    lines.push(`[\\Software\\Vendor${key % 7}]`, '', `[\\Software\\Vendor${key % 7}\\Product${key}]`, '');
    lines.push(`[\\Software\\Vendor${key % 7}\\Product${key}\\Round${round}]`);
    for (let value = 0; value < 1 + (key % 6); value++) lines.push(`"value${value}"="${'x'.repeat((key * 13 + round * 7 + value) % 90)}${round}"`);
    lines.push(`"count"=dword:${(key * 1000 + round).toString(16).padStart(8, '0')}`, '');
  }
  for (let key = 0; round > 0 && key < 120; key += 5) lines.push(`[-\\Software\\Vendor${key % 7}\\Product${key}\\Round${round - 1}]`, '');
  return lines.join('\n');
}

/** The states of one hive over several rounds of changes by hivex. */
function states(rounds: number): Buffer[] {
  const path = join(root, `hive${number++}`);
  writeFileSync(path, hive(0));
  return Array.from({ length: rounds }, (_, round) => {
    const changes = join(root, 'changes.reg');
    writeFileSync(changes, script(round));
    execaSync('hivexregedit', ['--merge', path, '--prefix', '', changes]);
    expect(hivexObjects(path)).toBeNull();
    return readFileSync(path);
  });
}

async function judge(files: Record<string, Buffer>) {
  const folder = join(root, `case${number++}`);
  writeFiles(join(folder, 'Windows/System32/config'), files);
  const judged = await judgeOne(folder, registryFinder, CHECKS);
  rmSync(folder, { recursive: true });
  return judged;
}

describe('hives that hivex wrote', () => {
  it('raise no alarm in any state, and none between two states with a log', async (ctx) => {
    if (missing) {
      Object.assign(ctx.task.meta, { skipReason: `${missing} is missing (Debian: libhivex-bin, libwin-hivex-perl)` });
      ctx.skip();
    }
    const all = states(8);
    for (const state of all) expect((await judge({ SOFTWARE: state })).failed).toBe(false);
    for (let i = 0; i + 1 < all.length; i++) {
      const [before, after] = [all[i], all[i + 1]] as [Buffer, Buffer];
      const pages = changedPages(before, after);
      const torn = Buffer.from(before);
      for (const page of pages.filter((_, k) => k % 2 === i % 2))
        page.bytes.copy(torn, 4096 + page.offset, 0, Math.min(1536, Math.max(0, torn.length - 4096 - page.offset)));
      sealBase(torn, 20, 19);
      const logs = i % 2 ? { 'SOFTWARE.LOG1': newLog(after, 20, after.length - 4096, [pages]) } : { 'SOFTWARE.LOG': oldLog(torn, after.length - 4096, pages) };
      const judged = await judge({ SOFTWARE: torn, ...logs });
      expect(judged, JSON.stringify(judged.codes)).toMatchObject({ failed: false });
      expect(judged.judgements[log.id]?.instanceState).toBe('recoverable');
      expect((await judge({ SOFTWARE: torn })).failed).toBe(true);
    }
  });

  it('are failed when a sector is lost or older', async (ctx) => {
    if (missing) {
      Object.assign(ctx.task.meta, { skipReason: `${missing} is missing (Debian: libhivex-bin, libwin-hivex-perl)` });
      ctx.skip();
    }
    const [before, after] = states(2) as [Buffer, Buffer];
    const counts = { lost: 0, lostFound: 0, older: 0, olderFound: 0, hivexFound: 0 };
    for (let at = 4096; at + 512 <= after.length; at += 512 * 7) {
      if (after.subarray(at, at + 512).every((byte) => byte === 0)) continue;
      const lost = Buffer.from(after).fill(0, at, at + 512);
      counts.lost++;
      if ((await judge({ SOFTWARE: lost })).failed) counts.lostFound++;
      writeFileSync(join(root, 'lost'), lost);
      if (hivexObjects(join(root, 'lost'))) counts.hivexFound++;
      if (at + 512 > before.length || before.subarray(at, at + 512).equals(after.subarray(at, at + 512))) continue;
      counts.older++;
      const older = Buffer.from(after);
      before.copy(older, at, at, at + 512);
      if ((await judge({ SOFTWARE: older })).failed) counts.olderFound++;
    }
    process.stdout.write(`${JSON.stringify(counts)}\n`);
    expect(counts.lost).toBeGreaterThan(30);
    expect(counts.lostFound / counts.lost).toBeGreaterThan(0.9);
    // An older sector that only differs in the data of values, or in times, fits as well as the newer one: nothing seals a hive.
    expect(counts.olderFound).toBeGreaterThan(0);
  });
});
