/** The parsers: what they give for built bytes, and that hostile bytes never take them out of bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problems } from '../../../src/bytes/problems.js';
import { BufferSource } from '../../../src/bytes/source.js';
import { PageBits, spaceExtent } from '../space.js';
import { database, logFile, seal, segment, TABLE_ROOT } from '../testing/build.js';
import { TreeWalker } from '../tree.js';
import { catalogueEntry } from './catalogue.js';
import { eccSum, flippedBit } from './checksum.js';
import { headerSumFits, parseHeader } from './header.js';
import { parseCheckpoint, parseLogHeader, SEGMENT_BYTES, segmentKind } from './log-header.js';
import { nodeAt, pageHeader, rootHeader, tagBytes, verifySum } from './page.js';

/** Page `number` of a file, as the page pass sees it. */
function verdict(file: Buffer, number: number, pageBytes: number) {
  const { buffer } = new Uint8Array(file.subarray((number + 1) * pageBytes, (number + 2) * pageBytes));
  return verifySum(new DataView(buffer), new Int32Array(buffer), 0, number, pageBytes, 48);
}

describe('the ECC sum', () => {
  it('is that of a page of zeroes and that of one bit, as the definition says', () => {
    const words = new Int32Array(1024);
    expect(eccSum(words, 0, 1024, 7, true)).toEqual({ xor: 7, ecc: 0 });
    words[100] = 1 << 5;
    const bit = 100 * 32 + 5;
    expect(eccSum(words, 0, 1024, 0, true)).toEqual({ xor: 32, ecc: ((((~bit & 0x7fff) << 16) | bit) >>> 0) as number });
  });

  it('finds the bit that was flipped, and none when there are more', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4096, maxLength: 4096 }),
        fc.integer({ min: 64, max: 32767 }),
        fc.integer({ min: 64, max: 32767 }),
        (bytes, one, two) => {
          const words = new Int32Array(new Uint8Array(bytes).buffer);
          const stored = eccSum(words, 0, 1024, 9, true);
          const flip = (bit: number) => {
            words[bit >> 5] = (words[bit >> 5] ?? 0) ^ (1 << (bit & 31));
          };
          flip(one);
          expect(flippedBit(stored, eccSum(words, 0, 1024, 9, true), 1024)).toBe(one);
          flip(two);
          expect(flippedBit(stored, eccSum(words, 0, 1024, 9, true), 1024)).toBe(null);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('pages', () => {
  it.each([4096, 8192, 16384, 32768])('of %i bytes: every block is protected, and the number of the page', (pageBytes) => {
    const file = database({ pageBytes });
    const at = (TABLE_ROOT + 1) * pageBytes;
    expect(verdict(file, TABLE_ROOT, pageBytes)).toEqual({ kind: 'sound' });
    for (let block = 0; block < 4; block++) {
      const damaged = Buffer.from(file);
      Buffer.from('damage').copy(damaged, at + block * (pageBytes / 4) + 100);
      expect(verdict(damaged, TABLE_ROOT, pageBytes).kind).toBe('damaged');
    }
    const moved = Buffer.from(file);
    seal(moved, TABLE_ROOT, pageBytes, 12);
    expect(verdict(moved, TABLE_ROOT, pageBytes)).toEqual({ kind: 'misplaced', page: 12 });
  });

  it('of the old format carry a XOR and their number', () => {
    const file = database({ oldSum: true });
    expect(verdict(file, 4, 4096)).toEqual({ kind: 'sound' });
    const moved = Buffer.from(file);
    seal(moved, 4, 4096, 9);
    expect(verdict(moved, 4, 4096)).toEqual({ kind: 'misplaced', page: 9 });
    file[5 * 4096 + 300] = 0x77;
    expect(verdict(file, 4, 4096)).toEqual({ kind: 'damaged' });
  });

  it('name their nodes, and the root its space', () => {
    const file = database();
    const root = file.subarray(2 * 4096, 3 * 4096);
    expect(rootHeader(root, 1)).toEqual({ parent: 0, spacePage: 2 });
    const extended = Buffer.from(root);
    Buffer.from('030a000000010000000100000002000000ffffffffffffffff', 'hex').copy(extended, 40);
    extended.writeUInt16LE(25, 4092);
    expect(rootHeader(extended, 1)).toEqual({ parent: 1, spacePage: 2 });
    const branch = file.subarray((TABLE_ROOT + 1) * 4096, (TABLE_ROOT + 2) * 4096);
    expect(nodeAt(branch, 1, 7)?.data.readUInt32LE(0)).toBe(TABLE_ROOT + 1);
  });
});

describe('log segments', () => {
  const kind = (file: Buffer, sector: number, generation: number) =>
    segmentKind(new Int32Array(new Uint8Array(file).buffer), (sector * SEGMENT_BYTES) / 4, sector, generation);

  it('are told apart: of this generation, of an earlier one, copies, damage', () => {
    const file = logFile({ generation: 8, filled: 3, before: 6 });
    expect([1, 3, 4].map((sector) => kind(file, sector, 8))).toEqual(['valid', 'valid', 'old']);
    segment(file, 3, 8, 4);
    expect(kind(file, 4, 8)).toBe('shadow');
    expect(kind(file, 4, 9)).toBe('old');
    expect(kind(file, 2, 5)).toBe('wrong');
    file[2 * SEGMENT_BYTES + 200] = 0;
    file[2 * SEGMENT_BYTES + 201] = 0;
    expect(kind(file, 2, 8)).toBe('damaged');
  });
});

describe('hostile bytes', () => {
  const bytes = (length: number) => fc.uint8Array({ maxLength: length, size: 'max' }).map((array) => Buffer.from(array));

  it('never escape the parsers', () => {
    fc.assert(
      fc.property(bytes(9000), fc.nat(5000), (input, index) => {
        const magic = Buffer.concat([Buffer.alloc(4), Buffer.from('efcdab89', 'hex'), input]);
        const header = parseHeader(magic);
        if (header) headerSumFits(magic, header.pageBytes);
        parseLogHeader(input);
        parseCheckpoint(input);
        catalogueEntry(input);
        spaceExtent(input.subarray(0, 4), input.subarray(4, 8));
        const page = Buffer.concat([input, Buffer.alloc(4096)]).subarray(0, 4096);
        const { tags } = pageHeader(new DataView(page.buffer, page.byteOffset, 4096), 0);
        tagBytes(page, index, tags);
        nodeAt(page, index, tags);
        rootHeader(page, tags);
      }),
      { numRuns: 300 },
    );
  });

  it('end every walk, whatever pages are sealed with', async () => {
    const sound = database();
    const change = fc.record({
      page: fc.integer({ min: 1, max: 36 }),
      at: fc.integer({ min: 8, max: 4095 }),
      data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const file = Buffer.from(sound);
        for (const { page, at, data } of changes) {
          file.set(data.subarray(0, 4096 - at), (page + 1) * 4096 + at);
          seal(file, page, 4096);
        }
        const walker = new TreeWalker(new BufferSource(file), 4096, new Problems(), 'f');
        await walker.walk(new AbortController().signal, () => undefined);
        expect(walker.facts.pages).toBeLessThanOrEqual(48);
      }),
      { numRuns: 200 },
    );
  });

  it('name ranges without end, and little is done', () => {
    const bits = new PageBits(1000);
    for (let i = 0; i < 1000; i++) bits.addRange(1, 0xffffffff);
    expect(bits.common(bits, 5000)).toHaveLength(1000);
  });
});
