/** Records of MySQL 5.7 as its sources describe them: each is as long as its type and body say. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkpoint57, group57, record57 } from '../testing/build-log.js';
import { BAD, type MtrVisitor, SHORT } from './mini-transaction.js';
import { findGroupEnd, freedPages, visitGroup } from './mysql-57-group.js';
import { Records57 } from './mysql-57-record.js';

const INDEX = [0, 2, 0, 1, 0x80, 4, 0, 0]; // two fields, one unique
const VERSIONS = [3, 1, 2, 3, 4, 5, 6, 7, 0x85, 0x12, 0, 0, 0, 9]; // position, roll pointer, a transaction in 64 bits
const text = (name: string) => [0, name.length + 1, ...Buffer.from(name), 0];

/** Type, body, in words. */
const BODIES: [number, number[], string][] = [
  [1, [0, 60, 7], 'one byte'],
  [2, [0, 60, 0x80, 200], 'two bytes'],
  [4, [0, 60, 0xf0, 0xff, 0xff, 0xff, 0xff], 'four bytes'],
  [8, [0, 60, 0xe1, 2, 3, 4, 9, 9, 9, 9], 'eight bytes'],
  [9, [0, 99, 6, 1, 2, 3], 'a row like the one before'],
  [38, [...INDEX, 0, 99, 7, 0x20, 5, 0x80, 200, 1, 2, 3], 'another row, with the layout of its index'],
  [10, [0, 1, ...VERSIONS, 0, 99], 'a row marked as deleted'],
  [39, [...INDEX, 0, 1, ...VERSIONS, 0, 99], 'the same, with the layout'],
  [11, [1, 0, 99], 'the same in a secondary index'],
  [13, [0, ...VERSIONS, 0, 99, 0, 2, 3, 2, 8, 8, 4, 0xf0, 0xff, 0xff, 0xff, 0xff], 'two fields changed, one to nothing'],
  [41, [...INDEX, 0, ...VERSIONS, 0, 99, 0, 1, 3, 2, 8, 8], 'the same, with the layout'],
  [14, [0, 99], 'a row removed'],
  [42, [...INDEX, 0, 99], 'the same, with the layout'],
  [43, [...INDEX, 0, 99], 'rows up to the end removed'],
  [44, [...INDEX, 0, 99], 'rows from the beginning removed'],
  [45, [...INDEX, 0, 0, 0, 3, 1, 2, 3], 'rows copied into a new page'],
  [46, INDEX, 'a page put in order'],
  [19, [], 'a page of an index begun'],
  [37, [], 'the same of another row format'],
  [20, [0, 3, 7, 7, 7], 'a record in an undo log'],
  [21, [], 'the rest of an undo page erased'],
  [22, [1], 'an undo page begun'],
  [23, [], 'the newest undo log thrown away'],
  [24, [1, 0, 0, 0, 9], 'the head of an undo log used again'],
  [25, [1, 0, 0, 0, 9], 'the head of an undo log made'],
  [36, [0, 99], 'the first row of a level'],
  [27, [], 'a bitmap begun'],
  [30, [0, 60, 0, 4, 1, 2, 3, 4], 'bytes of a page'],
  [48, [0, 99, 1, 0, 1, 2, 3, 4], 'a node pointer of a compressed page'],
  [49, [0, 99, 1, 0, ...Array(20).fill(5)], 'a reference in a compressed page'],
  [50, [38, 2, 9, 9], 'bytes of a compressed page header'],
  [51, [0, 2, 0, 1, ...Array(8).fill(1), 2, 2, 3], 'a page as it was compressed'],
  [52, [...INDEX, 6], 'a page compressed again'],
  [53, [...INDEX, 6], 'a compressed page put in order'],
  [59, [], 'a page begun'],
];

const end = (bytes: Buffer, limit = bytes.length) => findGroupEnd(new Records57(), bytes, 0, limit);

