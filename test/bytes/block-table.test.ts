import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockTable, RelationNumbers } from '../../src/bytes/block-table.js';

type Step = { relation: number; block: number; lsn: number; touch: boolean; restores: boolean };

const step = fc.record({ relation: fc.nat(5), block: fc.nat(40), lsn: fc.integer({ min: 1, max: 2 ** 45 }), touch: fc.boolean(), restores: fc.boolean() });

describe('block table', () => {
  it('equals a plain map, through growth, and as another thread sees it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const table = new BlockTable();
        const plain = new Map<string, { lsn: number; restored: boolean | null }>();
        for (const one of steps) apply(table, plain, one);
        for (let block = 1000; block < 3000; block++) table.require(7, block, block);
        const shared = new BlockTable(table.shared);
        for (const [key, { lsn, restored }] of plain) {
          const [relation, block] = key.split(' ').map(Number) as [number, number];
          const at = shared.find(relation, block);
          expect([shared.requiredLsn(at), shared.isRestored(at)]).toEqual([lsn, restored === true]);
        }
        expect(shared.requiredLsn(shared.find(7, 2500))).toBe(2500);
        expect(shared.find(6, 1)).toBe(-1);
        expect(table.size).toBe(plain.size + 2000);
      }),
      { numRuns: 30 },
    );
  });

  function apply(table: BlockTable, plain: Map<string, { lsn: number; restored: boolean | null }>, one: Step): void {
    const key = `${one.relation} ${one.block}`;
    const entry = plain.get(key) ?? { lsn: 0, restored: null };
    plain.set(key, entry);
    if (one.touch) {
      table.touch(one.relation, one.block, one.restores);
      entry.restored ??= one.restores;
    } else {
      table.require(one.relation, one.block, one.lsn);
      entry.lsn = Math.max(entry.lsn, one.lsn);
    }
  }

  it('forgets what a truncation took away, not what came later', () => {
    const table = new BlockTable();
    for (const [block, lsn] of [
      [1, 10],
      [5, 10],
      [6, 30],
    ] as const)
      table.require(0, block, lsn);
    table.truncate(0, 5, 20);
    expect([1, 5, 6].map((block) => table.requiredLsn(table.find(0, block)))).toEqual([10, 0, 30]);
  });

  it('says so when it is full, and holds on to what it has', () => {
    const table = new BlockTable(undefined, 10);
    for (let block = 0; block < 20; block++) table.require(0, block, 5);
    expect(table.overflowed).toBe(true);
    expect(table.requiredLsn(table.find(0, 9))).toBe(5);
    expect(table.find(0, 10)).toBe(-1);
  });
});

describe('relation numbers', () => {
  it('tell equal file numbers in other databases apart', () => {
    const numbers = new RelationNumbers();
    expect([numbers.intern(1663, 5, 100), numbers.intern(1663, 6, 100), numbers.intern(1663, 5, 100)]).toEqual([0, 1, 0]);
    expect(numbers.find(1663, 7, 100)).toBe(-1);
  });
});
