/** Indexes built from the format: sound, each file damaged and missing, and hostile bytes. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Check } from '../../../src/check.js';
import { FormatError } from '../../../src/errors.js';
import { judgeOne } from '../../testing/judge.js';
import { writeFiles } from '../../testing/write-files.js';
import { luceneFinder } from '../finder.js';
import { crc32 } from '../format/crc32.js';
import { filesIn, parseSegments } from '../format/segments.js';
import { commit, index, luceneFile } from '../testing/build.js';
import check from './index.js';

const CHECKS = [check] as unknown as Check[];
const root = mkdtempSync(join(tmpdir(), 'snapproof-lucene-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let number = 0;

async function judge(files: Record<string, Buffer>, translog = false) {
  const folder = join(root, `case${number++}`);
  writeFiles(join(folder, 'index'), files);
  if (translog) mkdirSync(join(folder, 'translog'));
  const { judgements, codes, failed } = await judgeOne(folder, luceneFinder, CHECKS);
  rmSync(folder, { recursive: true });
  const judgement = judgements[check.id];
  if (!judgement) throw new Error('the check gave no judgement');
  return { ...judgement, codes, failed };
}

const LISTED = ['segments_a', '_0.si', '_0.cfs', '_0.cfe', '_1.si', '_1.fdt', '_1_Lucene90_0.doc', '_1_11.liv', '_1_2.fnm'];

describe('a sound index', () => {
  it.each([6, 7, 8, 9, 10])('of commit version %i passes, whatever lies beside its newest commit', async (version) => {
    const judged = await judge(index(version));
    expect(judged).toMatchObject({ failed: false, codes: [], instanceState: 'clean', untested: [], consistency: { level: 'crash' } });
    expect(judged.summary).toContain(`All ${LISTED.length} files of 2 segments`);
  });

  it('of Elasticsearch leaves its translog open', async () => {
    expect(await judge(index(), true)).toMatchObject({ failed: false, instanceState: 'unknown', untested: [{ holdsData: true }] });
  });

  it('may be empty', async () => {
    expect(await judge({ segments_1: commit(10, []) })).toMatchObject({ failed: false, instanceState: 'clean' });
  });
});

describe('damage', () => {
  it.each(LISTED)('of %s is found: rot, cut off, missing', async (name) => {
    const files = index();
    const sound = files[name] ?? Buffer.alloc(0);
    for (const at of [0, 5, sound.length >> 1, sound.length - 12, sound.length - 1]) {
      const rotten = Buffer.from(sound);
      rotten[at] = (rotten[at] ?? 0) ^ 16;
      expect(await judge({ ...files, [name]: rotten }), `${name} ${at}`).toMatchObject({ failed: true, codes: ['lucene.file'], instanceState: 'damaged' });
    }
    expect((await judge({ ...files, [name]: sound.subarray(0, sound.length - 1) })).failed).toBe(true);
    const { [name]: _, ...rest } = files;
    if (name !== 'segments_a') expect((await judge(rest)).codes).toEqual(['lucene.missing']);
  });

  it('is told from versions and codecs that are not known: these are untested', async () => {
    expect(await judge({ ...index(), segments_a: commit(11, []) })).toMatchObject({ failed: false, instanceState: 'unknown', untested: [{ holdsData: true }] });
    const text = { segments_1: commit(10, [{ name: '_0', codec: 'SimpleText' }]) };
    expect(await judge(text)).toMatchObject({ failed: false, instanceState: 'unknown', untested: [{ holdsData: true }] });
  });
});

describe('the formats', () => {
  it('sum as zlib does', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    expect(crc32(Buffer.from('56789'), 0, 5, crc32(Buffer.from('1234')))).toBe(0xcbf43926);
  });

  it('do not take the files of _10 for those of _1', () => {
    const info = luceneFile('x', Buffer.from('\x07_10.cfs\x06_1.cfs', 'latin1'));
    expect(filesIn(info, '_1')).toEqual(['_1.cfs']);
  });

  it('survive hostile bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 500, size: 'max' }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, fc.constantFrom(6, 7, 8, 9, 10), (input, version) => {
        filesIn(input, '_');
        try {
          parseSegments(luceneFile('segments', input, version));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
