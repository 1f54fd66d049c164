import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockTable } from '../../../src/bytes/block-table.js';
import { crc32c } from '../../../src/bytes/crc32c.js';
import { FormatError } from '../../../src/errors.js';
import { type PageForm, PageProofs } from '../page-proof.js';
import { createVerifier, type PageDetail } from '../page-verifier.js';
import { justMadeSpace } from '../testing/build-space.js';
import { extentPages, readDescriptors } from './free-map.js';
import { legacyChecksum, zipChecksum } from './legacy-checksum.js';
import { parseSpaceHeader } from './space-flags.js';

const SIZE = 16384;
const FULL: PageForm = { pageBytes: SIZE, fullCrc32: true, zip: false, family: 'mariadb' };
const LEGACY: PageForm = { ...FULL, fullCrc32: false };

function page(number: number, space: number, lsn: number, fill = 9): Buffer {
  const bytes = Buffer.alloc(SIZE, fill);
  bytes.fill(0, 0, 38);
  bytes.writeUInt32BE(number, 4);
  bytes.writeUInt32BE(lsn, 20);
  bytes.writeUInt16BE(17855, 24);
  bytes.writeUInt32BE(space, 34);
  return bytes;
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(bytes.readUInt32BE(20), SIZE - 8);
  bytes.writeUInt32BE(crc32c(bytes, 0, SIZE - 4), SIZE - 4);
  return bytes;
}

function sealedLegacy(bytes: Buffer): Buffer {
  const sum = (crc32c(bytes, 4, 26) ^ crc32c(bytes, 38, SIZE - 8)) >>> 0;
  bytes.writeUInt32BE(sum, 0);
  bytes.writeUInt32BE(sum, SIZE - 8);
  bytes.writeUInt32BE(bytes.readUInt32BE(20), SIZE - 4);
  return bytes;
}

function proofOf(form: PageForm, bytes: Buffer): string {
  const proofs = new PageProofs(65536);
  proofs.buffer.set(bytes);
  proofs.prepare(form, 1);
  return proofs.proof(form, 0);
}

describe('the checksum of a page', () => {
  it('of either form finds every changed bit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 38, max: SIZE - 9 }), fc.nat(7), (at, bit) => {
        for (const [form, bytes] of [
          [FULL, sealed(page(3, 5, 77))],
          [LEGACY, sealedLegacy(page(3, 5, 77))],
        ] as const) {
          expect(proofOf(form, bytes)).toBe('good');
          bytes[at] = (bytes[at] as number) ^ (1 << bit);
          expect(proofOf(form, bytes)).toBe('bad');
        }
      }),
      { numRuns: 30 },
    );
  });

  it('may be switched off, and is hidden where a page is encrypted', () => {
    const off = sealedLegacy(page(3, 5, 77));
    off.writeUInt32BE(0xdeadbeef, 0);
    off.writeUInt32BE(0xdeadbeef, SIZE - 8);
    expect(proofOf(LEGACY, off)).toBe('off');
    const encrypted = page(3, 5, 77);
    encrypted.writeUInt32BE(1, 26);
    expect(proofOf(LEGACY, encrypted)).toBe('hidden');
    const mysql = page(3, 5, 77);
    mysql.writeUInt16BE(15, 24);
    expect(proofOf({ ...LEGACY, family: 'mysql' }, mysql)).toBe('hidden');
  });

  it('of a page that MariaDB compressed lies where the page ends', () => {
    const bytes = page(3, 5, 77);
    bytes.writeUInt16BE(0x8000 | 4, 24);
    bytes.writeUInt32BE(crc32c(bytes, 0, 1020), 1020);
    expect(proofOf(FULL, bytes)).toBe('good');
    bytes[500] = 1;
    expect(proofOf(FULL, bytes)).toBe('bad');
  });

  it('never throws, whatever the page holds', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        fc.constantFrom(1024, 4096, SIZE),
        fc.boolean(),
        fc.boolean(),
        (noise, pageBytes, fullCrc32, zip) => {
          const bytes = Buffer.alloc(SIZE, 3);
          bytes.set(noise);
          expect(['good', 'bad', 'hidden', 'off']).toContain(proofOf({ pageBytes, fullCrc32, zip, family: 'mysql' }, bytes));
          const view = new DataView(bytes.buffer, bytes.byteOffset, SIZE);
          legacyChecksum(bytes, view, 0, pageBytes, 1);
          zipChecksum(bytes, view, 0, pageBytes, 1);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('descriptors', () => {
  it('of one extent name its free pages', () => {
    const bytes = Buffer.alloc(SIZE);
    bytes.writeUInt16BE(8, 24);
    bytes.writeUInt32BE(2, 150 + 20);
    bytes[150 + 24] = 0b01000000; // the fourth page: bits come in pairs, the first says free
    const free: number[] = [];
    readDescriptors(bytes, 0, SIZE, SIZE, 70, (number) => free.push(number));
    expect(free).toEqual([3, ...Array.from({ length: 6 }, (_, i) => 64 + i)]);
    expect([4096, 8192, 16384, 65536].map(extentPages)).toEqual([256, 128, 64, 64]);
  });

  it('of anything stay within the file', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 200, maxLength: 200 }), fc.nat(5000), fc.constantFrom(1024, 4096, SIZE), (noise, pages, pageBytes) => {
        const bytes = Buffer.alloc(pageBytes);
        bytes.set(noise.subarray(0, 200));
        bytes.writeUInt32BE(0, 4);
        bytes.writeUInt16BE(8, 24);
        readDescriptors(bytes, 0, pageBytes, 16384, pages, (number) => expect(number).toBeLessThan(pages));
      }),
    );
  });
});

