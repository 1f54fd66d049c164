import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/bytes/crc32c.js';
import { CATALOGUE_LAYOUTS, type CatalogueLayout, readClassRow, readDatabaseRow, readIndexRow, readTablespaceRow } from './catalogue.js';
import { heapTuples, ROW } from './heap.js';
import { parseRelationMap } from './relation-map.js';
import { parseTransactionEnd } from './transaction-record.js';

const PAGE = 8192;
const layoutOf = (version: number): CatalogueLayout => CATALOGUE_LAYOUTS[version] as CatalogueLayout;

/** Where the columns stand by the published definitions: worked out by hand, not by the code under test. */
const CLASS = [
  { versions: [201809051], oid: null, name: 0, am: 80, node: 84, space: 88, pages: 92, shared: 109, persistence: 110, kind: 111, bytes: 112 },
  {
    versions: [201909212, 202007201, 202107181, 202209061, 202307071, 202406281],
    oid: 0,
    name: 4,
    am: 84,
    node: 88,
    space: 92,
    pages: 96,
    shared: 113,
    persistence: 114,
    kind: 115,
    bytes: 116,
  },
  { versions: [202506291], oid: 0, name: 4, am: 84, node: 88, space: 92, pages: 96, shared: 117, persistence: 118, kind: 119, bytes: 120 },
].flatMap(({ versions, ...columns }) => versions.map((version) => ({ version, ...columns })));
const DATABASE = [
  { versions: [201809051], oid: null, name: 0, limit: 204, frozen: 212, space: 220, bytes: 224 },
  { versions: [201909212, 202007201, 202107181], oid: 0, name: 4, limit: 208, frozen: 216, space: 224, bytes: 228 },
  { versions: [202209061, 202307071, 202406281, 202506291], oid: 0, name: 4, limit: 80, frozen: 84, space: 92, bytes: 96 },
].flatMap(({ versions, ...columns }) => versions.map((version) => ({ version, ...columns })));

const INDEX = [
  { versions: [201809051, 201909212, 202007201, 202107181], ready: 19, live: 20 },
  { versions: [202209061, 202307071, 202406281, 202506291], ready: 20, live: 21 },
].flatMap(({ versions, ...columns }) => versions.map((version) => ({ version, ...columns })));

/** A page with one row version; up to version 11 the oid is the last word of its header. */
function pageWith(columns: Buffer, oid: number | null): Buffer {
  const page = Buffer.alloc(PAGE);
  const headerBytes = 32;
  const start = PAGE - headerBytes - 256;
  page.writeUInt16LE(28, 12);
  page.writeUInt32LE(start | (1 << 15) | ((headerBytes + columns.length) << 17), 24);
  page.writeUInt32LE(700, start);
  page.writeUInt16LE(ROW.insertCommitted | (oid === null ? 0 : ROW.hasOid), start + 20);
  page.writeUInt8(headerBytes, start + 22);
  if (oid !== null) page.writeUInt32LE(oid, start + headerBytes - 4);
  columns.copy(page, start + headerBytes);
  return page;
}

function only<T>(page: Buffer, read: (tuple: Parameters<typeof readClassRow>[1]) => T): T {
  const rows = [...heapTuples(page, 0, PAGE)];
  expect(rows).toHaveLength(1);
  return read(rows[0] as Parameters<typeof readClassRow>[1]);
}

