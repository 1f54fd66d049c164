import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32c } from '../../../src/bytes/crc32c.js';
import { findMtrEnd } from '../format/mini-transaction.js';
import { MtrIndex } from './mtr-index.js';

/** Bytes that lead on: many short records, few ends, as in logs and in what destroys them. */
const log = fc.array(fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 0x30, max: 0x3f }) }, fc.nat(255), fc.constant(0xff)), {
  minLength: 1,
  maxLength: 600,
});

it('finds the same ends as following each byte, whatever the bytes', () => {
  const index = new MtrIndex();
  fc.assert(
    fc.property(log, fc.nat(100), (values, unfilled) => {
      const bytes = Uint8Array.from(values);
      const filled = Math.max(1, bytes.length - unfilled);
      index.build(bytes, filled);
      for (let at = 0; at < filled; at++) expect(Math.max(-1, index.endOf(at))).toBe(Math.max(-1, findMtrEnd(bytes, at, filled)));
    }),
  );
});

it('knows the CRC of every range', () => {
  const index = new MtrIndex();
  fc.assert(
    fc.property(log, fc.nat(600), fc.nat(600), (values, one, other) => {
      const bytes = Uint8Array.from(values);
      index.build(bytes, bytes.length);
      const [from, to] = [Math.min(one, other, bytes.length), Math.min(Math.max(one, other), bytes.length)];
      expect(index.crc(from, to)).toBe(crc32c(bytes, from, to));
    }),
  );
});

it('is as quick over a mebibyte of one value as over any other', () => {
  const bytes = new Uint8Array(4 << 20).fill(0xff);
  const index = new MtrIndex();
  index.build(bytes, bytes.length);
  let ends = 0;
  for (let at = 0; at < bytes.length; at++) if (index.endOf(at) >= 0) ends++;
  expect(ends).toBe(0);
});
