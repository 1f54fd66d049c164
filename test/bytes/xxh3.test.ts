import fc from 'fast-check';
import { expect, it } from 'vitest';
import { xxh3 } from '../../src/bytes/xxh3.js';

/** What another implementation (hash-wasm 4.13) says of so many bytes of a fixed sequence. */
const KNOWN: [number, string][] = [
  [0, '2d06800538d394c2'],
  [1, '74d3766ca02423f3'],
  [3, '9e77e470a7018920'],
  [4, '093645744145d7e3'],
  [8, '854c59bc83f9a7b7'],
  [9, 'fb2102f80bd05046'],
  [16, '294d5381d3d9f990'],
  [17, '79770199644b19d3'],
  [128, '7a255dc3181c5ede'],
  [129, '074f486ff94b8e7d'],
  [240, '414bbb0678ea02e0'],
  [241, 'ef60a4fc8b25f1cc'],
  [1023, '78d83b4028b26105'],
  [1024, '53de00d98ba8bad5'],
  [1025, 'de126c62f3f1d23e'],
  [1088, '3e236c374f22b41b'],
  [1089, '1e3f1eace339e22f'],
  [4096, 'acf8c0a7adc95ae3'],
  [65537, '1c0a4936f84435ce'],
  [131072, '76af8f89990cd6f9'],
  [1000000, '0e88438e815b2547'],
];

function sequence(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 0x9e3779b1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

it.each(KNOWN)('of %i bytes is what others make of it, with SIMD and without', (length, hash) => {
  for (const simd of [true, false]) expect(xxh3(sequence(length), simd).toString(16).padStart(16, '0')).toBe(hash);
});

it('is the same with SIMD and without, whatever was hashed before', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9000, size: 'max' }), (bytes) => {
      expect(xxh3(bytes)).toBe(xxh3(bytes, false));
    }),
  );
});
