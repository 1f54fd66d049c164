/** The zero blocks of some relations in memory that threads share, with a mark for each of which something shows that it held something. */
import type { ZeroRuns } from './zero-runs.js';

export interface SharedZeroes {
  /** Three words each: first block, the one after the last, number of the first one's mark. In order within a relation. */
  runs: SharedArrayBuffer;
  marks: SharedArrayBuffer;
}

/** The runs of one relation: `first` is the number of the first of them. */
export interface ZeroSlice {
  first: number;
  count: number;
}

const WORDS = 3;

export class ZeroTable {
  private readonly runs: Uint32Array;
  private readonly marks: Uint32Array;

  constructor(readonly shared: SharedZeroes) {
    this.runs = new Uint32Array(shared.runs);
    this.marks = new Uint32Array(shared.marks);
  }

  /** The table of these relations, and where in it each lies. */
  static of(zeroes: ZeroRuns, relations: number[]): { table: ZeroTable; slices: Map<number, ZeroSlice> } {
    const slices = new Map<number, ZeroSlice>();
    const words: number[] = [];
    let marks = 0;
    for (const relation of relations) {
      const runs = zeroes.of(relation);
      slices.set(relation, { first: words.length / WORDS, count: runs.length });
      for (const { from, to } of runs) {
        words.push(from, to, marks);
        marks += to - from;
      }
    }
    const shared = { runs: new SharedArrayBuffer(4 * words.length), marks: new SharedArrayBuffer(4 * Math.ceil(marks / 32)) };
    new Uint32Array(shared.runs).set(words);
    return { table: new ZeroTable(shared), slices };
  }

  /** The first and the last block of a relation that has any. */
  bounds({ first, count }: ZeroSlice): [number, number] {
    return [this.runs[first * WORDS] as number, (this.runs[(first + count - 1) * WORDS + 1] as number) - 1];
  }

  /** Marks a block that is zero. False when it is not, or was marked before, by whichever thread. */
  mark({ first, count }: ZeroSlice, block: number): boolean {
    const run = this.find(first, first + count, block);
    if (run < 0) return false;
    const mark = (this.runs[run * WORDS + 2] as number) + block - (this.runs[run * WORDS] as number);
    const bit = 1 << (mark & 31);
    return (Atomics.or(this.marks, mark >>> 5, bit) & bit) === 0;
  }

  /** The run with the block, by halving; -1 when it is in none. */
  private find(from: number, to: number, block: number): number {
    let [low, high] = [from, to];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (block >= (this.runs[middle * WORDS + 1] as number)) low = middle + 1;
      else high = middle;
    }
    return low < to && block >= (this.runs[low * WORDS] as number) ? low : -1;
  }
}
