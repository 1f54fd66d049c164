import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.js';
import { ChainOfPages, createChainSums } from '../../src/bytes/crc32c-chain.js';

const BLOCK = 131072;

describe('CRC-32C of a chain of pages', () => {
  const sums = createChainSums(BLOCK);
  const bytes = Buffer.from(sums?.buffer.buffer ?? new ArrayBuffer(BLOCK), 0, BLOCK);

  function fillPages(pageBytes: number, seed: number, empty: number): number {
    let state = seed | 1;
    for (let at = 0; at < BLOCK; at += 4) {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
      bytes.writeInt32LE(state, at);
    }
    const chain = new ChainOfPages(pageBytes);
    let sum = 0;
    for (let page = 0; page * pageBytes < BLOCK; page++) {
      const end = (page + 1) * pageBytes;
      if (page === empty) bytes.fill(0, page * pageBytes, end);
      else bytes.writeUInt32BE(crc32c(bytes, page * pageBytes, end - 4), end - 4);
      sum = chain.add(sum, page === empty ? null : bytes.readUInt32BE(end - 4));
    }
    return sum;
  }

  it('is what the stored checksums say, of any page size; and is not when a bit or several were changed', () => {
    if (!sums) throw new Error('this runtime has no SIMD');
    fc.assert(
      fc.property(
        fc.constantFrom(4096, 8192, 16384, 32768, 65536),
        fc.integer(),
        fc.nat(3),
        fc.array(fc.nat(BLOCK * 8 - 1), { minLength: 1, maxLength: 4 }),
        (pageBytes, seed, empty, bits) => {
          const expected = fillPages(pageBytes, seed, empty);
          expect(sums.remainder()).toBe(expected);
          for (const bit of new Set(bits)) bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
          expect(sums.remainder()).not.toBe(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('sees the same error in two pages', () => {
    const expected = fillPages(16384, 5, -1);
    for (const page of [1, 2]) bytes[page * 16384 + 777] = (bytes[page * 16384 + 777] as number) ^ 8;
    expect(sums?.remainder()).not.toBe(expected);
  });
});
