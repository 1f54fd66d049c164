/** Walks b-trees and their overflow chains over the effective pages: each page once, in the order in which they lie on disk. */

import type { Defects } from '../defects.js';
import { BtreePage } from '../format/btree-page.js';
import { type Geometry, PTRMAP } from '../format/geometry.js';
import type { PageView } from '../page-view.js';
import { type Bounds, entryOrderProblem, type Key, keyOf, NO_BOUNDS, rowOrderProblem } from './keys.js';
import type { PageClaims } from './page-claims.js';
import { type Run, type Tree, type Visit, VisitQueue } from './visit-queue.js';

/** SQLite gives up below this level too; a tree of this height could not be filled. */
const MAX_DEPTH = 40;

export interface WalkTotals {
  btreePages: number;
  overflowPages: number;
  /** Something could not be followed, so pages below it were not reached. */
  incomplete: boolean;
}

export type LeafListener = (page: Buffer, parsed: BtreePage) => void;

export class TreeWalk {
  readonly totals: WalkTotals = { btreePages: 0, overflowPages: 0, incomplete: false };
  private readonly queue = new VisitQueue();
  private readonly parsed: BtreePage;

  constructor(
    private readonly view: PageView,
    private readonly geometry: Geometry,
    private readonly claims: PageClaims,
    private readonly defects: Defects,
  ) {
    this.parsed = new BtreePage(geometry);
  }

  addRoot(tree: Tree): void {
    this.pushPage(tree.root, 0, tree, 0, NO_BOUNDS, PTRMAP.root);
  }

  /** Visits all that was added. `onLeaf` sees each table leaf; what it is given is only good during the call. */
  async run(signal: AbortSignal, onPages: (pages: number) => void, onLeaf?: LeafListener): Promise<void> {
    for (;;) {
      const runs = this.queue.takeRuns(this.view.pageSize, this.view.pageCount);
      if (runs.length === 0) return;
      let ahead = this.read(runs[0]);
      for (let i = 0; i < runs.length; i++) {
        signal.throwIfAborted();
        const block = await ahead;
        ahead = this.read(runs[i + 1]);
        // Keeps a failure of the read ahead from being reported as unhandled while this run is looked at.
        ahead.catch(() => undefined);
        const run = runs[i] as Run;
        for (const visit of run.visits) this.visit(visit, run, block, onLeaf);
        onPages(run.visits.length);
      }
    }
  }

  private read(run: Run | undefined): Promise<Buffer> {
    return run ? this.view.read(run.first, run.pageCount) : Promise.resolve(Buffer.alloc(0));
  }

  private visit(visit: Visit, run: Run, block: Buffer, onLeaf: LeafListener | undefined): void {
    if (visit.chainLength > 0) this.followChain(visit, run, block);
    else this.visitBtree(visit, this.slice(visit.page, run, block), onLeaf);
  }

  private slice(page: number, run: Run, block: Buffer): Buffer {
    const at = (page - run.first) * this.view.pageSize;
    return block.subarray(at, at + this.view.pageSize);
  }

  /** Goes along the chain as far as it lies within the block that was read. */
  private followChain(start: Visit, run: Run, block: Buffer): void {
    let { page, chainLength } = start;
    for (;;) {
      this.totals.overflowPages++;
      const next = this.slice(page, run, block).readUInt32BE(0);
      chainLength--;
      if (chainLength === 0 || next === 0) {
        if (chainLength !== 0 || next !== 0) this.chainProblem(page, start.tree, chainLength, next);
        return;
      }
      if (!this.claims.take({ page: next, use: PTRMAP.overflowNext, parent: page, tree: start.tree.name })) {
        this.stuck();
        return;
      }
      page = next;
      if (page < run.first || page >= run.first + run.pageCount) {
        this.queue.push({ ...start, page, chainLength });
        return;
      }
    }
  }

  private chainProblem(page: number, tree: Tree, missing: number, next: number): void {
    const what = next === 0 ? `ends an overflow chain ${missing} pages too early` : `goes on to page ${next} where its overflow chain must end`;
    this.defects.add('sqlite.overflow.length', page, tree.name, what);
    this.stuck();
  }

