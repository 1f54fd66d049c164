/** Pages that contradict each other, and pages that only seem to. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BrokenLink, PageLinks } from './page-links.js';

const NONE = 0xffffffff;
const SIZE = 256;

/** Pages by number, each written by one of the functions below; the rest say nothing. */
function broken(pages: Record<number, Buffer>, withParts = true, count = 16): BrokenLink[] {
  const links = new PageLinks(PageLinks.create(count + 4));
  for (const [number, page] of Object.entries(pages)) links.note(4 + Number(number), new DataView(page.buffer, page.byteOffset, SIZE), 0, withParts);
  return [...links.broken(4, 0, count)];
}

function leaf(prev: number, next: number, index = 7, level = 0): Buffer {
  const page = Buffer.from(new ArrayBuffer(SIZE));
  page.writeUInt32BE(prev, 8);
  page.writeUInt32BE(next, 12);
  page.writeUInt16BE(17855, 24);
  page.writeUInt16BE(level, 38 + 26);
  page.writeBigUInt64BE(BigInt(index), 38 + 28);
  return page;
}

function part(next: number, lsn: number): Buffer {
  const page = Buffer.from(new ArrayBuffer(SIZE));
  page.writeBigUInt64BE(BigInt(lsn), 16);
  page.writeUInt16BE(10, 24);
  page.writeUInt32BE(next, 38 + 4);
  return page;
}

describe('leaves of an index', () => {
  it('that know each other are sound, whatever lies between them', () => {
    expect(broken({ 3: leaf(NONE, 9), 9: leaf(3, 5), 5: leaf(9, NONE) })).toEqual([]);
  });

  it('of which one was split or removed since are found from both sides', () => {
    // 4 was put between 3 and 5: page 3 as it was before, then page 5 as it was before.
    expect(broken({ 3: leaf(NONE, 5), 4: leaf(3, 5), 5: leaf(4, NONE) })).toEqual([
      { page: 3, other: 5 },
      { page: 4, other: 3 },
    ]);
    expect(broken({ 3: leaf(NONE, 4), 4: leaf(3, 5), 5: leaf(3, NONE) })).toEqual([
      { page: 4, other: 5 },
      { page: 5, other: 3 },
    ]);
  });

  it('are not held against other indexes, other levels, pages elsewhere, and pages that say nothing', () => {
    expect(broken({ 3: leaf(NONE, 5), 5: leaf(8, NONE, 6) })).toEqual([]);
    expect(broken({ 3: leaf(NONE, 5), 5: leaf(8, NONE, 7, 1) })).toEqual([]);
    expect(broken({ 3: leaf(99, 16), 15: leaf(99, 0x80000000) })).toEqual([]);
    expect(broken({ 3: leaf(2, 4) })).toEqual([]);
    expect(broken({ 3: leaf(NONE, 5), 5: part(NONE, 1) })).toEqual([]);
  });
});

describe('pages of a long value', () => {
  it('are never older than the page before them', () => {
    expect(broken({ 3: part(4, 100), 4: part(5, 100), 5: part(NONE, 2 ** 33) })).toEqual([]);
    expect(broken({ 3: part(4, 2 ** 33), 4: part(NONE, 100) })).toEqual([{ page: 4, other: 3 }]);
  });

  it('are not compared where LSNs say nothing', () => {
    expect(broken({ 3: part(4, 200), 4: part(NONE, 100) }, false)).toEqual([]);
  });
});

describe('links', () => {
  it('of any pages stay within the file', () => {
    const page = fc.oneof(
      fc.tuple(fc.nat(20), fc.nat(20)).map(([prev, next]) => leaf(prev, next)),
      fc.tuple(fc.nat(20), fc.nat(9)).map(([next, lsn]) => part(next, lsn)),
    );
    fc.assert(
      fc.property(fc.array(page, { maxLength: 16 }), (pages) => {
        for (const { page: found, other } of broken({ ...pages })) expect(Math.max(found, other)).toBeLessThan(16);
      }),
    );
  });

  it('are kept of so many pages as memory allows', () => {
    expect(PageLinks.create(1e9).byteLength).toBe(64 * 1024 * 1024);
  });
});
