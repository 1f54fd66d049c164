import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.js';
import { prepareMessage, STREAM_MARGIN_BYTES, streamIn } from '../../src/bytes/crc32c-stream.js';
import { WasmSpace } from '../../src/bytes/wasm-engine.js';

const BUFFER = 65536;

describe('CRC-32C of messages in a row', () => {
  const space = new WasmSpace(BUFFER);
  const stream = streamIn(space);
  const { buffer } = space;

  /** Messages of these lengths from `from` on, each with a byte and its checksum behind it. */
  function write(from: number, lengths: number[], seed: number): number {
    let state = seed | 1;
    const next = () => {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
      return state & 255;
    };
    let at = from;
    for (const length of lengths) {
      for (let i = 0; i < length; i++) buffer[at + i] = next();
      buffer[at + length] = 1;
      new DataView(buffer.buffer).setUint32(at + length + 1, crc32c(buffer, at, at + length));
      at += length + 5;
    }
    return at;
  }

  function isProven(from: number, lengths: number[]): boolean {
    let at = from;
    for (const length of lengths) {
      prepareMessage(buffer, at, at + length);
      at += length + 5;
    }
    return stream.remainder(from, at) === 0;
  }

  const someLengths = fc.oneof(
    fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }),
    fc.array(fc.nat(300), { minLength: 1, maxLength: 100 }),
    fc.array(fc.nat(8000), { minLength: 1, maxLength: 7 }),
  );
  const from = fc.integer({ min: STREAM_MARGIN_BYTES, max: STREAM_MARGIN_BYTES + 100 });

  it('is proven of any number of any length anywhere, whatever lies around; and never when a bit or several were changed', () => {
    fc.assert(
      fc.property(from, someLengths, fc.integer(), fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), (start, lengths, seed, bits) => {
        buffer.fill(seed);
        const end = write(start, lengths, seed);
        const original = buffer.slice();
        expect(isProven(start, lengths)).toBe(true);
        expect(Buffer.compare(buffer.subarray(end), original.subarray(end))).toBe(0);
        buffer.set(original);
        // the byte between a message and its checksum does not count
        const gaps = new Set(lengths.map((_, i) => start + lengths.slice(0, i + 1).reduce((sum, length) => sum + length + 5, 0) - 5));
        const places = [...new Set(bits.map((bit) => bit % ((end - start) * 8)))].filter((bit) => !gaps.has(start + (bit >> 3)));
        for (const bit of places) buffer[start + (bit >> 3)] = (buffer[start + (bit >> 3)] as number) ^ (1 << (bit & 7));
        expect(isProven(start, lengths)).toBe(places.length === 0);
      }),
      { numRuns: 300 },
    );
  });

  it('sees two messages exchanged', () => {
    const lengths = [100, 100, 100];
    write(STREAM_MARGIN_BYTES, lengths, 5);
    const [one, other] = [buffer.slice(STREAM_MARGIN_BYTES, STREAM_MARGIN_BYTES + 50), buffer.slice(STREAM_MARGIN_BYTES + 105, STREAM_MARGIN_BYTES + 155)];
    buffer.set(other, STREAM_MARGIN_BYTES);
    buffer.set(one, STREAM_MARGIN_BYTES + 105);
    expect(isProven(STREAM_MARGIN_BYTES, lengths)).toBe(false);
  });
});
