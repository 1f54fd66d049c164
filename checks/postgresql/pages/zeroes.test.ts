import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockTable } from '../../../src/bytes/block-table.js';
import { ZeroRuns } from './zero-runs.js';
import { ZeroTable } from './zero-table.js';
import { emptyZeroesSeen, noteZero, type ZeroJudgement } from './zeroes-seen.js';

/** Blocks of two relations, as threads give them: in pieces, in no order. */
const PIECES = fc.array(fc.record({ relation: fc.constantFrom(3, 8), from: fc.nat(400), blocks: fc.integer({ min: 1, max: 9 }) }), { maxLength: 60 });

function collected(pieces: { relation: number; from: number; blocks: number }[]): { zeroes: ZeroRuns; blocks: Map<number, Set<number>> } {
  const zeroes = new ZeroRuns();
  const blocks = new Map([3, 8].map((relation) => [relation, new Set<number>()]));
  for (const { relation, from, blocks: count } of pieces) {
    const free = Array.from({ length: count }, (_, i) => from + i).filter((block) => !blocks.get(relation)?.has(block));
    for (const block of free) {
      blocks.get(relation)?.add(block);
      zeroes.add([{ relation, from: block, to: block + 1 }]);
    }
  }
  return { zeroes, blocks };
}

describe('zero blocks of relations', () => {
  it('are joined to runs in order', () => {
    const zeroes = new ZeroRuns();
    zeroes.add([{ relation: 3, from: 9, to: 12 }]);
    zeroes.add([
      { relation: 3, from: 4, to: 9 },
      { relation: 8, from: 1, to: 2 },
      { relation: 3, from: 20, to: 21 },
    ]);
    expect(zeroes.of(3)).toEqual([
      { relation: 3, from: 4, to: 12 },
      { relation: 3, from: 20, to: 21 },
    ]);
    expect([zeroes.of(5), zeroes.blocks, zeroes.relations]).toEqual([[], 10, [3, 8]]);
  });

  it('are left out, and counted, where they are more than any cluster has', () => {
    const zeroes = new ZeroRuns();
    zeroes.add([{ relation: 3, from: 0, to: 2 ** 28 }]);
    zeroes.add([{ relation: 3, from: 2 ** 29, to: 2 ** 29 + 5 }]);
    expect([zeroes.blocks, zeroes.leftOut]).toEqual([2 ** 28, 5]);
  });

  it('are found in shared memory, and each is marked once', () => {
    fc.assert(
      fc.property(PIECES, fc.array(fc.nat(420), { maxLength: 200 }), (pieces, asked) => {
        const { zeroes, blocks } = collected(pieces);
        const { table, slices } = ZeroTable.of(zeroes, zeroes.relations);
        const other = new ZeroTable(table.shared); // as another thread sees it
        const marked = new Set<string>();
        for (const [i, block] of asked.entries()) {
          for (const [relation, slice] of slices) {
            const key = `${relation} ${block}`;
            const expected = blocks.get(relation)?.has(block) === true && !marked.has(key);
            expect((i % 2 ? other : table).mark(slice, block)).toBe(expected);
            marked.add(key);
          }
        }
      }),
    );
  });

  it('say where the first and the last of a relation lie', () => {
    const { zeroes } = collected([
      { relation: 3, from: 30, blocks: 2 },
      { relation: 3, from: 7, blocks: 1 },
      { relation: 8, from: 90, blocks: 1 },
    ]);
    const { table, slices } = ZeroTable.of(zeroes, [3, 8]);
    expect([...slices.values()].map((slice) => table.bounds(slice))).toEqual([
      [7, 31],
      [90, 90],
    ]);
  });
});

describe('a zero page', () => {
  const anywhere: ZeroJudgement = { relation: 3, endBlock: 2 ** 32, isFirstNeeded: false, isReadByLog: true };
  const seen = (zero: Partial<ZeroJudgement>, block: number, prepare: (table: BlockTable) => void = () => {}) => {
    const table = new BlockTable();
    prepare(table);
    const result = emptyZeroesSeen();
    noteZero(result, { ...anywhere, ...zero }, 'base/5/16384', block, table, 0);
    return { blocks: result.runs.length, first: result.lost.first.count, log: result.lost.log.count };
  };

  it('is noted, and no more is said of it', () => {
    expect(seen({}, 7)).toEqual({ blocks: 1, first: 0, log: 0 });
  });

  it('is none of ours where the log makes it anew or cut it off', () => {
    expect(seen({}, 7, (table) => table.touch(0, 7, true)).blocks).toBe(0);
    expect(seen({ endBlock: 7 }, 7).blocks).toBe(0);
    expect(seen({ endBlock: 8 }, 7).blocks).toBe(1);
  });

  it('was something where the log changes it without making it, and where it is first', () => {
    expect(seen({}, 7, (table) => table.touch(0, 7, false)).log).toBe(1);
    expect(seen({ isReadByLog: false }, 7, (table) => table.touch(0, 7, false)).log).toBe(0);
    expect(seen({ isFirstNeeded: true }, 0).first).toBe(1);
    expect(seen({ isFirstNeeded: true }, 1).first).toBe(0);
  });
});
