/** Zero blocks of relations, as runs: collected from threads, and put together in shared memory for those that look for what was in them. */

/** Blocks `from` to `to` (not with it) of one relation hold only zeroes. */
export interface ZeroRun {
  /** Place of the relation's first file in the list of all. */
  relation: number;
  from: number;
  to: number;
}

/** Alternately zero and not: no healthy relation is so. */
const MAX_RUNS = 200_000;
/** One bit each: 32 MiB for 2 TiB of pages. */
const MAX_BLOCKS = 2 ** 28;

/** Adds a block to runs that come in order. */
export function addZero(runs: ZeroRun[], relation: number, block: number): void {
  const last = runs.at(-1);
  if (last?.relation === relation && last.to === block) last.to++;
  else runs.push({ relation, from: block, to: block + 1 });
}

/** Collects runs in any order; gives them by relation, in order and joined. */
export class ZeroRuns {
  blocks = 0;
  /** Zero blocks that were too many to be kept. */
  leftOut = 0;
  private count = 0;
  private readonly found = new Map<number, ZeroRun[]>();

  add(runs: ZeroRun[]): void {
    for (const run of runs) {
      const blocks = run.to - run.from;
      if (this.count >= MAX_RUNS || this.blocks + blocks > MAX_BLOCKS) {
        this.leftOut += blocks;
        continue;
      }
      this.count++;
      this.blocks += blocks;
      const known = this.found.get(run.relation);
      if (known) known.push(run);
      else this.found.set(run.relation, [run]);
    }
  }

  get relations(): number[] {
    return [...this.found.keys()];
  }

  /** Of one relation; empty when it has none. */
  of(relation: number): ZeroRun[] {
    const joined: ZeroRun[] = [];
    for (const run of [...(this.found.get(relation) ?? [])].sort((a, b) => a.from - b.from)) {
      const last = joined.at(-1);
      if (last?.to === run.from) last.to = run.to;
      else joined.push({ ...run });
    }
    return joined;
  }
}
