/** Whole databases, built from the format, through finder, threads and both checks. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Check } from '../../src/check.js';
import { treeOf } from '../testing/folder-guest.js';
import { judgeEach, judgeOne } from '../testing/judge.js';
import { writeFiles } from '../testing/write-files.js';
import blocks from './blocks/index.js';
import { oracleFinder } from './finder.js';
import redo from './redo/index.js';
import { controlFile, dataFile, redoLog, seal } from './testing/build.js';

const CHECKS = [redo, blocks] as unknown as Check[];
const root = mkdtempSync(join(tmpdir(), 'snapproof-oracle-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let number = 0;

const folderOf = (files: Record<string, Buffer>) => writeFiles(join(root, `case${number++}`), files);

const judge = (files: Record<string, Buffer>) => judgeOne(folderOf(files), oracleFinder, CHECKS);

const CONTROL = { 'control01.ctl': controlFile() };
const closed = { ...CONTROL, 'system01.dbf': dataFile(), 'users01.dbf': dataFile({ file: 4 }) };
const FUZZY = { fuzzy: true, sequence: 7 };
const open = { ...CONTROL, 'system01.dbf': dataFile(FUZZY), 'u02/users01.dbf': dataFile({ ...FUZZY, file: 4 }) };
const logs = { 'redo01.log': redoLog({ sequence: 8, first: 6500, before: 5 }), 'redo02.log': redoLog({ sequence: 7, filled: 298, next: 6500 }) };

function changedBlock(file: Buffer, block: number, change: (block: Buffer) => void): Buffer {
  const copy = Buffer.from(file);
  change(copy.subarray(block * 8192, (block + 1) * 8192));
  return copy;
}

describe('a database that was closed', () => {
  it('passes, also with blocks that were never used, bigfile tablespaces and temporary files', async () => {
    const more = { 'big.dbf': dataFile({ file: 5, bigfile: true }), 'temp01.dbf': dataFile({ file: 201, type: 6 }).fill(9, 30000, 90000) };
    const judged = await judge({ ...closed, ...more });
    expect(judged).toMatchObject({ failed: false, codes: [] });
    expect(judged.judgements[blocks.id]).toMatchObject({ instanceState: 'clean', untested: [] });
    expect(judged.judgements[redo.id]).toMatchObject({ instanceState: 'clean', consistency: { level: 'application' }, recovery: { needed: false } });
    expect(judged.evidenceBytes).toBeLessThan(8192);
  });

  it('is left open when files stand at different checkpoints, or there is no control file', async () => {
    const readOnly = await judge({ ...closed, 'users01.dbf': dataFile({ file: 4, checkpoint: 5900 }) });
    expect(readOnly.judgements[redo.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
    const { 'control01.ctl': _, ...without } = closed;
    expect((await judge(without)).judgements[redo.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
  });
});

describe('damage in blocks', () => {
  const sound = closed['system01.dbf'];
  const judgeChanged = (system: Buffer) => judge({ ...closed, 'system01.dbf': system });

  it('of every formatted block is found', async () => {
    for (let block = 1; block <= 12; block++) {
      const judged = await judgeChanged(changedBlock(sound, block, (bytes) => bytes.write('rotten', 4000, 'latin1')));
      expect(judged.judgements[blocks.id], `block ${block}`).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    }
  });

  it.each([
    ['oracle.block.fractured', (bytes: Buffer) => bytes.writeUInt32LE(0x77770601, 8188)],
    ['oracle.block.misplaced', (bytes: Buffer) => bytes.writeUInt32LE((1 << 22) | 11, 4)],
  ])('is told by its kind: %s', async (code, change) => {
    const without = dataFile({ unprotected: true });
    expect((await judgeChanged(changedBlock(without, 5, change))).codes).toContain(code);
  });

  it('of a file that is cut off is found; what is of no known form is left open', async () => {
    expect((await judgeChanged(sound.subarray(0, 15 * 8192))).codes).toEqual(['oracle.file.short']);
    const odd = await judgeChanged(changedBlock(sound, 6, (bytes) => bytes.fill(0x99, 0, 200)));
    expect(odd.judgements[blocks.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
    const other = await judgeChanged(dataFile({ compatible: 0x09200000 }));
    expect(other.judgements[blocks.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
  });

  it('that Oracle itself has marked is told, and torn blocks of a file in backup mode are left open', async () => {
    const marked = changedBlock(sound, 5, (bytes) => {
      bytes[14] = 0xff;
      seal(bytes);
    });
    expect(await judgeChanged(marked)).toMatchObject({ failed: false, codes: ['oracle.block.marked'] });
    const backup = changedBlock(dataFile({ ...FUZZY, hotBackup: true }), 5, (bytes) => bytes.write('torn', 4000, 'latin1'));
    const judged = await judge({ ...open, ...logs, 'system01.dbf': backup });
    expect(judged.judgements[blocks.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
  });
});

describe('a database that was open', () => {
  it('is recoverable with its redo, also with two members of each group and logs of earlier sequences', async () => {
    const members = Object.fromEntries(Object.entries(logs).map(([name, bytes]) => [`fra/${name}`, bytes]));
    for (const files of [logs, { ...logs, ...members, 'redo03.log': redoLog({ sequence: 6, next: 6000 }) }]) {
      const judged = await judge({ ...open, ...files });
      expect(judged).toMatchObject({ failed: false, codes: [] });
      expect(judged.judgements[redo.id]).toMatchObject({ instanceState: 'recoverable', consistency: { level: 'crash' }, untested: [] });
      expect(judged.judgements[redo.id]?.recovery).toEqual({ needed: true, seconds: null, bytes: 512 * (298 + 100) });
    }
  });

  it('fails with a gap in its redo, and with damage in what recovery reads', async () => {
    const early = { ...open, 'system01.dbf': dataFile({ fuzzy: true, sequence: 6 }) };
    expect((await judge({ ...early, ...logs })).codes).toEqual(['oracle.redo.missing']);
    const damaged = Buffer.from(logs['redo02.log']);
    damaged.write('rotten', 50 * 512 + 100, 'latin1');
    expect((await judge({ ...open, ...logs, 'redo02.log': damaged })).codes).toEqual(['oracle.redo.block']);
    const hole = Buffer.from(logs['redo02.log']).fill(0, 50 * 512, 52 * 512);
    expect((await judge({ ...open, ...logs, 'redo02.log': hole })).codes).toEqual(['oracle.redo.hole']);
  });

  it('fails when data files are newer than all redo (R1)', async () => {
    const ahead = await judge({ ...open, ...logs, 'u02/users01.dbf': dataFile({ ...FUZZY, file: 4, sequence: 9 }) });
    expect(ahead.codes).toContain('oracle.redo.older');
    expect(ahead.judgements[redo.id]?.instanceState).toBe('non-atomic');
    const finished = { 'redo02.log': redoLog({ sequence: 7, filled: 298, next: 6500 }) };
    const newer = await judge({ ...open, ...finished, 'u02/users01.dbf': dataFile({ ...FUZZY, file: 4, blockScn: 6500 }) });
    expect(newer.codes).toEqual(['oracle.block.newer']);
    expect(newer.judgements[redo.id]?.instanceState).toBe('non-atomic');
  });

  it('is left open without redo, with a torn end, with several threads, with files of another incarnation', async () => {
    const torn = Buffer.from(logs['redo01.log']);
    torn.write('half', 101 * 512 + 100, 'latin1');
    const cases: Record<string, Buffer>[] = [
      open,
      { ...open, ...logs, 'redo01.log': torn },
      { ...open, ...logs, 'redo03.log': redoLog({ sequence: 3, thread: 2 }) },
      { ...open, ...logs, 'u02/users01.dbf': dataFile({ ...FUZZY, file: 4, resetlogs: 901 }) },
      { ...open, 'redo02.log': logs['redo02.log'] },
    ];
    for (const files of cases) {
      expect((await judge(files)).judgements[redo.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
    }
  });
});

describe('the finder', () => {
  it('takes nothing else, names what it cannot read, and keeps copies apart', async () => {
    expect(await oracleFinder.find(await treeOf(folderOf({ 'system01.dbf': Buffer.alloc(100_000, 3), 'x.log': Buffer.alloc(70_000) })))).toEqual([]);
    const big = dataFile();
    big.write('7a7b7c7d', 28, 'hex');
    big.writeUInt32BE(8192, 20);
    const judged = await judge({ 'aix.dbf': big });
    expect(judged.judgements[blocks.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
    const copies = Object.fromEntries(Object.entries(closed).map(([name, bytes]) => [`copy/${name}`, bytes]));
    expect(await judgeEach(folderOf({ ...closed, ...copies }), oracleFinder, CHECKS)).toHaveLength(2);
  });
});
