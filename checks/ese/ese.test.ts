/** Whole databases, built from the format, through finder, threads and all checks. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Check } from '../../src/check.js';
import { treeOf } from '../testing/folder-guest.js';
import { judgeOne } from '../testing/judge.js';
import { writeFiles } from '../testing/write-files.js';
import { eseFinder } from './finder.js';
import log from './log/index.js';
import pages from './pages/index.js';
import structure from './structure/index.js';
import { checkpoint, created, database, logFile, seal, sealHeader, segment, TABLE_ROOT } from './testing/build.js';

const CHECKS = [log, pages, structure] as unknown as Check[];
const root = mkdtempSync(join(tmpdir(), 'snapproof-ese-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let number = 0;

const folderOf = (files: Record<string, Buffer>) => writeFiles(join(root, `case${number++}`), files);

const judge = (files: Record<string, Buffer>) => judgeOne(folderOf(files), eseFinder, CHECKS);

/** Page `page` of a copy of a file, changed and with a fitting sum. */
function changed(file: Buffer, page: number, change: (page: Buffer) => void, pageBytes = 4096): Buffer {
  const copy = Buffer.from(file);
  change(copy.subarray((page + 1) * pageBytes, (page + 2) * pageBytes));
  seal(copy, page, pageBytes);
  return copy;
}

const OPEN = { state: 2, minRequired: 7, maxRequired: 9, maxCommitted: 9, maxCreated: created(9) };
const LOGS = {
  'edb00007.log': logFile({ generation: 7, filled: 14 }),
  'edb00008.log': logFile({ generation: 8, filled: 14 }),
  'edb.log': logFile({ generation: 9 }),
};

describe('a database that was shut down cleanly', () => {
  it.each([4096, 8192, 16384, 32768])('passes with pages of %i bytes', async (pageBytes) => {
    const judged = await judge({ 'any.name': database({ pageBytes }) });
    expect(judged).toMatchObject({ failed: false, codes: [] });
    expect(judged.judgements[structure.id]).toMatchObject({ instanceState: 'clean', summary: expect.stringContaining('4 trees') });
    expect(judged.judgements[pages.id]?.summary).toContain('All 12 pages');
    expect(judged.judgements[log.id]?.consistency?.level).toBe('application');
    expect(judged.evidenceBytes).toBeLessThan(8192);
  });

  it('passes with pages of the old checksum, with unwritten space at its end, and with logs it no longer needs', async () => {
    const judged = await judge({
      'ntds.dit': database({ oldSum: true, pages: 4000 }),
      'edb.log': logFile({ generation: 5 }),
      'edb00003.log': logFile({ generation: 3 }),
    });
    expect(judged).toMatchObject({ failed: false, codes: [] });
  });

  it('passes when what no tree leads to holds anything: the file system never gave it to the disk', async () => {
    const file = database();
    file.fill(0x35, 45 * 4096);
    const judged = await judge({ 'ntds.dit': file });
    expect(judged).toMatchObject({ failed: false, codes: ['ese.page.unused'] });
    expect(judged.judgements[pages.id]?.instanceState).toBe('clean');
  });

  it('fails beside a log that ends before it', async () => {
    const judged = await judge({ 'ntds.dit': database({ consistentGeneration: 12 }), 'edb.log': logFile({ generation: 9 }) });
    expect(judged.codes).toEqual(['ese.log.older']);
    expect(judged.judgements[log.id]?.instanceState).toBe('non-atomic');
    // An older copy of the log in another folder says nothing.
    expect(await judge({ 'ntds.dit': database({ consistentGeneration: 12 }), 'backup/edb.log': logFile({ generation: 9 }) })).toMatchObject({ failed: false });
  });
});

