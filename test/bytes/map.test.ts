import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeMap, type Placement, sliceMap, wholeSource, zeroMap } from '../../src/bytes/map.js';
import { BufferSource, FileSource, MappedSource } from '../../src/bytes/source.js';
import type { ByteMap } from '../../src/types.js';

const SIZE = 1000;
const content = Buffer.from(Array.from({ length: SIZE }, (_, i) => (i * 7 + 1) & 255));
const folder = mkdtempSync(join(tmpdir(), 'snapproof-map-'));
const path = join(folder, 'content');
beforeAll(() => writeFileSync(path, content));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const whole = wholeSource({ kind: 'file', path }, SIZE);

async function bytesOf(map: ByteMap, offset = 0, length = map.sizeBytes): Promise<Buffer> {
  const source = new MappedSource(map);
  try {
    return await source.read(offset, length);
  } finally {
    await source.close();
  }
}

/** Sorted, without gap or overlap, from 0 to the end. */
function expectCovering(map: ByteMap): void {
  let position = 0;
  for (const extent of map.extents) {
    expect(extent.offset).toBe(position);
    expect(extent.lengthBytes).toBeGreaterThan(0);
    position += extent.lengthBytes;
  }
  expect(position).toBe(map.sizeBytes);
}

const placements = fc
  .array(fc.record({ offset: fc.nat(300), lengthBytes: fc.nat(200), zero: fc.boolean(), innerOffset: fc.nat(SIZE - 200) }), { maxLength: 8 })
  .map((list) => list.map(({ zero, ...rest }): Placement => ({ ...rest, inner: zero ? null : whole })));

describe('composed maps', () => {
  it('cover their whole size whatever is placed, overlaps and overhang too, and read as the model says', async () => {
    await fc.assert(
      fc.asyncProperty(placements, fc.nat(400), async (list, sizeBytes) => {
        const map = composeMap(sizeBytes, list);
        expectCovering(map);
        const model = Buffer.alloc(sizeBytes);
        let covered = 0;
        for (const placement of [...list].sort((a, b) => a.offset - b.offset)) {
          for (let i = Math.max(0, covered - placement.offset); i < placement.lengthBytes && placement.offset + i < sizeBytes; i++) {
            model[placement.offset + i] = placement.inner ? (content[placement.innerOffset + i] as number) : 0;
            covered = placement.offset + i + 1;
          }
        }
        expect(await bytesOf(map)).toEqual(model);
      }),
      { numRuns: 200 },
    );
  });

  it('join neighbours and name a source once', () => {
    const parts = Array.from({ length: 10 }, (_, i) => ({ offset: i * 10, lengthBytes: 10, inner: whole, innerOffset: i * 10 }));
    expect(composeMap(100, parts)).toEqual({ sizeBytes: 100, sources: whole.sources, extents: [{ offset: 0, lengthBytes: 100, source: 0, sourceOffset: 0 }] });
  });

  it('slice to the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(SIZE), fc.nat(SIZE), async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const slice = sliceMap(whole, from, to - from);
        expectCovering(slice);
        expect(await bytesOf(slice)).toEqual(content.subarray(from, to));
      }),
      { numRuns: 50 },
    );
    expectCovering(zeroMap(0));
    expectCovering(zeroMap(7));
  });
});

describe('sources', () => {
  it('reject what lies outside, and read nothing for it', async () => {
    const sources = [await FileSource.open(path), new BufferSource(content), new MappedSource(whole)];
    for (const source of sources) {
      for (const [offset, length] of [
        [0, SIZE + 1],
        [SIZE, 1],
        [-1, 1],
        [0, -1],
        [0.5, 1],
        [Number.NaN, 1],
        [2 ** 53, 1],
        [0, 2 ** 60],
      ] as const) {
        await expect(source.read(offset, length)).rejects.toThrow(RangeError);
      }
      expect(await source.read(SIZE, 0)).toHaveLength(0);
      await source.close();
    }
  });

  it('say when a file becomes shorter while it is read', async () => {
    const shrinking = join(folder, 'shrinking');
    writeFileSync(shrinking, content);
    const source = await FileSource.open(shrinking);
    truncateSync(shrinking, 10);
    await expect(source.read(0, SIZE)).rejects.toThrow(/became shorter/);
    await source.close();
  });

  it('refuse a map that names a source it has not', async () => {
    await expect(bytesOf({ sizeBytes: 1, sources: [], extents: [{ offset: 0, lengthBytes: 1, source: 3, sourceOffset: 0 }] })).rejects.toThrow(/source 3/);
  });
});
