import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.js';
import { pageSumsIn } from '../../src/bytes/crc32c-together.js';
import { WasmSpace } from '../../src/bytes/wasm-engine.js';

const BLOCK = 262144;
const PAGE_SIZES = [4096, 8192, 16384, 32768, 65536];

describe('CRC-32C of all pages of a block together', () => {
  const space = new WasmSpace(BLOCK);
  const sums = pageSumsIn(space);
  const bytes = Buffer.from(space.memory.buffer, 0, BLOCK);
  let empty = new Set<number>();

  function fillPages(pageBytes: number, seed: number, emptyPages: number[] = []): void {
    let state = seed | 1;
    for (let at = 0; at < BLOCK; at += 4) {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
      bytes.writeInt32LE(state, at);
    }
    empty = new Set(emptyPages.map((page) => (page * pageBytes) % BLOCK));
    for (let at = 0; at < BLOCK; at += pageBytes) {
      if (empty.has(at)) bytes.fill(0, at, at + pageBytes);
      else bytes.writeUInt32BE(crc32c(bytes, at, at + pageBytes - 4), at + pageBytes - 4);
    }
  }

  const areProven = (pageBytes: number) => sums?.allProven(pageBytes, (at) => empty.has(at));
  const flip = (bit: number) => {
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  };
  const change = fc.record({ at: fc.nat(BLOCK - 8), lengthBytes: fc.integer({ min: 8, max: 2000 }) });

  it('proves pages of any size, some of them empty; and nothing when one bit or several were changed', () => {
    if (!sums) throw new Error('this runtime has no SIMD');
    fc.assert(
      fc.property(
        fc.constantFrom(...PAGE_SIZES),
        fc.integer(),
        fc.array(fc.nat(63), { maxLength: 5 }),
        fc.array(fc.nat(BLOCK * 8 - 1), { minLength: 1, maxLength: 4 }),
        (pageBytes, seed, emptyPages, bits) => {
          fillPages(pageBytes, seed, emptyPages);
          expect(areProven(pageBytes)).toBe(true);
          for (const bit of new Set(bits)) flip(bit);
          expect(areProven(pageBytes)).toBe(false);
          for (const bit of new Set(bits)) flip(bit);
          expect(areProven(pageBytes)).toBe(true);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('sees ranges that were zeroed, wherever they lie', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PAGE_SIZES), fc.array(change, { minLength: 1, maxLength: 3 }), (pageBytes, changes) => {
        fillPages(pageBytes, 3);
        for (const { at, lengthBytes } of changes) bytes.fill(0, at, Math.min(at + lengthBytes, BLOCK));
        expect(areProven(pageBytes)).toBe(false);
      }),
      { numRuns: 80 },
    );
  });

  // Each of these cancels in one of the two sums.
  it.each(PAGE_SIZES)('sees the same error in all pages of %i bytes, in two of them, and one moved as a page is', (pageBytes) => {
    const bit = (page: number, at: number) => flip(8 * (page * pageBytes + at));
    const pages = BLOCK / pageBytes;
    const errors = [
      () => Array.from({ length: pages }, (_, page) => bit(page, 777)),
      () => [0, 1].map((page) => bit(page, 777)),
      () => [1, pages - 1].map((page) => bit(page, 1000)),
      ...[1, 2, 3].map((apart) => () => [0, apart].map((page) => bit(page, 1000 - 16 * page))),
    ];
    for (const make of errors) {
      fillPages(pageBytes, 5);
      make();
      expect(areProven(pageBytes)).toBe(false);
    }
  });

  it('sees two sectors that were exchanged between pages', () => {
    fillPages(16384, 9);
    const [one, other] = [Buffer.from(bytes.subarray(512, 1024)), Buffer.from(bytes.subarray(16384 + 512, 16384 + 1024))];
    other.copy(bytes, 512);
    one.copy(bytes, 16384 + 512);
    expect(areProven(16384)).toBe(false);
  });

  it.each([1024, 2048, 131072, 3000])('says nothing of pages of %i bytes', (pageBytes) => {
    bytes.fill(0);
    expect(sums?.allProven(pageBytes, () => true)).toBe(false);
  });
});
