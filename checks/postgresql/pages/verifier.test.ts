import { describe, expect, it } from 'vitest';
import { BlockTable } from '../../../src/bytes/block-table.js';
import { pageChecksum } from '../format/checksum.js';
import { createVerifier as createLinkVerifier } from './link-verifier.js';
import { createVerifier, type PageDetail, type PageResult } from './verifier.js';
import { ZeroRuns } from './zero-runs.js';
import { ZeroTable } from './zero-table.js';

const PAGE = 8192;
const BTREE = 403;
const LOG_END = 5000;

/** A leaf of a b-tree with rows in these blocks, the rightmost of its level; it carries its checksum. */
function leaf(number: number, rows: number[], previous = 0): Buffer {
  const page = Buffer.alloc(PAGE);
  let upper = PAGE - 16;
  for (const [i, row] of rows.entries()) {
    upper -= 16;
    page.writeUInt16LE(row, upper + 2);
    page.writeUInt16LE(1, upper + 4);
    page.writeUInt16LE(16, upper + 6);
    page.writeUInt32LE((upper | (1 << 15) | (16 << 17)) >>> 0, 24 + 4 * i);
  }
  page.writeUInt32LE(previous, PAGE - 16);
  page.writeUInt16LE(1, PAGE - 4);
  return finished(page, number, 24 + 4 * rows.length, upper, PAGE - 16, 100);
}

function finished(page: Buffer, number: number, lower: number, upper: number, special: number, lsn: number): Buffer {
  page.writeUInt32LE(lsn, 4);
  for (const [at, value] of [lower, upper, special, PAGE | 4].entries()) page.writeUInt16LE(value, 12 + 2 * at);
  page.writeUInt16LE(0, 8);
  page.writeUInt16LE(pageChecksum(page, number), 8);
  return page;
}

/** An empty page of a table. */
const heap = (number: number, lsn: number): Buffer => finished(Buffer.alloc(PAGE), number, 24, PAGE, PAGE, lsn);

function zeroTable(blocks: number[]): { table: ZeroTable; slice: { first: number; count: number } } {
  const runs = new ZeroRuns();
  for (const block of blocks) runs.add([{ relation: 3, from: block, to: block + 1 }]);
  const { table, slices } = ZeroTable.of(runs, [3]);
  return { table, slice: slices.get(3) ?? { first: 0, count: 0 } };
}

interface Choices {
  detail?: Partial<PageDetail>;
  zeroes?: ZeroTable;
  checksums?: boolean;
  log?: BlockTable;
}

function judge(pages: Buffer[], { detail, zeroes, checksums = true, log = new BlockTable() }: Choices): PageResult {
  const config = { pageBytes: PAGE, checksums, logEnd: LOG_END, table: log.shared, judgeStale: true, zeroes: zeroes?.shared ?? null };
  const verifier = createVerifier(config);
  verifier.buffer.set(Buffer.concat(pages));
  const whole: PageDetail = { path: 'base/5/16390', relation: 0, firstBlock: 0, role: 'logged', zero: null, watch: null, ...detail };
  verifier.verify({ detail: whole, offset: 0, lengthBytes: pages.length * PAGE, fileBytes: pages.length * PAGE });
  return verifier.takeResult();
}

describe('index pages against the zero blocks of their table', () => {
  const watched = (blocks: number[]) => {
    const { table, slice } = zeroTable(blocks);
    return { zeroes: table, detail: { watch: { access: BTREE, slice, table: 'base/5/16384', segmentPages: 1000 } } };
  };

  it('show each zero block with rows once, with its file', () => {
    const { zeroes } = judge([leaf(0, [5, 6, 1200]), leaf(1, [6, 1200, 7])], watched([6, 1200, 1300]));
    expect(zeroes.lost.index).toEqual({
      count: 2,
      examples: [
        { file: 'base/5/16384', block: 6, index: 'base/5/16390', from: 0 },
        { file: 'base/5/16384.1', block: 1200, index: 'base/5/16390', from: 0 },
      ],
    });
  });

  it('say nothing when they are damaged', () => {
    const page = leaf(0, [6]);
    page.writeUInt8(1, 4000);
    const { zeroes, facts } = judge([page], watched([6]));
    expect([zeroes.lost.index.count, facts.kinds.checksum.count]).toEqual([0, 1]);
  });

  it('say nothing without checksums when the log changes them: they may be torn', () => {
    const log = new BlockTable();
    log.touch(0, 0, true);
    expect(judge([leaf(0, [6])], { ...watched([6]), checksums: false, log }).zeroes.lost.index.count).toBe(0);
    expect(judge([leaf(0, [6])], { ...watched([6]), log }).zeroes.lost.index.count).toBe(1);
  });
});

describe('pages', () => {
  const zero = { relation: 3, endBlock: 2 ** 32, isFirstNeeded: false, isReadByLog: true };

  it('that are zero are noted where they are judged', () => {
    expect(judge([heap(0, 10), Buffer.alloc(PAGE), Buffer.alloc(PAGE)], { detail: { zero } }).zeroes.runs).toEqual([{ relation: 3, from: 1, to: 3 }]);
    expect(judge([Buffer.alloc(PAGE)], {}).zeroes.runs).toEqual([]);
  });

  it('of files that nobody sees yet are neither damaged nor newer than the log', () => {
    const damaged = heap(1, 10);
    damaged.writeUInt8(1, 4000);
    const { kinds } = judge([heap(0, LOG_END + 1), damaged], { detail: { role: 'unborn' } }).facts;
    expect([kinds.unborn.count, kinds.newer.count, kinds.checksum.count]).toEqual([2, 0, 0]);
  });

  it('of files without a name may be of an index that is being built; those of tables are judged', () => {
    const index = leaf(1, [4]);
    finished(index, 1, 28, PAGE - 32, PAGE - 16, LOG_END + 1);
    const { kinds } = judge([heap(0, LOG_END + 1), index], { detail: { role: 'nameless' } }).facts;
    expect([kinds.newer.count, kinds.newer.examples[0]?.block, kinds.unborn.count]).toEqual([1, 0, 1]);
  });

  it('of a GiST index carry no place in the log when it was built by sorting', () => {
    const log = new BlockTable();
    for (const block of [0, 1]) log.require(0, block, 50);
    const { kinds } = judge([heap(0, 1), heap(1, 2)], { log }).facts;
    expect(kinds.stale.examples.map(({ block }) => block)).toEqual([1]);
  });
});

describe('index pages against the zero blocks of their own index', () => {
  it('show which of them are linked', () => {
    const { table, slice } = zeroTable([4, 5]);
    const config = { pageBytes: PAGE, segmentPages: 1000, checksums: true, table: new BlockTable().shared, zeroes: table.shared };
    const verifier = createLinkVerifier(config);
    const damaged = leaf(1, [], 5);
    damaged.writeUInt8(1, 4000);
    verifier.buffer.set(Buffer.concat([leaf(0, [], 4), damaged, Buffer.alloc(PAGE)]));
    const detail = { firstPath: 'base/5/16390', relation: 0, firstBlock: 0, access: BTREE, slice };
    verifier.verify({ detail, offset: 0, lengthBytes: 3 * PAGE, fileBytes: 3 * PAGE });
    expect(verifier.takeResult().link).toEqual({ count: 1, examples: [{ file: 'base/5/16390', block: 4, from: 0 }] });
    expect(verifier.takeResult().link.count).toBe(0);
  });
});
