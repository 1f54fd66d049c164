/** Stores and logs built from the published formats: whole, damaged, hostile. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.js';
import { judgeFolder } from '../testing/judge.js';
import { writeFiles } from '../testing/write-files.js';
import etcdLog from './etcd-log/index.js';
import { boltFinder } from './finder.js';
import structure from './structure/index.js';

const PAGE = 4096;
const folder = mkdtempSync(join(tmpdir(), 'snapproof-bbolt-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let homes = 0;

function fnv(bytes: Buffer): bigint {
  return bytes.reduce((hash, byte) => ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn, 0xcbf29ce484222325n);
}

function meta(page: number, transaction: number, root: number): Buffer {
  const bytes = Buffer.alloc(PAGE);
  bytes.writeBigUInt64LE(BigInt(page));
  bytes.writeUInt16LE(4, 8);
  bytes.writeUInt32LE(0xed0cdaed, 16);
  bytes.writeUInt32LE(2, 20);
  bytes.writeUInt32LE(PAGE, 24);
  for (const [at, value] of [
    [32, root],
    [48, 2],
    [56, 8],
    [64, transaction],
  ] as const)
    bytes.writeBigUInt64LE(BigInt(value), at);
  bytes.writeBigUInt64LE(fnv(bytes.subarray(16, 72)), 72);
  return bytes;
}

interface Item {
  key: string;
  value?: Buffer;
  bucket?: boolean;
  child?: number;
}

function page(number: number, items: Item[], overflow = 0): Buffer {
  const branch = items[0]?.child !== undefined;
  const bytes = Buffer.alloc(PAGE * (overflow + 1));
  bytes.writeBigUInt64LE(BigInt(number));
  bytes.writeUInt16LE(branch ? 1 : 2, 8);
  bytes.writeUInt16LE(items.length, 10);
  bytes.writeUInt32LE(overflow, 12);
  let data = 16 + 16 * items.length;
  for (const [i, { key, value = Buffer.alloc(0), bucket, child }] of items.entries()) {
    const at = 16 + 16 * i;
    const numbers = child === undefined ? [bucket ? 1 : 0, data - at, key.length, value.length] : [data - at, key.length, child, 0];
    for (const [j, word] of numbers.entries()) bytes.writeUInt32LE(word, at + 4 * j);
    data += bytes.write(key, data);
    data += value.copy(bytes, data);
  }
  return bytes;
}

const bucketAt = (root: number) => {
  const value = Buffer.alloc(16);
  value.writeBigUInt64LE(BigInt(root));
  return value;
};
const index = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

/** Pages: metas 0 and 1, free list 2 (names 7), root 3, bucket key: branch 4 over 5 and 6.. with one more. */
function store(consistent = 12): Buffer {
  const free = Buffer.alloc(PAGE);
  for (const [at, value] of [
    [0, 2],
    [16, 7],
  ] as const)
    free.writeBigUInt64LE(BigInt(value), at);
  free.writeUInt16LE(0x10, 8);
  free.writeUInt16LE(1, 10);
  const inline = Buffer.concat([Buffer.alloc(16), page(0, [{ key: 'consistent_index', value: index(consistent) }]).subarray(0, 60)]);
  const root = page(3, [
    { key: 'key', value: bucketAt(4), bucket: true },
    { key: 'meta', value: inline, bucket: true },
  ]);
  return Buffer.concat([
    meta(0, 4, 3),
    meta(1, 5, 3),
    free,
    root,
    page(4, [{ key: 'a', child: 5 }]),
    page(5, [{ key: 'b', value: Buffer.alloc(5000, 'v') }, { key: 'c' }], 1),
    Buffer.alloc(PAGE, 'junk'),
  ]);
}

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))]);

function wal(records: { type: number; data?: number[]; crc?: number }[]): Buffer {
  let crc = 0;
  const parts = records.map(({ type, data = [], crc: stated }) => {
    crc = type === 4 ? (stated ?? 0) : crc32c(Buffer.from(data), 0, data.length, crc);
    const record = Buffer.from([8, type, 16, ...varint(crc), ...(data.length > 0 ? [26, ...varint(data.length), ...data] : [])]);
    const padding = (8 - (record.length % 8)) % 8;
    const field = Buffer.alloc(8);
    field.writeBigUInt64LE(BigInt(record.length) | (padding ? BigInt(0x80 | padding) << 56n : 0n));
    return Buffer.concat([field, record, Buffer.alloc(padding)]);
  });
  return Buffer.concat([...parts, Buffer.alloc(4096)]);
}
const entry = (number: number) => ({ type: 2, data: [8, 0, 16, 2, 24, ...varint(number), 34, 3, 1, 2, 3] });
const LOG = [
  { type: 4 },
  { type: 1, data: [10, 1, 7] },
  { type: 5, data: [] },
  ...Array.from({ length: 20 }, (_, i) => entry(i + 1)),
  { type: 3, data: [8, 2, 16, 1, 24, 15] },
];
const NAME = '0000000000000000-0000000000000000.wal';

