import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { judgeFolder } from '../../testing/judge.js';
import { lmdbFinder } from '../finder.js';
import structure from './index.js';

const PAGE = 4096;
const folder = mkdtempSync(join(tmpdir(), 'snapproof-lmdb-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;

interface Entry {
  key: Buffer;
  data?: Buffer;
  child?: number;
  long?: { page: number; bytes: number };
}

/** A page as the format describes it, entries from its end on. */
function page(number: number, kind: 'leaf' | 'branch', entries: Entry[]): Buffer {
  const bytes = Buffer.alloc(PAGE);
  bytes.writeBigUInt64LE(BigInt(number));
  bytes.writeUInt16LE(kind === 'leaf' ? 2 : 1, 10);
  let upper = PAGE;
  for (const [i, { key, data = Buffer.alloc(0), child, long }] of entries.entries()) {
    const stored = long ? Buffer.alloc(8) : data;
    if (long) stored.writeBigUInt64LE(BigInt(long.page));
    const length = 8 + key.length + stored.length;
    upper -= length + (length & 1);
    bytes.writeUInt16LE(upper, 16 + 2 * i);
    bytes.writeUInt32LE(child ?? long?.bytes ?? data.length, upper);
    bytes.writeUInt16LE(long ? 1 : 0, upper + 4);
    bytes.writeUInt16LE(key.length, upper + 6);
    key.copy(bytes, upper + 8);
    stored.copy(bytes, upper + 8 + key.length);
  }
  bytes.writeUInt16LE(16 + 2 * entries.length, 12);
  bytes.writeUInt16LE(upper, 14);
  return bytes;
}

function meta(number: number, transaction: number, trees: [number, number, number, number, number, number][]): Buffer {
  const bytes = Buffer.alloc(PAGE);
  bytes.writeBigUInt64LE(BigInt(number));
  bytes.writeUInt16LE(8, 10);
  bytes.writeUInt32LE(0xbeefc0de, 16);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(1n << 20n, 32);
  for (const [i, [depth, ...counts]] of trees.entries()) {
    const at = 40 + 48 * i;
    bytes.writeUInt32LE(i === 0 ? PAGE : 0, at);
    bytes.writeUInt16LE(i === 0 ? 8 : 0, at + 4);
    bytes.writeUInt16LE(depth, at + 6);
    for (const [j, count] of counts.entries()) bytes.writeBigInt64LE(BigInt(count), at + 8 + 8 * j);
  }
  bytes.writeBigUInt64LE(9n, 136);
  bytes.writeBigUInt64LE(BigInt(transaction), 144);
  return bytes;
}

const key = (i: number) => Buffer.from(`key ${String(i).padStart(4, '0')}`);
const leaf = (number: number, from: number, count: number, more: Entry[] = []) =>
  page(number, 'leaf', [...Array.from({ length: count }, (_, i) => ({ key: key(from + i), data: Buffer.from(`value ${i}`) })), ...more]);

/** Main tree: branch 4 over leaves 2 and 5; long value 6..7; free list in 3 names 8; page 9 is lost. */
function store(): Buffer {
  const long = Buffer.alloc(2 * PAGE, 'x');
  long.writeBigUInt64LE(6n);
  long.writeUInt16LE(0, 8);
  long.writeUInt16LE(4, 10);
  long.writeUInt32LE(2, 12);
  const freeList = Buffer.alloc(16);
  freeList.writeBigUInt64LE(1n);
  freeList.writeBigUInt64LE(8n, 8);
  const transaction = Buffer.alloc(8, 0);
  transaction.writeUInt32LE(6);
  return Buffer.concat([
    meta(0, 6, [
      [0, 0, 0, 0, 0, -1],
      [1, 0, 1, 0, 60, 2],
    ]),
    meta(1, 7, [
      [1, 0, 1, 0, 1, 3],
      [2, 1, 2, 2, 121, 4],
    ]),
    leaf(2, 0, 60),
    page(3, 'leaf', [{ key: transaction, data: freeList }]),
    page(4, 'branch', [
      { key: Buffer.alloc(0), child: 2 },
      { key: key(60), child: 5 },
    ]),
    leaf(5, 60, 60, [{ key: key(500), long: { page: 6, bytes: 5000 } }]),
    long,
    Buffer.alloc(PAGE, 'junk'),
    Buffer.alloc(PAGE, 'lost'),
  ]);
}

async function judge(bytes: Buffer, name = 'data.mdb') {
  const home = join(folder, `store${folders++}`);
  mkdirSync(home);
  writeFileSync(join(home, name), bytes);
  return judgeFolder(home, lmdbFinder, [structure]);
}

describe('a sound store', () => {
  it('passes under any name, whatever lies in its free pages', async () => {
    const judged = await judge(store(), 'cache');
    expect(judged).toMatchObject({ failed: false, codes: [], states: ['clean'], untested: [] });
    expect(judged.judgements['lmdb/structure']?.tested[0]?.how).toContain(
      '6 pages of 4096 bytes, compared their counts, and 1 free page, 1 neither used nor free',
    );
  });

  it('of another machine is left open', async () => {
    const other = Buffer.alloc(2 * PAGE);
    other.writeUInt32LE(0xbeefc0de, 12);
    expect(await judge(other)).toMatchObject({ failed: false, states: ['unknown'] });
  });

  it('is not seen in other files', async () => {
    expect((await judge(Buffer.alloc(4 * PAGE), 'something')).instances).toEqual([]);
  });
});

const DAMAGE: Record<string, [string, (bytes: Buffer) => unknown]> = {
  'a page zeroed': ['lmdb.page', (bytes) => bytes.fill(0, 5 * PAGE, 6 * PAGE)],
  'two pages swapped': ['lmdb.page', (bytes) => bytes.copy(bytes, 2 * PAGE, 5 * PAGE, 6 * PAGE)],
  'a long value overwritten': ['lmdb.page', (bytes) => bytes.fill(0, 6 * PAGE, 7 * PAGE)],
  'a page in use listed as free': ['lmdb.free-list', (bytes) => bytes.writeUInt8(5, 4 * PAGE - 8)],
  'a page listed as free beyond the store': ['lmdb.free-list', (bytes) => bytes.writeUInt8(99, 4 * PAGE - 8)],
  'an older leaf': ['lmdb.count', (bytes) => leaf(2, 0, 59).copy(bytes, 2 * PAGE)],
  'a leaf of other keys': ['lmdb.order', (bytes) => leaf(2, 30, 60).copy(bytes, 2 * PAGE)],
  'a child outside': ['lmdb.page', (bytes) => bytes.writeUInt32LE(500, 5 * PAGE - 8)],
  'a child used twice': [
    'lmdb.page',
    (bytes) =>
      page(4, 'branch', [
        { key: Buffer.alloc(0), child: 2 },
        { key: key(60), child: 2 },
      ]).copy(bytes, 4 * PAGE),
  ],
  'a meta page lost': ['lmdb.meta', (bytes) => bytes.fill(0, 0, PAGE)],
};

describe('damage', () => {
  it.each(Object.entries(DAMAGE))('%s', async (_, [code, change]) => {
    const bytes = store();
    change(bytes);
    const judged = await judge(bytes);
    expect(judged).toMatchObject({ failed: true, states: ['damaged'] });
    expect(judged.codes).toContain(code);
  });

  it('a file cut anywhere', async () => {
    for (let pages = 0; pages < 8; pages++) expect([pages, (await judge(store().subarray(0, pages * PAGE + 100))).states]).toEqual([pages, ['damaged']]);
  });

  it('an order of its own is no damage', async () => {
    const bytes = store();
    const backwards = (number: number, from: number) =>
      page(
        number,
        'leaf',
        Array.from({ length: 60 }, (_, i) => ({ key: key(from - i), data: Buffer.from(`value ${i}`) })),
      );
    backwards(2, 200).copy(bytes, 2 * PAGE);
    page(5, 'leaf', [...Array.from({ length: 60 }, (_, i) => ({ key: key(100 - i) })), { key: key(1), long: { page: 6, bytes: 5000 } }]).copy(bytes, 5 * PAGE);
    const judged = await judge(bytes);
    expect(judged).toMatchObject({ failed: false, codes: [] });
    expect(JSON.stringify(judged.judgements['lmdb/structure']?.untested)).toContain('order of keys in 1 tree of');
  });
});

it('hostile bytes give a judgement in bounded time', async () => {
  const change = fc.record({ at: fc.nat(10 * PAGE - 1), data: fc.uint8Array({ minLength: 1, maxLength: 64 }) });
  const inMeta = fc.record({ at: fc.integer({ min: PAGE + 16, max: PAGE + 152 }), data: fc.uint8Array({ minLength: 1, maxLength: 8 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(change, inMeta), { minLength: 1, maxLength: 6 }), async (changes) => {
      const bytes = store();
      for (const { at, data } of changes) Buffer.from(data).copy(bytes, at);
      await judge(bytes);
    }),
    { numRuns: 400 },
  );
});