  private visitBtree(visit: Visit, page: Buffer, onLeaf: LeafListener | undefined): void {
    const { parsed } = this;
    const { tree } = visit;
    this.totals.btreePages++;
    const wrong = parsed.parse(page, visit.page);
    if (wrong) {
      this.damaged('sqlite.page.structure', visit, wrong);
      return;
    }
    tree.isTable ??= parsed.isTable;
    if (parsed.isTable !== tree.isTable) {
      this.damaged('sqlite.page.kind', visit, `is a page of ${parsed.isTable ? 'a table' : 'an index'}, the tree is not`);
      return;
    }
    if (parsed.isLeaf) this.visitLeaf(visit, page, onLeaf);
    else this.visitInterior(visit, page);
    if (parsed.isLeaf || !parsed.isTable) this.pushOverflows(visit);
    this.checkOrder(visit, page);
  }

  private visitLeaf(visit: Visit, page: Buffer, onLeaf: LeafListener | undefined): void {
    const { tree, depth } = visit;
    if (tree.leafDepth === -1) tree.leafDepth = depth;
    if (tree.leafDepth !== depth)
      this.defects.add('sqlite.tree.depth', visit.page, tree.name, `is a leaf on level ${depth}, other leaves are on level ${tree.leafDepth}`);
    tree.entries += this.parsed.cellCount;
    if (onLeaf && this.parsed.isTable) onLeaf(page, this.parsed);
  }

  private visitInterior(visit: Visit, page: Buffer): void {
    const { parsed } = this;
    const { tree, bounds, depth } = visit;
    if (depth >= MAX_DEPTH) {
      this.damaged('sqlite.tree.depth', visit, `lies on level ${depth}, no tree is that high`);
      return;
    }
    if (!parsed.isTable) tree.entries += parsed.cellCount;
    const withKeys = parsed.isTable || tree.comparable;
    let low = bounds.low;
    for (let cell = 0; cell < parsed.cellCount; cell++) {
      const high: Key | null = withKeys ? keyOf(parsed, page, cell) : null;
      this.pushPage(parsed.leftChild[cell] as number, visit.page, tree, depth + 1, { low, high }, PTRMAP.btree);
      low = high;
    }
    this.pushPage(parsed.rightChild, visit.page, tree, depth + 1, { low, high: bounds.high }, PTRMAP.btree);
  }

  private pushOverflows(visit: Visit): void {
    const { parsed } = this;
    for (let cell = 0; cell < parsed.cellCount; cell++) {
      const page = parsed.overflow[cell] as number;
      if (page === 0) continue;
      const chainLength = parsed.overflowLength(cell);
      if (chainLength > this.geometry.pageCount)
        this.damaged('sqlite.overflow.length', visit, `has a row of ${parsed.payloadBytes[cell]} bytes, more than the database`);
      else if (this.claims.take({ page, use: PTRMAP.overflowFirst, parent: visit.page, tree: visit.tree.name })) {
        this.queue.push({ page, tree: visit.tree, depth: 0, bounds: NO_BOUNDS, chainLength });
      } else this.stuck();
    }
  }

  private checkOrder(visit: Visit, page: Buffer): void {
    const { parsed } = this;
    if (!parsed.isTable && !visit.tree.comparable) return;
    const wrong = parsed.isTable ? rowOrderProblem(parsed, visit.bounds) : entryOrderProblem(parsed, page, visit.bounds);
    if (wrong) this.defects.add('sqlite.tree.order', visit.page, visit.tree.name, wrong);
  }

  private pushPage(page: number, parent: number, tree: Tree, depth: number, bounds: Bounds, use: typeof PTRMAP.root | typeof PTRMAP.btree): void {
    if (this.claims.take({ page, use, parent, tree: tree.name })) this.queue.push({ page, tree, depth, bounds, chainLength: 0 });
    else this.stuck();
  }

  private damaged(code: string, visit: Visit, what: string): void {
    this.defects.add(code, visit.page, visit.tree.name, what);
    this.stuck();
  }

  private stuck(): void {
    this.totals.incomplete = true;
  }
}
