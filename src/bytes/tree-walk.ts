/**
 * Walks trees of pages whose parents name their children by page number (copy-on-write stores): depth first, so that little is
 * pending, yet a batch at a time in the order of the file, so that neighbours are read at once.
 */
import type { ByteSource } from '../types.js';

export interface PageRef<Detail> {
  page: number;
  /** How many pages to read, where one is not all of it: default 1. The caller bounds it. */
  pages?: number;
  /** What the parent knows of it. */
  detail: Detail;
}

export interface TreeWalk<Detail> {
  source: ByteSource;
  pageBytes: number;
  roots: PageRef<Detail>[];
  /**
   * Told of each page that was asked for: `bytes` is null when it does not lie within the source. Gives what to visit next.
   * It must itself refuse pages that it has seen before, else the walk does not end. Bytes are valid during the call only.
   */
  visit(ref: PageRef<Detail>, bytes: Buffer | null): PageRef<Detail>[];
  signal: AbortSignal;
  progress?(pages: number): void;
}

const BATCH = 64;
const MAX_RUN_BYTES = 1024 * 1024;

export async function walkTree<Detail>(walk: TreeWalk<Detail>): Promise<void> {
  const pending = [...walk.roots].reverse();
  let visited = 0;
  while (pending.length > 0) {
    walk.signal.throwIfAborted();
    const batch = pending.splice(Math.max(0, pending.length - BATCH)).sort((a, b) => a.page - b.page);
    const found: PageRef<Detail>[] = [];
    for (const run of runsOf(batch, walk)) await visitRun(run, walk, found);
    for (const ref of found.reverse()) pending.push(ref);
    visited += batch.length;
    walk.progress?.(visited);
  }
}

/** Neighbours together, as far as one read should go. */
function runsOf<Detail>(batch: PageRef<Detail>[], { pageBytes }: TreeWalk<Detail>): PageRef<Detail>[][] {
  const runs: PageRef<Detail>[][] = [];
  for (const ref of batch) {
    const run = runs.at(-1);
    const first = run?.[0]?.page ?? 0;
    const last = run?.at(-1)?.page ?? -2;
    const single = (ref.pages ?? 1) === 1 && (run?.at(-1)?.pages ?? 1) === 1;
    if (run && single && ref.page - last <= 1 && (ref.page - first + 1) * pageBytes <= MAX_RUN_BYTES) run.push(ref);
    else runs.push([ref]);
  }
  return runs;
}

async function visitRun<Detail>(run: PageRef<Detail>[], walk: TreeWalk<Detail>, found: PageRef<Detail>[]): Promise<void> {
  const { source, pageBytes } = walk;
  const first = run[0]?.page ?? 0;
  const last = run.at(-1)?.page ?? 0;
  const span = run[0]?.pages ?? 1;
  const inside = Math.min(last + span, Math.floor(source.sizeBytes / pageBytes)) - first;
  const bytes = inside > 0 ? await source.read(first * pageBytes, inside * pageBytes) : null;
  for (const ref of run) {
    const at = (ref.page - first) * pageBytes;
    const page = bytes && at + span * pageBytes <= bytes.length ? bytes.subarray(at, at + span * pageBytes) : null;
    for (const next of walk.visit(ref, page)) found.push(next);
  }
}
