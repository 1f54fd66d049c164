import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/source.js';
import { readMetas } from '../format/meta.js';
import { parseBucket, parseElements, parseHead } from '../format/page.js';
import check from './index.js';

describe('pages', () => {
  it('of another number, another kind or with too many entries are refused', () => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt16LE(2, 8);
    bytes.writeUInt16LE(500, 10);
    expect(() => parseHead(bytes, 7)).toThrow('bears the number 0');
    expect(() => parseElements(bytes, parseHead(bytes, 0))).toThrow('500 entries');
    expect(() => parseElements(bytes, { flags: 4, count: 0, overflow: 0 })).toThrow('kind 4');
    expect(() => parseBucket(Buffer.alloc(8))).toThrow('too short');
  });

  it('that are no meta pages give none, whatever their length', async () => {
    for (const length of [0, 10, 80, 5000]) expect(await readMetas(new BufferSource(Buffer.alloc(length)))).toEqual([null, null]);
  });
});

it('judges a store that vanished as open, not as passed', () => {
  const judged = check.evaluate(
    { volume: 'v', path: '/x', readable: false, sizeBytes: 0, pageBytes: 0, transaction: 0, walk: null, problems: { counts: {}, examples: [] } },
    {},
  );
  expect(judged).toMatchObject({ instanceState: 'unknown', untested: [{ holdsData: true }] });
});
