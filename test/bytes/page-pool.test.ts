import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlockReader } from '../../src/bytes/block-reader.js';
import { composeMap, sliceMap, wholeSource, zeroMap } from '../../src/bytes/map.js';
import { type Batch, type PageFile, splitByBytes } from '../../src/bytes/page-pool.js';

describe('splitting files into batches', () => {
  it('covers every byte of every file once, in parts that begin at block boundaries, whatever the sizes', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 40 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 2000 }), (fileSizes, blockBytes, batchBytes) => {
        const files: PageFile<number>[] = fileSizes.map((sizeBytes, detail) => ({ detail, map: zeroMap(sizeBytes) }));
        const next = fileSizes.map(() => 0);
        for (const batch of splitByBytes(files, blockBytes, batchBytes)) checkBatch(batch, blockBytes, batchBytes, next);
        expect(next).toEqual(fileSizes);
      }),
    );
  });

  function checkBatch(batch: Batch, blockBytes: number, batchBytes: number, next: number[]): void {
    expect(batch.bytes).toBe(batch.parts.reduce((sum, part) => sum + part.map.sizeBytes, 0));
    expect(batch.bytes).toBeLessThan(batchBytes + Math.max(blockBytes, batchBytes));
    for (const part of batch.parts) {
      const file = part.detail as number;
      expect(part.offset).toBe(next[file]);
      expect(part.offset % blockBytes).toBe(0);
      next[file] = part.offset + part.map.sizeBytes;
    }
  }
});

describe('block reader', () => {
  let folder: string;
  const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, i) => (i * 7) & 255));

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'snapproof-blocks-'));
    writeFileSync(join(folder, 'a'), bytes);
    for (let i = 0; i < 100; i++) writeFileSync(join(folder, `many${i}`), Buffer.alloc(8, i));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const file = (name: string, sizeBytes: number) => wholeSource({ kind: 'file', path: join(folder, name) }, sizeBytes);

  it('puts the bytes of files and holes where they belong, over what was there', async () => {
    const whole = file('a', bytes.length);
    const map = composeMap(3000, [
      { offset: 0, lengthBytes: 1000, inner: whole, innerOffset: 5000 },
      { offset: 2000, lengthBytes: 1000, inner: whole, innerOffset: 0 },
    ]);
    const reader = new BlockReader();
    const target = new Uint8Array(4000).fill(9);
    await reader.read(map, 500, target, 2000);
    const expected = Buffer.concat([bytes.subarray(5500, 6000), Buffer.alloc(1000), bytes.subarray(0, 500), Buffer.alloc(2000, 9)]);
    expect(Buffer.compare(target, expected)).toBe(0);
    await reader.close();
  });

  it('reads more files than it keeps open', async () => {
    const reader = new BlockReader();
    const target = new Uint8Array(8);
    for (let i = 0; i < 100; i++) {
      await reader.read(sliceMap(file(`many${i}`, 8), 2, 4), 0, target, 4);
      expect(target[0]).toBe(i);
    }
    await reader.close();
  });

  it('says so when a file became shorter', async () => {
    writeFileSync(join(folder, 'shrinking'), bytes);
    truncateSync(join(folder, 'shrinking'), 100);
    const reader = new BlockReader();
    expect(() => reader.read(file('shrinking', bytes.length), 0, new Uint8Array(200), 200)).toThrow(RangeError);
    await reader.close();
  });
});
