import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/source.js';
import { FormatError } from '../../src/errors.js';
import { parseImage } from '../../src/images/index.js';
import type { ImageFormat } from '../../src/types.js';
import { makeImage, testFolder } from './make.js';

/** Header and tables of a real image, as [start, end) in the file. */
const TABLES: [ImageFormat, string[], [number, number][]][] = [
  [
    'qcow2',
    [],
    [
      [0, 600],
      [0x10000, 0x10010],
      [0x30000, 0x30010],
      [0x40000, 0x40100],
    ],
  ],
  [
    'vmdk',
    [],
    [
      [0, 1200],
      [0x2a00, 0x2b00],
      [0x3c00, 0x3d00],
    ],
  ],
  [
    'vpc',
    [],
    [
      [0, 1536],
      [1536, 1700],
    ],
  ],
  [
    'vhdx',
    ['-o', 'block_size=1M'],
    [
      [0x10000, 0x10060],
      [0x30000, 0x30060],
      [0x200000, 0x200200],
      [0x300000, 0x300300],
    ],
  ],
  ['vdi', [], [[64, 600]]],
];

describe.each(TABLES)('%s, any few bytes of a real image changed', (format, more, ranges) => {
  it('gives a header or a FormatError', async () => {
    const path = await makeImage(await testFolder(), 'disk', format, { more, sizeBytes: 8 * 2 ** 20 });
    const original = await readFile(path);
    const place = fc.oneof(...ranges.map(([start, end]) => fc.integer({ min: start, max: Math.min(end, original.length) - 1 })));
    const value = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }));
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(place, value), { minLength: 1, maxLength: 12 }),
        fc.option(fc.integer({ min: 0, max: original.length })),
        async (changes, length) => {
          const before = changes.map(([at]) => original[at] ?? 0);
          for (const [at, byte] of changes) original[at] = byte;
          const header = await parseImage(new BufferSource(original.subarray(0, length ?? original.length)), format).catch((error) => error);
          for (const [i, [at]] of [...changes.entries()].reverse()) original[at] = before[i] ?? 0;
          if (header instanceof FormatError) return;
          accepted++;
          expect(header).toMatchObject({ format });
          expect(header.promisedBytes).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 400 },
    );
    expect(accepted, 'some changes do no harm').toBeGreaterThan(0);
    expect(original.equals(await readFile(path)), 'changes were taken back').toBe(true);
  });
});
