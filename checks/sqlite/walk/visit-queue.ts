/** The pages still to be visited, handed out in batches that lie near each other on disk. */
import type { Bounds } from './keys.js';

/** One b-tree, named as the schema names it. */
export interface Tree {
  name: string;
  root: number;
  /** An index in the schema; tables without rowid have the pages of one, but are tables. */
  isIndex: boolean;
  /** Null: either kind is right; set by the root page. */
  isTable: boolean | null;
  /** Entries are in BINARY, ascending order, so that index keys can be compared. */
  comparable: boolean;
  /** Level of the leaves, -1 before the first was seen. */
  leafDepth: number;
  /** Rows or index entries met so far. */
  entries: number;
  /** Lower-case name of the table that an index has an entry for each row of; null for tables and partial indexes. */
  indexes: string | null;
}

export interface Visit {
  page: number;
  tree: Tree;
  depth: number;
  bounds: Bounds;
  /** Pages of an overflow chain still to come, this one included; 0 for a b-tree page. */
  chainLength: number;
}

/** `visits` are sorted by page and lie within `pageCount` pages from `first` on. */
export interface Run {
  first: number;
  pageCount: number;
  visits: Visit[];
}

const BATCH_VISITS = 2048;
const RUN_BYTES = 4 * 1024 * 1024;
/** Reading over a gap is cheaper than a second read. */
const GAP_BYTES = 64 * 1024;
const CHAIN_AHEAD_BYTES = 256 * 1024;

/** Newest first, so that it never holds more than a batch times a page's children. */
export class VisitQueue {
  private readonly pending: Visit[] = [];

  push(visit: Visit): void {
    this.pending.push(visit);
  }

  /** The next batch as runs to read; empty when all is done. */
  takeRuns(pageSize: number, lastPage: number): Run[] {
    const batch = this.pending.splice(-BATCH_VISITS).sort((a, b) => a.page - b.page);
    const runs: Run[] = [];
    let run: Run | undefined;
    for (const visit of batch) {
      const ahead = Math.min(Math.max(visit.chainLength, 1), Math.max(1, CHAIN_AHEAD_BYTES / pageSize));
      const end = Math.min(visit.page + ahead, lastPage + 1);
      const near = run && visit.page <= run.first + run.pageCount + GAP_BYTES / pageSize && (end - run.first) * pageSize <= RUN_BYTES;
      if (!run || !near) {
        run = { first: visit.page, pageCount: 0, visits: [] };
        runs.push(run);
      }
      run.visits.push(visit);
      run.pageCount = Math.max(run.pageCount, end - run.first);
    }
    return runs;
  }
}
