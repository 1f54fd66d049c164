/** Hives and logs built from the format: what Windows would have after loading, and all kinds of damage. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Problems } from '../../src/bytes/problems.js';
import { BufferSource } from '../../src/bytes/source.js';
import type { Check } from '../../src/check.js';
import { FormatError } from '../../src/errors.js';
import { judgeEach, judgeOne } from '../testing/judge.js';
import { writeFiles } from '../testing/write-files.js';
import { mapCells } from './cells.js';
import { loadHive } from './effective.js';
import { registryFinder } from './finder.js';
import { parseBaseBlock } from './format/base-block.js';
import { parseDirtyVector, parseEntries } from './format/log.js';
import { marvin32 } from './format/marvin32.js';
import log from './log/index.js';
import structure from './structure/index.js';
import { changedPages, hive, newLog, oldLog, sealBase } from './testing/build.js';
import { TreeWalk } from './tree.js';

const CHECKS = [structure, log] as unknown as Check[];
const root = mkdtempSync(join(tmpdir(), 'snapproof-registry-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let number = 0;

function folderWith(files: Record<string, Buffer>, below = 'Windows/System32/config'): string {
  const folder = join(root, `case${number++}`);
  writeFiles(join(folder, below), files);
  return folder;
}

const judge = (files: Record<string, Buffer>, below?: string) => judgeOne(folderWith(files, below), registryFinder, CHECKS);
const dirty = (bytes: Buffer) => sealBase(Buffer.from(bytes), 8, 7);

describe('Marvin32', () => {
  // Vectors of the .NET runtime's tests.
  it.each([
    ['af', 0x48e73fc77d75ddc1n],
    ['e70f', 0xb5f6e1fc485dbff8n],
    ['37f495', 0xf0b07c789b8cf7e8n],
    ['153fb79826', 0xe6c08c6da2afa997n],
  ])('of %s is as published', (hex, sum) => {
    expect(marvin32(Buffer.from(hex, 'hex'), 0, hex.length / 2, 0x001bdbcc, 0x004fb61a)).toBe(sum);
  });
});

describe('a sound hive', () => {
  it('passes as clean, whatever its logs held before', async () => {
    const sound = hive(200);
    const judged = await judge({
      SYSTEM: sound,
      'SYSTEM.LOG1': newLog(sound, 3, sound.length - 4096, [changedPages(hive(199), sound)]),
      'SYSTEM.LOG2': Buffer.alloc(0),
    });
    expect(judged).toMatchObject({ failed: false, codes: [] });
    expect(judged.judgements[structure.id]).toMatchObject({ instanceState: 'clean', summary: expect.stringContaining('201 keys and 200 values') });
    expect(judged.judgements[log.id]).toMatchObject({ instanceState: 'clean', consistency: { level: 'application' }, recovery: { needed: false } });
  });

  it('is found under any name, and its logs are not taken for hives', async () => {
    const found = await judgeEach(folderWith({ 'odd.bin': hive(3), 'odd.bin.LOG1': newLog(hive(3), 1, 8192, []) }, 'x'), registryFinder, CHECKS);
    expect(found.map(({ instance }) => [instance.location.path, instance.links.length])).toEqual([['/x/odd.bin', 1]]);
  });

  it('may have big data and free cells', async () => {
    expect(await judge({ SOFTWARE: hive(2, 16_000) })).toMatchObject({ failed: false });
    expect((await judge({ SOFTWARE: hive(2, 20_000) })).codes).toContain('registry.value');
  });
});

describe('a hive that was being written', () => {
  const before = hive(60, 20);
  const after = hive(90, 24);
  const pages = changedPages(before, after);
  const binsBytes = after.length - 4096;

  it.each([
    ['a log of the new kind', { 'SYSTEM.LOG1': newLog(after, 8, binsBytes, [pages]) }],
    [
      'entries over two logs',
      { 'SYSTEM.LOG1': newLog(after, 9, binsBytes, [pages.slice(1)]), 'SYSTEM.LOG2': newLog(after, 8, binsBytes, [pages.slice(0, 1)]) },
    ],
    ['a log of the old kind', { 'SYSTEM.LOG': oldLog(after, binsBytes, pages) }],
  ])('is recoverable with %s', async (_name, logs) => {
    const torn = dirty(before);
    pages[0]?.bytes.copy(torn, 4096, 0, 2048);
    const judged = await judge({ SYSTEM: torn, ...logs });
    expect(judged).toMatchObject({ failed: false, codes: [] });
    expect(judged.judgements[structure.id]?.summary).toContain('91 keys');
    expect(judged.judgements[log.id]).toMatchObject({ instanceState: 'recoverable', recovery: { needed: true, bytes: pages.length * 4096 } });
  });

  it('gets its base block from the log when it is damaged', async () => {
    const broken = Buffer.from(before).fill(0, 0, 512);
    expect(await judge({ SYSTEM: broken, 'SYSTEM.LOG1': newLog(after, 8, binsBytes, [pages]) })).toMatchObject({ failed: false });
    expect((await judge({ SYSTEM: broken })).codes).toContain('registry.base-block');
  });

  it('fails without a log that goes on where it stands', async () => {
    expect((await judge({ SYSTEM: dirty(before) })).codes).toEqual(['registry.log.uncovered']);
    expect((await judge({ SYSTEM: dirty(before), 'SYSTEM.LOG1': newLog(after, 3, binsBytes, [pages]) })).codes).toEqual(['registry.log.uncovered']);
    const gap = await judge({ SYSTEM: dirty(before), 'SYSTEM.LOG1': newLog(after, 11, binsBytes, [pages]) });
    expect(gap.judgements[log.id]).toMatchObject({ outcome: 'fail', instanceState: 'non-atomic' });
    const broken = newLog(after, 8, binsBytes, [pages]);
    broken[800] = (broken[800] ?? 0) ^ 1;
    expect((await judge({ SYSTEM: dirty(before), 'SYSTEM.LOG1': broken })).codes).toEqual(['registry.log.uncovered']);
  });

  it('is left open when it is a copy without logs somewhere else', async () => {
    const judged = await judge({ 'copy.dat': dirty(before) }, 'backup');
    expect(judged.judgements[log.id]).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
  });
});

describe('damage', () => {
  const sound = hive(120);

  it('of every single sector in use is found', async () => {
    const cells = mapCells(sound.subarray(4096), new Problems(), 'f');
    const used = 4096 + Math.floor(cells.allocatedBytes / 512) * 512;
    for (let at = 0; at < used; at += 512) {
      if (at >= 512 && at < 4096) continue;
      const damaged = Buffer.from(sound).fill(0, at, at + 512);
      const judged = await judge({ SYSTEM: damaged });
      expect(judged.failed, `sector at ${at}`).toBe(true);
      rmSync(join(root, `case${number - 1}`), { recursive: true });
    }
  });

  it('of pages that changed places, and of a file cut off, is found', async () => {
    const [one, two] = [sound.subarray(8192, 12288), sound.subarray(12288, 16384)];
    const swapped = Buffer.concat([sound.subarray(0, 8192), two, one, sound.subarray(16384)]);
    expect((await judge({ SYSTEM: swapped })).failed).toBe(true);
    expect((await judge({ SYSTEM: sound.subarray(0, sound.length - 4096) })).codes).toContain('registry.short');
  });

  it('of an unknown version is not judged', async () => {
    const other = Buffer.from(sound);
    other.writeUInt32LE(9, 24);
    sealBase(other, 7, 7);
    expect((await judge({ SYSTEM: other })).judgements[structure.id]).toMatchObject({
      outcome: 'pass',
      instanceState: 'unknown',
      untested: [{ holdsData: true }],
    });
  });
});

describe('hostile bytes', () => {
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength, size: 'max' }).map((array) => Buffer.from(array));

  it('never escape the parsers', () => {
    fc.assert(
      fc.property(bytes(6000), fc.nat(1 << 20), (input, length) => {
        try {
          parseBaseBlock(input);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
        const log = Buffer.concat([Buffer.alloc(512), Buffer.from('HvLE'), input]);
        parseEntries(log, 512);
        parseDirtyVector(Buffer.concat([Buffer.alloc(512), Buffer.from('DIRT'), input]), 512, length);
      }),
      { numRuns: 300 },
    );
  });

  it('end every walk in bounded time, with findings', async () => {
    const sound = hive(80);
    const change = fc.record({ at: fc.nat(sound.length - 100), data: fc.uint8Array({ minLength: 1, maxLength: 80 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), fc.boolean(), async (changes, isDirty) => {
        const damaged = isDirty ? dirty(sound) : Buffer.from(sound);
        for (const { at, data } of changes) damaged.set(data, at);
        const entries = newLog(sound, 8, damaged.length - 4096, [changedPages(sound, damaged)]);
        const loaded = await loadHive(new BufferSource(damaged), [{ path: 'l', source: new BufferSource(entries) }]);
        if (!loaded.bins) return;
        const problems = new Problems();
        const cells = mapCells(loaded.bins, problems, 'f');
        const walk = new TreeWalk(loaded.bins, cells, 5, problems, 'f');
        walk.walk(loaded.base?.rootCell ?? 0);
        expect(walk.facts.reachedBytes).toBeLessThanOrEqual(loaded.bins.length);
      }),
      { numRuns: 300 },
    );
  });
});
