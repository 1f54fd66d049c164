import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Crc64 } from '../../../src/bytes/crc64.js';
import { BufferSource } from '../../../src/bytes/source.js';
import { FormatError } from '../../../src/errors.js';
import { judgeFolder } from '../../testing/judge.js';
import { redisFinder } from '../finder.js';
import { walkRdb } from '../format/rdb.js';
import rdb from './index.js';
import { scanRdb } from './scan.js';

const folder = mkdtempSync(join(tmpdir(), 'snapproof-rdb-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const signal = new AbortController().signal;
let folders = 0;

/** A file of the given records, ended and summed up. */
function file(records: (string | number[])[], version = 12, checksum = true): Buffer {
  const head = Buffer.from(`REDIS${String(version).padStart(4, '0')}`);
  const body = Buffer.concat([head, ...records.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))), Buffer.of(255)]);
  const crc = new Crc64();
  crc.update(body);
  const sum = Buffer.alloc(8);
  if (checksum) sum.writeBigUInt64LE(BigInt(`0x${crc.value}`));
  return version >= 5 ? Buffer.concat([body, sum]) : body;
}

const str = (text: string) => [text.length, ...Buffer.from(text)];
const listpack = (bytes = [2, 1]) => {
  const whole = Buffer.from([0, 0, 0, 0, 1, 0, ...bytes, 255]);
  whole.writeUInt32LE(whole.length);
  return [whole.length, ...whole];
};
const zeroes = (count: number) => Array<number>(count).fill(0);

/** One value of every type that has a shape of its own. */
const VALUES: Record<string, number[]> = {
  string: [0, ...str('k'), ...str('v')],
  'string as number': [0, ...str('k'), 0xc2, 1, 2, 3, 4],
  'compressed string': [0, ...str('k'), 0xc3, 5, 10, 0, 97, 0xe0, 0, 0],
  list: [1, ...str('k'), 2, ...str('a'), ...str('b')],
  'sorted set in text': [3, ...str('k'), 2, ...str('a'), 3, 49, 46, 53, ...str('b'), 254],
  hash: [4, ...str('k'), 1, ...str('f'), ...str('v')],
  'sorted set': [5, ...str('k'), 1, ...str('a'), ...zeroes(8)],
  module: [7, ...str('k'), 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 2, 5, 5, ...str('x'), 4, ...zeroes(8), 3, ...zeroes(4), 0],
  intset: [11, ...str('k'), 10, 2, 0, 0, 0, 1, 0, 0, 0, 7, 0],
  'hash listpack': [16, ...str('k'), ...listpack()],
  quicklist: [18, ...str('k'), 2, 2, ...listpack(), 1, ...str('large')],
  'stream 1': [
    15,
    ...str('k'),
    1,
    16,
    ...zeroes(16),
    ...listpack(),
    1,
    2,
    3,
    1,
    ...str('g'),
    1,
    2,
    1,
    ...zeroes(24),
    1,
    1,
    ...str('c'),
    ...zeroes(8),
    1,
    ...zeroes(16),
  ],
  'stream 3': [21, ...str('k'), 0, 1, 2, 3, 4, 5, 6, 7, 8, 1, ...str('g'), 1, 2, 3, 0, 1, ...str('c'), ...zeroes(16), 0],
  'hash with expiry': [24, ...str('k'), ...zeroes(8), 1, 0, ...str('f'), ...str('v')],
  'listpack with expiry': [25, ...str('k'), ...zeroes(8), ...listpack()],
};
const HEAD: (string | number[])[] = [
  [250, ...str('ctime'), 0xc2, 0x80, 0x3d, 0x5e, 0x65],
  [247, 1, 2, 1, 0],
  [245, ...str('lib')],
  [254, 0],
  [251, 1, 1],
  [244, 1, 2, 3],
];

async function judgeFile(bytes: Buffer, name = 'dump.rdb') {
  const home = join(folder, `redis${folders++}`);
  mkdirSync(home);
  writeFileSync(join(home, name), bytes);
  return judgeFolder(home, redisFinder, [rdb]);
}