async function judge(files: Record<string, Buffer>) {
  return judgeFolder(writeFiles(join(folder, `home${homes++}`), files), boltFinder, [structure, etcdLog]);
}
const member = (log: Buffer, db = store()) => judge({ 'member/snap/db': db, [`member/wal/${NAME}`]: log });

describe('sound files', () => {
  it('pass', async () => {
    const judged = await judge({ 'any.db': store() });
    expect(judged).toMatchObject({ failed: false, codes: [], states: ['clean'], untested: [] });
    expect(judged.judgements['bbolt/structure']?.tested[0]?.how).toContain('1 free page, 0 neither used nor free');
  });

  it('of etcd pass, with the log', async () => {
    expect(await member(wal(LOG))).toMatchObject({ failed: false, codes: [], states: ['clean', 'recoverable'], untested: [] });
  });

  it('of etcd whose log lies elsewhere are left open', async () => {
    const judged = await judge({ 'member/snap/db': store() });
    expect(judged).toMatchObject({ failed: false, states: ['clean', 'unknown'] });
  });
});

describe('damage', () => {
  it.each<[string, string, (bytes: Buffer) => unknown]>([
    ['a page zeroed', 'bbolt.page', (bytes) => bytes.fill(0, 4 * PAGE, 5 * PAGE)],
    ['a page swapped', 'bbolt.page', (bytes) => bytes.copy(bytes, 4 * PAGE, 5 * PAGE, 6 * PAGE)],
    ['keys out of order', 'bbolt.page', (bytes) => page(5, [{ key: 'c' }, { key: 'b' }], 1).copy(bytes, 5 * PAGE)],
    ['keys of another page', 'bbolt.page', (bytes) => page(4, [{ key: 'd', child: 5 }]).copy(bytes, 4 * PAGE)],
    ['a page in use listed as free', 'bbolt.free-list', (bytes) => bytes.writeUInt8(6, 2 * PAGE + 16)],
    [
      'a child used twice',
      'bbolt.page',
      (bytes) =>
        page(4, [
          { key: 'a', child: 5 },
          { key: 'd', child: 6 },
        ]).copy(bytes, 4 * PAGE),
    ],
  ])('%s', async (_, code, change) => {
    const bytes = store();
    change(bytes);
    const judged = await judge({ 'x.db': bytes });
    expect(judged).toMatchObject({ failed: true, states: ['damaged'] });
    expect(judged.codes).toContain(code);
  });

  it('of one meta page costs the last transaction at most', async () => {
    for (const at of [0, PAGE])
      expect(await judge({ 'x.db': store().fill(0, at + 20, at + 90) })).toMatchObject({ failed: false, codes: ['bbolt.meta'], states: ['lost-tail'] });
    expect(await judge({ 'member/snap/db': store().fill(0, 0, 2 * PAGE) })).toMatchObject({ failed: true });
  });

  it('a cut file', async () => {
    expect(await judge({ 'x.db': store().subarray(0, 5 * PAGE) })).toMatchObject({ failed: true, states: ['damaged'] });
  });

  it('of any byte in the log', async () => {
    const sound = wal(LOG);
    for (let at = 30; at < sound.length - 4096 - 8; at += 3) {
      const bytes = Buffer.from(sound);
      bytes[at] = (bytes[at] as number) ^ 4;
      const judged = await member(bytes);
      // Padding between records, and what a record says twice, may change unseen.
      if (!judged.failed && !judged.codes.length) expect([at, sound[at]]).toEqual([at, 0]);
    }
  });

  it('an entry missing', async () => {
    expect((await member(wal(LOG.filter((_, i) => i !== 10)))).codes).toEqual(['etcd.wal.record']);
  });

  it('store, log and commit of different instants', async () => {
    expect((await member(wal(LOG), store(21))).codes).toEqual(['etcd.store-newer']);
    expect((await member(wal([...LOG.slice(0, 16), { type: 3, data: [8, 2, 16, 1, 24, 15] }]))).codes).toEqual(['etcd.commit']);
  });

  it('a file of the log missing', async () => {
    const second = '0000000000000002-0000000000000014.wal';
    expect((await judge({ 'member/snap/db': store(), [`member/wal/${NAME}`]: wal(LOG), [`member/wal/${second}`]: wal([{ type: 4 }]) })).codes).toContain(
      'etcd.wal.missing',
    );
  });
});

it('hostile bytes give a judgement in bounded time', async () => {
  const log = wal(LOG);
  const change = fc.record({ at: fc.nat(7 * PAGE - 1), inLog: fc.nat(600), data: fc.uint8Array({ minLength: 1, maxLength: 24 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
      const [db, damagedLog] = [store(), Buffer.from(log)];
      for (const { at, inLog, data } of changes) {
        Buffer.from(data).copy(db, at);
        Buffer.from(data).copy(damagedLog, inLog);
      }
      await member(damagedLog, db);
    }),
    { numRuns: 300 },
  );
});
