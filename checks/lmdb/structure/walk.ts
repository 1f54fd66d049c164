/** Walks everything that the newest meta page of a store reaches. */
import { PageSet } from '../../../src/bytes/page-set.js';
import { Problems } from '../../../src/bytes/problems.js';
import { type PageRef, walkTree } from '../../../src/bytes/tree-walk.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource } from '../../../src/types.js';
import { DB_BYTES, type Meta, parseTree, type TreeHead } from '../format/meta.js';
import { orderOf } from '../format/order.js';
import { BIG_DATA, DUP_DATA, type Node, overflowPages, parseOverflow, parsePage, parseSubPage, SUB_DATA, type TreePage } from '../format/page.js';
import { FreePages } from './free-pages.js';
import { TreeTally } from './tally.js';

/** What is known of a page before it is read. `high` null: no bound. */
interface Expected {
  tree: TreeTally;
  kind: 'tree' | 'overflow';
  depth: number;
  low: Buffer | null;
  high: Buffer | null;
  /** Of a long value. */
  dataBytes: number;
}
type Ref = PageRef<Expected>;

/** Plain JSON. */
export interface WalkFacts {
  trees: number;
  entries: number;
  reachedPages: number;
  freePages: number;
  /** Names of the trees of their own, as many as fit. */
  names: string[];
  lostPages: number;
  /** Trees whose order follows no known rule. */
  unorderedTrees: number;
}

const MAX_NAMES = 50;
const MAX_TREES = 100_000;
const MAX_DEPTH = 32;

export class StoreWalk {
  readonly problems = new Problems();
  private readonly seen = new PageSet();
  private readonly tallies: TreeTally[] = [];
  private readonly free: FreePages;
  private trees = 0;
  private entries = 0;
  private unordered = 0;

  constructor(
    private readonly source: ByteSource,
    private readonly meta: Meta,
    private readonly path: string,
  ) {
    this.free = new FreePages(meta.pageBytes, meta.lastPage);
  }

  async run(signal: AbortSignal, progress?: (pages: number) => void): Promise<WalkFacts> {
    const { source, meta } = this;
    const roots = [...this.plant(meta.free, 'list of free pages', 'free'), ...this.plant(meta.main, 'main tree', 'main')];
    await walkTree<Expected>({
      source,
      pageBytes: meta.pageBytes,
      roots,
      visit: (ref, bytes) => this.visit(ref, bytes),
      signal,
      ...(progress ? { progress } : {}),
    });
    for (const tally of this.tallies) this.close(tally);
    await this.free.read(source, signal, (message, page) => this.problems.damaged('lmdb.free-list', message, this.where(page)));
    return {
      ...this.account(),
      names: this.tallies
        .map(({ name }) => name)
        .filter((name) => name.startsWith('"'))
        .slice(0, MAX_NAMES),
    };
  }

  /** A tree that was found: its root is visited unless it is empty. */
  private plant(head: TreeHead, name: string, role: TreeTally['role']): Ref[] {
    this.trees++;
    if (this.trees > MAX_TREES && role !== 'duplicates') throw new FormatError({ code: 'lmdb.trees', message: `there are more than ${MAX_TREES} trees` });
    const tree = new TreeTally(head, name, role, orderOf(head.flags));
    if (role !== 'duplicates') this.tallies.push(tree);
    if (head.root === null) return [];
    return [{ page: head.root, detail: { tree, kind: 'tree', depth: 1, low: null, high: null, dataBytes: 0 } }];
  }