describe('rows of catalogues', () => {
  it.each(CLASS)('of pg_class, catalogue version $version', (at) => {
    const columns = Buffer.alloc(at.bytes);
    if (at.oid !== null) columns.writeUInt32LE(16384, at.oid);
    columns.write('orders', at.name);
    for (const [offset, value] of [
      [at.am, 2],
      [at.node, 16999],
      [at.space, 1664],
      [at.pages, 77],
    ] as const)
      columns.writeUInt32LE(value, offset);
    columns.writeUInt8(1, at.shared);
    columns.write('p', at.persistence);
    columns.write('r', at.kind);
    const page = pageWith(columns, at.oid === null ? 16384 : null);
    const row = only(page, (tuple) => readClassRow(page, tuple, layoutOf(at.version)));
    const expected = { oid: 16384, name: 'orders', accessMethod: 2, filenode: 16999, tablespace: 1664, pages: 77, shared: true, persistence: 'p', kind: 'r' };
    expect(row).toEqual(expected);
    const cut = pageWith(columns.subarray(0, at.bytes - 1), at.oid === null ? 16384 : null);
    expect(only(cut, (tuple) => readClassRow(cut, tuple, layoutOf(at.version)))).toBeNull();
  });

  it.each(INDEX)('of pg_index, catalogue version $version', ({ version, ready, live }) => {
    const columns = Buffer.alloc(live + 1);
    columns.writeUInt32LE(16390, 0);
    columns.writeUInt32LE(16384, 4);
    const rowOf = () => {
      const page = pageWith(columns, null);
      return only(page, (tuple) => readIndexRow(page, tuple, layoutOf(version)));
    };
    expect(rowOf()).toEqual({ index: 16390, table: 16384, ready: false });
    columns.writeUInt8(1, ready);
    expect(rowOf()?.ready).toBe(false);
    columns.writeUInt8(1, live);
    expect(rowOf()?.ready).toBe(true);
    const cut = pageWith(columns.subarray(0, live), null);
    expect(only(cut, (tuple) => readIndexRow(cut, tuple, layoutOf(version)))).toBeNull();
  });

  it.each(DATABASE)('of pg_database, catalogue version $version', (at) => {
    const columns = Buffer.alloc(at.bytes);
    if (at.oid !== null) columns.writeUInt32LE(5, at.oid);
    columns.write('shop', at.name);
    columns.writeInt32LE(-2, at.limit);
    for (const [offset, value] of [
      [at.frozen, 716],
      [at.frozen + 4, 1],
      [at.space, 1663],
    ] as const)
      columns.writeUInt32LE(value, offset);
    const page = pageWith(columns, at.oid === null ? 5 : null);
    const row = only(page, (tuple) => readDatabaseRow(page, tuple, layoutOf(at.version)));
    expect(row).toEqual({ oid: 5, name: 'shop', tablespace: 1663, connectionLimit: -2, frozenTransaction: 716, frozenMultixact: 1 });
  });

  it('of pg_tablespace', () => {
    const columns = Buffer.alloc(72);
    columns.writeUInt32LE(16400, 0);
    columns.write('other', 4);
    const page = pageWith(columns, null);
    expect(only(page, (tuple) => readTablespaceRow(page, tuple, layoutOf(202209061)))).toEqual({ oid: 16400, name: 'other' });
  });

  it('are read within the page, whatever it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), fc.constantFrom(...Object.keys(CATALOGUE_LAYOUTS).map(Number)), (bytes, version) => {
        const page = Buffer.from(bytes);
        for (const tuple of heapTuples(page, 0, 512)) {
          expect(tuple.endOffset).toBeLessThanOrEqual(512);
          for (const read of [readClassRow, readDatabaseRow, readTablespaceRow]) read(page, tuple, layoutOf(version));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the map of catalogues', () => {
  const map = (entries: number): Buffer => {
    const bytes = Buffer.alloc(entries === 62 ? 512 : 524);
    bytes.writeUInt32LE(0x592717, 0);
    bytes.writeUInt32LE(2, 4);
    for (const [i, value] of [1259, 16500, 1249, 1249].entries()) bytes.writeUInt32LE(value, 8 + 4 * i);
    bytes.writeUInt32LE(crc32c(bytes, 0, 8 + 8 * entries), 8 + 8 * entries);
    return bytes;
  };

  it.each([62, 64])('with room for %i entries', (entries) => {
    expect([...(parseRelationMap(map(entries)) ?? [])]).toEqual([
      [1259, 16500],
      [1249, 1249],
    ]);
    const changed = map(entries);
    changed[9] = 1;
    expect(parseRelationMap(changed)).toBeNull();
    expect(parseRelationMap(map(entries).subarray(0, 300))).toBeNull();
  });

  it('is null for any other bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => parseRelationMap(Buffer.from(bytes)) === null));
  });
});

describe('the end of a transaction', () => {
  const words = (...values: number[]) => Buffer.concat([Buffer.alloc(8), Buffer.from(Uint32Array.from(values).buffer)]);
  const parse = (bytes: Buffer, info: number, version = 15) => parseTransactionEnd(bytes, 0, bytes.length, { info, transaction: 800, version });

  it('gives subtransactions and the files that go', () => {
    const bytes = words(1 | 2 | 4, 5, 1663, 2, 801, 802, 1, 1663, 5, 16384);
    const dropped = [{ tablespace: 1663, database: 5, relation: 16384 }];
    expect(parse(bytes, 0x80)).toEqual({ committed: true, transactions: [801, 802, 800], dropped });
    expect(parse(bytes, 0xa0)).toEqual({ committed: false, transactions: [801, 802, 800], dropped });
  });

  it('of a prepared one is about the one prepared', () => {
    expect(parse(words(8 | 16, 1, 1, 2, 3, 4, 777), 0xb0)?.transactions).toEqual([777]);
    expect(parse(words(256 | 16, 1, 0, 0, 0, 777), 0xb0)?.transactions).toEqual([777]);
    expect(parse(words(256 | 16, 1, 0, 0, 0, 0, 777), 0xb0, 18)?.transactions).toEqual([777]);
  });

  it('is null for other records and for lengths that contradict each other', () => {
    expect(parse(words(), 0x10)).toBeNull();
    expect(parse(words(2, 100_000), 0x80)).toBeNull();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(255), (bytes, info) => {
        const end = parse(Buffer.from(bytes), info);
        expect((end?.transactions.length ?? 0) + (end?.dropped.length ?? 0)).toBeLessThanOrEqual(60);
      }),
      { numRuns: 2000 },
    );
  });
});