describe('the header of a tablespace', () => {
  it('is one before MySQL gave it its type, and none when it is empty', () => {
    const head = justMadeSpace(12, 1);
    expect(parseSpaceHeader(head)).toMatchObject({ space: 12, sizePages: 0, freeLimit: 0 });
    expect(() => parseSpaceHeader(Buffer.alloc(SIZE))).toThrow(FormatError);
    head.writeUInt32BE(4711, 20);
    expect(() => parseSpaceHeader(head)).toThrow(FormatError);
  });
});

describe('the page verifier', () => {
  const detail: PageDetail = {
    ...FULL,
    path: 'a.ibd',
    space: 5,
    relation: 0,
    firstPage: 0,
    firstBit: 0,
    isNew: false,
    perhapsDropped: false,
    links: 'all',
    copies: [{ from: 6, to: 7 }],
  };

  function verify(pages: Buffer[], prepare: (table: BlockTable, free: Uint8Array) => void = () => {}, changes: Partial<PageDetail> = {}) {
    const table = new BlockTable();
    const freeMap = new SharedArrayBuffer(64);
    prepare(table, new Uint8Array(freeMap));
    const shared = { table: table.shared, freeMap, touched: new BlockTable().shared, links: null };
    const verifier = createVerifier({ newestLsn: 1000, pagesKnown: true, ...shared });
    verifier.buffer.set(Buffer.concat(pages));
    verifier.verify({ detail: { ...detail, ...changes }, offset: 0, lengthBytes: pages.length * SIZE, fileBytes: pages.length * SIZE });
    const { kinds, ...counts } = verifier.takeResult();
    return {
      counts,
      kinds: Object.fromEntries(Object.entries(kinds).flatMap(([kind, tally]) => (tally.count ? [[kind, tally.examples.map(({ block }) => block)]] : []))),
    };
  }

  const sound = () => Array.from({ length: 8 }, (_, i) => sealed(page(i, 5, 100 + i)));

  it('passes sound pages, copies of others, free ones, and what is restored', () => {
    const pages = sound();
    pages[1] = page(9, 9, 9); // free
    pages[2] = Buffer.alloc(SIZE); // made anew by the log
    pages[6] = sealed(page(77, 8, 1)); // in the doublewrite buffer
    const { kinds, counts } = verify(pages, (table, free) => {
      free[0] = 2;
      table.renew(0, 2);
      table.require(0, 3, 103);
    });
    expect(kinds).toEqual({});
    expect(counts).toMatchObject({ pages: 8, freePages: 1, zeroPages: 1, doublewritePages: 1, loggedPages: 5, requiredPages: 1, maxLsn: 107 });
  });

  it('passes a file that is just being made', () => {
    const blank = Array.from({ length: 4 }, () => Buffer.alloc(SIZE));
    expect(verify(blank).kinds).toEqual({ zeroed: [0, 1, 2, 3] });
    expect(verify(blank, (table) => table.renew(0, 0), { isNew: true }).kinds).toEqual({});
  });

  it('doubts stale pages of a tablespace that may just have been deleted', () => {
    const { kinds } = verify(sound(), (table) => table.require(0, 3, 500), { perhapsDropped: true });
    expect(kinds).toEqual({ doubtful: [3] });
  });

  it('finds each kind of damage at its place', () => {
    const pages = sound();
    (pages[0] as Buffer)[5000] = 1;
    pages[1] = sealed(page(2, 5, 100));
    pages[2] = Buffer.alloc(SIZE);
    pages[3] = sealed(page(3, 5, 1001));
    (pages[4] as Buffer)[5000] = 1;
    (pages[5] as Buffer)[5000] = 1;
    const { kinds } = verify(pages, (table) => {
      table.renew(0, 4);
      table.noteCopy(0, 5);
      table.noteCopy(0, 1); // a page that is whole is not replaced from there
      table.require(0, 7, 108);
    });
    expect(kinds).toEqual({ checksum: [0], identity: [1], zeroed: [2], newer: [3], restored: [4], copied: [5], stale: [7] });
  });
});