function visited(bytes: Buffer): string[] {
  const seen: string[] = [];
  const visitor: MtrVisitor = {
    write: (space, page) => seen.push(`write ${space}:${page}`),
    init: () => seen.push('init'),
    free: () => seen.push('free'),
    release: (space, page) => seen.push(`release ${space}:${page}`),
    trim: (space, page) => seen.push(`trim ${space}:${page}`),
    file: (what, space, name, to) => seen.push(`${what} ${space} ${name}${to ? ` ${to}` : ''}`),
    checkpoint: (lsn) => seen.push(`checkpoint ${lsn}`),
  };
  expect(visitGroup(new Records57(), bytes, 0, bytes.length, 16384, visitor)).toBe(true);
  return seen;
}

describe('a record of MySQL 5.7', () => {
  it.each(BODIES)('of type %i is as long as its body: %3$s', (type, body) => {
    const alone = group57(record57(type, 7, 300, body));
    const together = group57(record57(type, 7, 300, body), record57(59, 7, 301));
    expect(end(Buffer.concat([alone, Buffer.from([0xff])]))).toBe(alone.length);
    expect(end(together)).toBe(together.length);
    expect(visited(alone)).toEqual(['write 7:300']);
    for (let limit = 0; limit < alone.length; limit++) expect(end(alone, limit)).toBe(SHORT);
  });

  it('of a file names it and changes no page', () => {
    expect(visited(group57(record57(55, 7, 0, text('./shop/orders.ibd'))))).toEqual(['modify 7 ./shop/orders.ibd']);
    expect(visited(group57(record57(35, 7, 0, text('./a/b.ibd'))))).toEqual(['delete 7 ./a/b.ibd']);
    expect(visited(group57(record57(47, 7, 0, [0, 0, 0, 0x21, ...text('./a/b.ibd')])))).toEqual(['create 7 ./a/b.ibd']);
    expect(visited(group57(record57(54, 7, 0, [...text('./a/b.ibd'), ...text('./a/c.ibd')])))).toEqual(['rename 7 ./a/b.ibd ./a/c.ibd']);
    expect(visited(group57(record57(60, 7, 0, Array(8).fill(1))))).toEqual(['trim 7:0']);
    expect(visited(group57(record57(61, 7, 0, Array(8).fill(1))))).toEqual([]);
    expect(visited(checkpoint57(5_000_000_000))).toEqual(['checkpoint 5000000000']);
  });

  it('of no known type, or where none may be, is none', () => {
    expect(end(Buffer.from([0x80 | 28, 1, 1]))).toBe(BAD);
    expect(end(Buffer.from([31]))).toBe(BAD);
    expect(end(Buffer.from([31 | 0x80]))).toBe(BAD);
    expect(end(Buffer.concat([record57(59, 1, 1), checkpoint57(9)]))).toBe(BAD);
    expect(end(Buffer.from([59 | 0x80, 0xf8, 1]))).toBe(BAD);
  });

  it('that says which pages of an extent are free gives them free', () => {
    // Extent 1 of the first descriptor page: 150 + 40 + 24 is its first byte of four pages.
    expect(freedPages(0, 214, 1, 0b01000110, 64)).toEqual([64 + 1, 64 + 3]);
    expect(freedPages(16384, 150 + 24 + 4, 4, 0xffffffff, 64)).toEqual(Array.from({ length: 16 }, (_, i) => 16384 + 16 + i));
    expect(freedPages(0, 46, 4, 0xffffffff, 64)).toEqual([]);
    expect(freedPages(0, 150 + 20, 4, 1, 64)).toEqual([]);
    expect(visited(group57(record57(1, 7, 0, [0, 214, 1])))).toEqual(['write 7:0', 'release 7:64']);
    expect(visited(group57(record57(1, 7, 3, [0, 214, 1])))).toEqual(['write 7:3']);
  });

  it('of any bytes is read within its bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (noise, start) => {
        const bytes = Buffer.from(noise);
        const at = Math.min(start, bytes.length);
        const found = findGroupEnd(new Records57(), bytes, at, bytes.length);
        expect(found === SHORT || found === BAD || (found > at && found <= bytes.length)).toBe(true);
        if (found > 0) visitGroup(new Records57(), bytes, at, found, 4096, { ...nobody });
      }),
      { numRuns: 3000 },
    );
  });
});

const nobody: MtrVisitor = { write: () => {}, init: () => {}, free: () => {}, release: () => {}, trim: () => {}, file: () => {}, checkpoint: () => {} };