describe('a sound file', () => {
  it.each(Object.keys(VALUES))('with a %s is followed to its end', async (name) => {
    const bytes = file([...HEAD, [252, ...zeroes(8), 249, 3, ...(VALUES[name] ?? [])], VALUES.string ?? []]);
    const facts = await walkRdb(new BufferSource(bytes), signal);
    expect(facts).toMatchObject({ keys: 2, expiring: 1, databases: 1, functions: 1, moduleParts: 1, checksum: 'matches', endsAt: bytes.length });
    expect(facts.notes.ctime).toBe(String(0x655e3d80));
  });

  it('passes, whatever it is called, with the instant of its data', async () => {
    const judged = await judgeFile(file([...HEAD, VALUES.hash ?? []]), 'other.rdb');
    expect(judged).toMatchObject({ failed: false, codes: ['redis.rdb.instant'], states: ['lost-tail'], untested: [] });
    expect(judged.judgements['redis/rdb']?.findings[0]?.message).toContain('2023-11-22T17:42:24.000Z');
  });

  it('of a version without checksums, or written without one, says so and passes', async () => {
    expect(await judgeFile(file([VALUES.list ?? []], 3))).toMatchObject({ failed: false, codes: ['redis.rdb.no-checksum'] });
    expect(await judgeFile(file([VALUES.list ?? []], 11, false))).toMatchObject({ failed: false, codes: ['redis.rdb.no-checksum'] });
  });

  it('with records of the future is left open unless its checksum proves it', async () => {
    expect(await judgeFile(file([[200, 1]]))).toMatchObject({ failed: false, untested: [] });
    expect(await judgeFile(file([[0, 1]], 80))).toMatchObject({ failed: false, untested: [] });
    const open = await judgeFile(file([[0, 1]], 80, false));
    expect(open).toMatchObject({ failed: false, states: ['unknown'] });
    expect(open.untested[0]).toContain('version 80');
  });
});

describe('damage', () => {
  const sound = file([...HEAD, ...Object.values(VALUES)]);
  it('of any single byte is found', async () => {
    for (let at = 9; at < sound.length; at++) {
      const bytes = Buffer.from(sound);
      bytes[at] = (bytes[at] as number) ^ 0x10;
      const judged = await judgeFile(bytes);
      expect([at, judged.failed]).toEqual([at, true]);
    }
  });

  it('by a cut is found at every length', async () => {
    for (let length = 0; length < sound.length; length++) expect([length, (await judgeFile(sound.subarray(0, length))).states]).toEqual([length, ['damaged']]);
  });

  it('of a compressed string or a listpack is found without any checksum', async () => {
    const broken = [...(VALUES['compressed string'] ?? [])];
    broken[broken.length - 1] = 9;
    expect((await judgeFile(file([broken], 12, false))).failed).toBe(true);
    const shorter = [...(VALUES['hash listpack'] ?? [])];
    shorter[4] = 200;
    expect((await judgeFile(file([shorter], 12, false))).failed).toBe(true);
  });
});

describe('hostile bytes', () => {
  it('give a typed result, in bounded time, whatever they are', async () => {
    const sound = file([...HEAD, ...Object.values(VALUES)]);
    const change = fc.record({ at: fc.nat(sound.length - 1), data: fc.uint8Array({ minLength: 1, maxLength: 40 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 5 }), fc.boolean(), async (changes, random) => {
        const bytes = random ? Buffer.concat([Buffer.from('REDIS0011'), ...changes.map(({ data }) => Buffer.from(data))]) : Buffer.from(sound);
        if (!random) for (const { at, data } of changes) Buffer.from(data).copy(bytes, at);
        const scan = await scanRdb(new BufferSource(bytes), signal);
        expect(scan.facts !== null || scan.why !== '').toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('that promise 2^63 items end where the file ends', async () => {
    const endless = file([[1, ...str('k'), 0x81, 127, 255, 255, 255, 255, 255, 255, 255]]);
    await expect(walkRdb(new BufferSource(endless), signal)).rejects.toBeInstanceOf(FormatError);
  });
});
