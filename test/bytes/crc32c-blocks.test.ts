import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.js';
import { createBlockSums } from '../../src/bytes/crc32c-blocks.js';

const LIMITS = { minPageBytes: 1024, maxPageBytes: 65536 };
const BUFFER = 128 * 1024;

describe.each([true, false])('CRC-32C of many pages, SIMD allowed: %s', (simd) => {
  const sums = createBlockSums(BUFFER, LIMITS, simd);

  it('runs as asked', () => {
    expect(sums.how).toBe(simd ? 'simd' : 'plain');
  });

  it('equals the sum of each page alone, for any range of any page size, in any order', () => {
    const range = fc
      .constantFrom(1024, 2048, 4096, 8192, 16384, 32768, 65536)
      .chain((pageBytes) => fc.tuple(fc.constant(pageBytes), fc.nat(pageBytes), fc.nat(pageBytes)));
    fc.assert(
      fc.property(range, fc.integer(), ([pageBytes, a, b], seed) => {
        fill(sums.buffer, seed);
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const count = Math.min(5, BUFFER / pageBytes);
        const found = [...sums.compute(count, pageBytes, from, to).subarray(0, count)];
        const expected = Array.from({ length: count }, (_, i) => crc32c(sums.buffer, i * pageBytes + from, i * pageBytes + to));
        expect(found).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});

function fill(bytes: Uint8Array, seed: number): void {
  let state = seed | 1;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  for (let i = 0; i < words.length; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    words[i] = state;
  }
}