  private visit(ref: Ref, bytes: Buffer | null): Ref[] {
    try {
      return this.read(ref, bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.problems.damaged('lmdb.page', `Page ${ref.page} of ${this.path} (${ref.detail.tree.name}) ${error.message}.`, this.where(ref.page));
      ref.detail.tree.incomplete = true;
      return [];
    } finally {
      const { tree } = ref.detail;
      if (tree.role === 'duplicates' && --tree.pending === 0) this.close(tree);
    }
  }

  private read({ page, detail }: Ref, bytes: Buffer | null): Ref[] {
    this.claim(page);
    if (!bytes) throw new FormatError({ code: 'lmdb.page', message: 'lies behind the end of the file' });
    if (detail.kind === 'overflow') return this.readOverflow(page, detail, bytes);
    if (detail.depth > MAX_DEPTH) throw new FormatError({ code: 'lmdb.page', message: 'lies too deep in its tree' });
    const parsed = parsePage(bytes, page);
    detail.tree.addPage(parsed, page, detail);
    const refs = parsed.kind === 'branch' ? this.children(parsed, detail) : parsed.nodes.flatMap((node) => this.value(node, detail));
    if (detail.tree.role === 'duplicates') detail.tree.pending += refs.length;
    return refs;
  }

  private children({ nodes }: TreePage, detail: Expected): Ref[] {
    // The key of the first child means nothing.
    const low = (i: number) => (i === 0 ? detail.low : Buffer.from(nodes[i]?.key ?? []));
    const high = (i: number) => (i + 1 < nodes.length ? Buffer.from(nodes[i + 1]?.key ?? []) : detail.high);
    return nodes.map(({ child }, i) => ({ page: child, detail: { ...detail, depth: detail.depth + 1, low: low(i), high: high(i) } }));
  }

  private value(node: Node, { tree }: Expected): Ref[] {
    if (node.flags & BIG_DATA) return [this.longValue(node, tree)];
    if (tree.role === 'free') this.free.add(node.data);
    if (node.flags & SUB_DATA) return this.subTree(node, tree);
    if (node.flags & DUP_DATA) tree.entries += parseSubPage(node.data).nodes.length - 1;
    return [];
  }

  private longValue({ data, dataBytes }: Node, tree: TreeTally): Ref {
    const page = Number(data.readBigUInt64LE(0));
    if (!Number.isSafeInteger(page)) throw new FormatError({ code: 'lmdb.page', message: `has a value at page ${page}` });
    if (tree.role === 'free') this.free.addLong(page, dataBytes);
    return { page, detail: { tree, kind: 'overflow', depth: 0, low: null, high: null, dataBytes } };
  }

  private subTree(node: Node, parent: TreeTally): Ref[] {
    if (node.data.length !== DB_BYTES) throw new FormatError({ code: 'lmdb.page', message: 'has a tree in a value of another length' });
    const head = parseTree(node.data, 0);
    if (node.flags & DUP_DATA) {
      parent.entries += head.entries - 1;
      const refs = this.plant(head, `duplicates in ${parent.name}`, 'duplicates');
      for (const { detail } of refs) detail.tree.pending = 1;
      return refs;
    }
    return this.plant(
      head,
      `"${node.key
        .toString('latin1')
        .replace(/[^ -~]/g, '?')
        .slice(0, 60)}"`,
      'named',
    );
  }

  private readOverflow(page: number, { tree, dataBytes }: Expected, bytes: Buffer): Ref[] {
    const count = parseOverflow(bytes, page);
    const needed = overflowPages(dataBytes, this.meta.pageBytes);
    if (count !== needed) throw new FormatError({ code: 'lmdb.page', message: `begins a value of ${count} pages where ${needed} are needed` });
    tree.overflowPages += count;
    for (let i = 1; i < count; i++) this.claim(page + i);
    if ((page + count) * this.meta.pageBytes > this.source.sizeBytes)
      throw new FormatError({ code: 'lmdb.page', message: 'begins a value that the file does not hold' });
    return [];
  }

  private claim(page: number): void {
    if (page < 2 || page > this.meta.lastPage) throw new FormatError({ code: 'lmdb.page', message: `is outside of the store (2 to ${this.meta.lastPage})` });
    if (!this.seen.add(page)) throw new FormatError({ code: 'lmdb.page', message: `is used twice (page ${page})` });
  }

  private close(tree: TreeTally): void {
    this.entries += tree.role === 'free' ? 0 : tree.entries;
    const { alarms, unordered } = tree.close();
    if (unordered) this.unordered++;
    for (const { code, message, page, severity } of alarms) {
      const text = `In ${this.path}, ${tree.name}: ${message}.`;
      this.problems.add({ code, severity, message: text, where: this.where(page), state: severity === 'critical' ? 'damaged' : 'unknown' });
    }
  }

  /** Every page is reached, or free, or (which costs space only) lost. */
  private account(): Omit<WalkFacts, 'names'> {
    const { seen, free, meta } = this;
    const wrong = free.compare(seen);
    for (const { message, page } of wrong) this.problems.damaged('lmdb.free-list', `In ${this.path}, ${message}.`, this.where(page));
    const lostPages = Math.max(0, meta.lastPage - 1 - seen.size - free.size);
    return { trees: this.trees, entries: this.entries, reachedPages: seen.size, freePages: free.size, lostPages, unorderedTrees: this.unordered };
  }

  private where(page: number): Record<string, string | number> {
    return { file: this.path, page };
  }
}