describe('damage', () => {
  const sound = database();

  it('of every page in use is found', async () => {
    for (const page of [1, 2, 3, 4, 24, ...Array.from({ length: 7 }, (_, i) => TABLE_ROOT + i)]) {
      const file = Buffer.from(sound);
      file.write('a sector that was lost', (page + 1) * 4096 + 1024, 'latin1');
      expect((await judge({ 'ntds.dit': file })).judgements[pages.id]).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    }
  });

  it('of one bit is corrected by the engine, and told', async () => {
    const file = Buffer.from(sound);
    file[31 * 4096 + 700] = (file[31 * 4096 + 700] ?? 0) ^ 4;
    const judged = await judge({ 'ntds.dit': file });
    expect(judged).toMatchObject({ failed: false, codes: ['ese.page.one-bit'] });
    expect(judged.judgements[pages.id]?.instanceState).toBe('recoverable');
  });

  it('of pages that changed places is found', async () => {
    const file = Buffer.from(sound);
    sound.copy(file, 32 * 4096, 33 * 4096, 34 * 4096);
    sound.copy(file, 33 * 4096, 32 * 4096, 33 * 4096);
    expect((await judge({ 'ntds.dit': file })).codes).toContain('ese.page.misplaced');
  });

  it('of the header: its copy stands in, and without that nothing does', async () => {
    const one = Buffer.from(sound).fill(0, 0, 512);
    expect(await judge({ 'ntds.dit': one })).toMatchObject({ failed: false, codes: ['ese.header.copy'] });
    const both = Buffer.from(sound);
    both[300] = 1;
    both[4096 + 300] = 1;
    expect((await judge({ 'ntds.dit': both })).codes).toContain('ese.header');
  });

  it('of tags that lead outside is found', async () => {
    const judged = await judge({ 'ntds.dit': changed(sound, 32, (page) => page.writeUInt16LE(8000, 4096 - 12)) });
    expect(judged.codes).toContain('ese.page.tags');
  });

  it.each([
    ['ese.tree.unwritten', (file: Buffer) => Buffer.from(file).fill(0, 33 * 4096, 34 * 4096)],
    ['ese.tree.owner', (file: Buffer) => changed(file, 33, (page) => page.writeUInt32LE(77, 24))],
    ['ese.tree.siblings', (file: Buffer) => changed(file, 33, (page) => page.writeUInt32LE(36, 20))],
    ['ese.tree.level', (file: Buffer) => changed(file, 33, (page) => page.writeUInt32LE(0x2800, 36))],
    ['ese.tree.kind', (file: Buffer) => changed(file, 33, (page) => page.writeUInt32LE(0x2803, 36))],
    ['ese.tree.twice', (file: Buffer) => changed(file, TABLE_ROOT, (page) => page.writeUInt32LE(31, 40 + 16 + 11 + 7))],
    ['ese.tree.missing', (file: Buffer) => changed(file, TABLE_ROOT, (page) => page.writeUInt32LE(4711, 40 + 16 + 7))],
    ['ese.tree.free-in-use', (file: Buffer) => changed(file, 3, (page) => page.writeUInt32LE(20, 40 + 16 + 6))],
    ['ese.tree.short', (file: Buffer) => Buffer.from(file.subarray(0, 46 * 4096))],
  ])('of trees is found: %s', async (code, damage) => {
    const judged = await judge({ 'ntds.dit': damage(sound) });
    expect(judged.codes).toContain(code);
    expect(judged.judgements[structure.id]).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
  });
});

