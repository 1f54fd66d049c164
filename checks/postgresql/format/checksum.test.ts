import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPageChecksums, pageChecksum } from './checksum.js';

const PAGE = 8192;

describe('page checksum', () => {
  it('in SIMD equals the plain definition for any page and block, and leaves the pages as they were', () => {
    const simd = createPageChecksums(2 * PAGE, PAGE);
    expect(simd.how).toBe('simd');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: PAGE, maxLength: PAGE }), fc.nat(0xfffffffe), (page, block) => {
        simd.buffer.set(page, 0);
        simd.buffer.set(
          page.map((byte) => byte ^ 0x5a),
          PAGE,
        );
        const sums = simd.compute(2, block);
        expect(sums[0]).toBe(pageChecksum(page, block));
        expect(sums[1]).toBe(pageChecksum(simd.buffer.subarray(PAGE), block + 1));
        expect(Buffer.compare(simd.buffer.subarray(0, PAGE), page)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('does the same without SIMD', () => {
    const plain = createPageChecksums(PAGE, PAGE, false);
    expect(plain.how).toBe('plain');
    plain.buffer.fill(7);
    expect(plain.compute(1, 9)[0]).toBe(pageChecksum(plain.buffer, 9));
  });

  it('ignores the stored checksum and depends on every other byte', () => {
    const page = Uint8Array.from({ length: PAGE }, (_, i) => (i * 31) & 255);
    const before = pageChecksum(page, 3);
    page[8] = 1;
    page[9] = 2;
    expect(pageChecksum(page, 3)).toBe(before);
    page[5000] = (page[5000] ?? 0) ^ 1;
    expect(pageChecksum(page, 3)).not.toBe(before);
  });
});
