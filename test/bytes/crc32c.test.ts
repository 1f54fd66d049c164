import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.js';
import { crc32cStream } from '../../src/bytes/crc32c-stream.js';
import { crc32cByTables } from '../../src/bytes/crc32c-tables.js';

/** RFC 3720 appendix B.4, and the usual check value. */
const VECTORS: [string, Buffer, number][] = [
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['nothing', Buffer.alloc(0), 0],
  ['32 zeroes', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['32 rising', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['32 falling', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
];

function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('CRC-32C', () => {
  it.each(VECTORS)('of %s', (_name, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it('equals the bit-by-bit definition, also continued at any place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), fc.nat(1500), (bytes, cut) => {
        const at = Math.min(cut, bytes.length);
        expect(crc32c(bytes)).toBe(bitwise(bytes));
        expect(crc32c(bytes, at, bytes.length, crc32c(bytes, 0, at))).toBe(bitwise(bytes));
      }),
    );
  });

  it('is the same by tables and by folding, of any length, continued or not', () => {
    const lengths = fc.oneof(fc.nat(70), fc.nat(5000), fc.integer({ min: 65530, max: 65542 }), fc.nat(200_000));
    fc.assert(
      fc.property(lengths, fc.nat(100), fc.integer(), (length, start, seed) => {
        const bytes = new Uint8Array(start + length + 10);
        for (let i = 0, state = seed | 1; i < bytes.length; i++) {
          state = (Math.imul(state, 1664525) + 1013904223) | 0;
          bytes[i] = state >>> 24;
        }
        const expected = crc32cByTables(bytes, start, start + length, seed >>> 0);
        expect(crc32cStream(bytes, start, start + length, seed >>> 0)).toBe(expected);
        expect(crc32c(bytes, start, start + length, seed >>> 0)).toBe(expected);
      }),
    );
  });
});
