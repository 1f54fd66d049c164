import { expect, it } from 'vitest';
import { Crc64 } from '../../src/bytes/crc64.js';

const crcOf = (...parts: Buffer[]) => {
  const crc = new Crc64();
  for (const part of parts) crc.update(part);
  return crc.value;
};

it('gives the published check value, in one piece or in several', () => {
  const text = Buffer.from('123456789');
  expect(crcOf(text)).toBe('e9c6d914c4b8d9ca');
  expect(crcOf(text.subarray(0, 3), text.subarray(3))).toBe('e9c6d914c4b8d9ca');
});

it('takes eight bytes at once as it takes single ones', () => {
  const data = Buffer.from(Array.from({ length: 1003 }, (_, i) => (i * 7919) & 255));
  expect(crcOf(data)).toBe(crcOf(...[...data].map((byte) => Buffer.of(byte))));
});