describe('a database that was open', () => {
  it('is recoverable with its log files, in any folder, with a checkpoint, and reused or pre-made files', async () => {
    const reused = { ...LOGS, 'edb.log': logFile({ generation: 9, before: 5 }), 'edbtmp.log': logFile({ generation: 4 }), 'edb.chk': checkpoint(7) };
    for (const files of [LOGS, reused, Object.fromEntries(Object.entries(LOGS).map(([name, bytes]) => [`logs/${name}`, bytes]))]) {
      const judged = await judge({ 'data/mail.edb': database(OPEN), ...files });
      expect(judged).toMatchObject({ failed: false, codes: [] });
      expect(judged.judgements[log.id]).toMatchObject({
        instanceState: 'recoverable',
        consistency: { level: 'crash' },
        recovery: { needed: true, bytes: 3 * 65536 },
      });
      expect(judged.judgements[structure.id]?.untested).toMatchObject([{ holdsData: false }]);
    }
  });

  it('is recoverable while a new log file is being made', async () => {
    const { 'edb.log': _, ...old } = LOGS;
    const judged = await judge({ 'mail.edb': database(OPEN), ...old, 'edbtmp.log': logFile({ generation: 9, filled: 0 }) });
    expect(judged).toMatchObject({ failed: false, codes: [] });
  });

  it('stays recoverable when its pages are of different instants: trees are not judged', async () => {
    const file = changed(database(OPEN), 33, (page) => page.writeUInt32LE(36, 20));
    expect(await judge({ 'mail.edb': file, ...LOGS })).toMatchObject({ failed: false, codes: [] });
  });

  it('fails without the log files it requires', async () => {
    const { 'edb00008.log': _, ...hole } = LOGS;
    const missing = await judge({ 'mail.edb': database(OPEN), ...hole });
    expect(missing.codes).toEqual(['ese.log.missing']);
    expect(missing.judgements[log.id]).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    expect((await judge({ 'mail.edb': database(OPEN) })).codes).toEqual(['ese.log.missing']);
    const others = { 'edb.log': logFile({ generation: 9, signature: Buffer.alloc(28, 3) }) };
    expect((await judge({ 'mail.edb': database(OPEN), ...others })).codes).toEqual(['ese.log.missing']);
    expect((await judge({ 'mail.edb': database({ state: 2 }) })).codes).toEqual(['ese.log.none']);
  });

  it('fails with a hole behind what it requires, and tells of a tail that is gone', async () => {
    const later = { ...LOGS, 'edb00009.log': LOGS['edb.log'], 'edb.log': logFile({ generation: 11 }) };
    expect((await judge({ 'mail.edb': database(OPEN), ...later })).codes).toEqual(['ese.log.hole']);
    const tail = await judge({
      'mail.edb': database({ ...OPEN, maxRequired: 8, maxCommitted: 9 }),
      'edb00007.log': LOGS['edb00007.log'],
      'edb00008.log': LOGS['edb00008.log'],
    });
    expect(tail).toMatchObject({ failed: false, codes: ['ese.log.tail'] });
    expect(tail.judgements[log.id]?.instanceState).toBe('lost-tail');
  });

  it('fails with log files of another instant', async () => {
    const other = { ...LOGS, 'edb.log': logFile({ generation: 9, created: created(99) }) };
    const judged = await judge({ 'mail.edb': database(OPEN), ...other });
    expect(judged.codes).toEqual(['ese.log.other']);
    expect(judged.judgements[log.id]?.instanceState).toBe('non-atomic');
    const unlinked = { ...LOGS, 'edb.log': logFile({ generation: 9, previousCreated: created(98) }) };
    expect((await judge({ 'mail.edb': database(OPEN), ...unlinked })).codes).toEqual(['ese.log.other']);
  });

  it('fails with damage in its log files', async () => {
    const header = Buffer.from(LOGS['edb00008.log']);
    header[100] = 9;
    expect((await judge({ 'mail.edb': database(OPEN), ...LOGS, 'edb00008.log': header })).codes).toEqual(['ese.log.header']);
    const hole = Buffer.from(LOGS['edb00008.log']).fill(0x11, 3 * 4096, 3 * 4096 + 600);
    expect((await judge({ 'mail.edb': database(OPEN), ...LOGS, 'edb00008.log': hole })).codes).toEqual(['ese.log.segment']);
    const zeroes = Buffer.from(LOGS['edb.log']).fill(0, 2 * 4096, 3 * 4096);
    expect((await judge({ 'mail.edb': database(OPEN), ...LOGS, 'edb.log': zeroes })).codes).toEqual(['ese.log.segment']);
  });

  it('reads on where a damaged segment has its copy behind it, and leaves a torn end open', async () => {
    const copied = Buffer.from(LOGS['edb.log']);
    segment(copied, 5, 9, 6);
    copied.fill(0x11, 5 * 4096, 5 * 4096 + 600);
    expect(await judge({ 'mail.edb': database(OPEN), ...LOGS, 'edb.log': copied })).toMatchObject({ failed: false, codes: [] });
    const torn = Buffer.from(LOGS['edb.log']).fill(0x11, 5 * 4096, 5 * 4096 + 600);
    const judged = await judge({ 'mail.edb': database(OPEN), ...LOGS, 'edb.log': torn });
    expect(judged).toMatchObject({ failed: false, codes: [] });
    expect(judged.judgements[log.id]).toMatchObject({ instanceState: 'unknown', untested: [{ holdsData: true }] });
  });

  it('is left open where its log is of a version that is not read, or its checkpoint goes beyond it', async () => {
    const old = Object.fromEntries([7, 8, 9].map((generation) => [`edb0000${generation}.log`, logFile({ generation, major: 7 })]));
    expect((await judge({ 'mail.edb': database(OPEN), ...old })).judgements[log.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
    const later = await judge({ 'mail.edb': database(OPEN), ...LOGS, 'edb.chk': checkpoint(8) });
    expect(later.codes).toEqual(['ese.checkpoint.later']);
    expect(later.judgements[log.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
  });

  it('leaves an end open behind which nothing sound follows, and fails on damage before it', async () => {
    const end = database({ ...OPEN, pages: 60 }).fill(0x35, 50 * 4096);
    const judged = await judge({ 'mail.edb': end, ...LOGS });
    expect(judged.judgements[pages.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
    end.fill(0x35, 20 * 4096, 21 * 4096);
    expect((await judge({ 'mail.edb': end, ...LOGS })).judgements[pages.id]).toMatchObject({ outcome: 'fail' });
  });

  it('in a state that does not say what it needs is left open', async () => {
    for (const state of [1, 4, 8]) {
      const judged = await judge({ 'mail.edb': database({ ...OPEN, state }), ...LOGS });
      expect(judged.judgements[log.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
    }
    expect((await judge({ 'mail.edb': database({ ...OPEN, state: 6 }), ...LOGS })).codes).toContain('ese.state');
  });
});

describe('the finder', () => {
  it('takes no other file, and leaves what it does not know untested', async () => {
    const tree = await treeOf(folderOf({ 'notes.edb': Buffer.alloc(9000, 7), 'edb.log': LOGS['edb.log'], 'x.dat': Buffer.alloc(16384) }));
    expect(await eseFinder.find(tree)).toEqual([]);
    const temporary = await judge({ 'tmp.edb': database({ fileType: 5 }) });
    expect(temporary.judgements[pages.id]).toMatchObject({ outcome: 'pass', instanceState: 'clean' });
    const other = database();
    other.writeUInt32LE(0x623, 8);
    sealHeader(other, 4096);
    expect((await judge({ 'new.edb': other })).judgements[pages.id]).toMatchObject({ instanceState: 'unknown', untested: [{ holdsData: true }] });
  });
});
