/**
 * Walks all trees of a database that was shut down cleanly: from its root and its catalogue to every page that is in use.
 * While it is open, pages are written in any order and only the log makes them fit: then nothing is walked.
 */
import type { Problems } from '../../src/bytes/problems.js';
import { type PageRef, walkTree } from '../../src/bytes/tree-walk.js';
import type { ByteSource } from '../../src/types.js';
import { catalogueEntry } from './format/catalogue.js';
import { DELETED, nodeAt, PAGE, type PageHeader, pageHeader, rootHeader, tagBytes, verifySum } from './format/page.js';
import { PageBits, spaceExtent } from './space.js';

/** What the parent, or the catalogue, knows of a page. */
interface Expected {
  tree: number;
  kind: 'data' | 'owned' | 'available';
  isRoot: boolean;
  isCatalogue: boolean;
  leaf?: boolean | undefined;
  previous?: number | undefined;
  next?: number | undefined;
}

type Ref = PageRef<Expected>;

export interface TreeFacts {
  trees: number;
  pages: number;
  /** Every page was sound: what was not reached is not in use. */
  whole: boolean;
}

/** Pages at which every database has them: its root, its catalogue and the copy of that. */
const FIXED = [
  { page: 1, tree: 1 },
  { page: 4, tree: 2 },
  { page: 24, tree: 3 },
];
const CATALOGUE = 4;
/** The tree whose space is the whole file. */
const DATABASE = 1;
const NO_BYTES = Buffer.alloc(0);

export class TreeWalker {
  readonly facts: TreeFacts = { trees: 0, pages: 0, whole: true };
  readonly reached: PageBits;
  private readonly free: PageBits;
  private readonly roots = new Map<number, number>();

  constructor(
    private readonly source: ByteSource,
    private readonly pageBytes: number,
    private readonly problems: Problems,
    private readonly file: string,
  ) {
    const pages = Math.max(0, Math.floor(source.sizeBytes / pageBytes) - 2);
    this.reached = new PageBits(pages);
    this.free = new PageBits(pages);
  }

  async walk(signal: AbortSignal, progress: (pages: number) => void): Promise<void> {
    const roots = FIXED.flatMap(({ page, tree }) => this.rootOf(page, tree));
    const visit = (ref: Ref, bytes: Buffer | null) => this.visit(ref, bytes);
    await walkTree<Expected>({ source: this.source, pageBytes: this.pageBytes, roots, visit, signal, progress });
    for (const page of this.reached.common(this.free, 5)) {
      this.wrong('free-in-use', `Page ${page} of ${this.file} is in use, and the database counts it among its free pages.`, page);
    }
  }

  private rootOf(page: number, tree: number): Ref[] {
    const known = this.roots.get(page);
    // A table and its primary index are one tree, listed twice.
    if (known === tree) return [];
    this.roots.set(page, tree);
    this.facts.trees++;
    return [this.ref(page, { tree, kind: 'data', isRoot: true, isCatalogue: page === CATALOGUE, previous: 0, next: 0 })];
  }

  /** Page 1 is the second of the file after header and copy. */
  private ref(page: number, detail: Expected): Ref {
    return { page: page + 1, detail };
  }

  private visit({ page: at, detail }: Ref, bytes: Buffer | null): Ref[] {
    const page = at - 1;
    if (page < 1 || !bytes) return this.wrong('missing', `Tree ${detail.tree} of ${this.file} goes on at page ${page}, and the file has no such page.`, page);
    if (!this.reached.add(page)) return this.wrong('twice', `Page ${page} of ${this.file} belongs to two trees, or twice to one.`, page);
    this.facts.pages++;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const header = pageHeader(view, 0);
    if (bytes.every((byte) => byte === 0)) return this.wrong('unwritten', `Page ${page} of ${this.file} is in use and was never written.`, page);
    if (!this.isSound(bytes, page)) {
      this.facts.whole = false;
      return [];
    }
    return this.fits(header, detail, page) ? this.childrenOf(bytes, header, detail, page) : [];
  }

  /** What is not is told by the page pass. */
  private isSound(bytes: Buffer, page: number): boolean {
    const copy = new Uint8Array(bytes);
    const { kind } = verifySum(new DataView(copy.buffer), new Int32Array(copy.buffer), 0, page, copy.length, this.reached.pages);
    return kind === 'sound';
  }

  private fits(header: PageHeader, expected: Expected, page: number): boolean {
    const has = (flag: number) => (header.flags & flag) !== 0;
    const { file } = this;
    if (header.tree !== expected.tree) {
      this.wrong('owner', `Page ${page} of ${file} belongs to tree ${header.tree}; it is expected in tree ${expected.tree}.`, page);
      return false;
    }
    if (has(PAGE.root) !== expected.isRoot || has(PAGE.space) !== (expected.kind !== 'data')) {
      this.wrong('kind', `Page ${page} of ${file} is not the kind of page that its tree needs there.`, page);
      return false;
    }
    if (expected.leaf !== undefined && has(PAGE.leaf) !== expected.leaf) {
      this.wrong('level', `Page ${page} of ${file} is on the wrong level of its tree.`, page);
      return false;
    }
    // Branch pages need not know their neighbours.
    if (!has(PAGE.leaf)) return true;
    const before = expected.previous === undefined || expected.previous === header.previous;
    const after = expected.next === undefined || expected.next === header.next;
    if (!before || !after) this.wrong('siblings', `Page ${page} of ${file} does not point to the neighbours that its parent names.`, page);
    return true;
  }

  private childrenOf(bytes: Buffer, header: PageHeader, expected: Expected, page: number): Ref[] {
    const own = expected.isRoot && expected.kind === 'data' ? this.spaceOf(bytes, header, expected.tree, page) : [];
    if (header.flags & PAGE.leaf) return [...own, ...this.readLeaf(bytes, header, expected, page)];
    const children: number[] = [];
    for (let i = 1; i < header.tags; i++) {
      const node = nodeAt(bytes, i, header.tags);
      if (node?.data.length !== 4) return [...own, ...this.wrong('node', `Node ${i} of page ${page} of ${this.file} names no page.`, page)];
      children.push(node.data.readUInt32LE(0));
    }
    const leaf = (header.flags & PAGE.parentOfLeaf) !== 0;
    const edge = expected.isRoot ? 0 : undefined;
    const refs = children.map((child, i) => {
      const previous = i > 0 ? children[i - 1] : edge;
      const next = i + 1 < children.length ? children[i + 1] : edge;
      return this.ref(child, { ...expected, isRoot: false, leaf, previous, next });
    });
    return [...own, ...refs];
  }

  private spaceOf(bytes: Buffer, header: PageHeader, tree: number, page: number): Ref[] {
    const root = rootHeader(bytes, header.tags);
    if (!root) {
      // Not known: then it is not known either which pages its free space fills.
      this.facts.whole = false;
      return [];
    }
    if (root.spacePage === null) return [];
    if (root.spacePage < 1) return this.wrong('space', `The root of tree ${tree}, page ${page} of ${this.file}, names no pages for its space.`, page);
    const common = { tree, isRoot: true, isCatalogue: false, previous: 0, next: 0 };
    return [this.ref(root.spacePage, { ...common, kind: 'owned' }), this.ref(root.spacePage + 1, { ...common, kind: 'available' })];
  }

  private readLeaf(bytes: Buffer, header: PageHeader, expected: Expected, page: number): Ref[] {
    if (expected.kind === 'data' && !expected.isCatalogue) return [];
    const prefix = expected.isRoot ? NO_BYTES : (tagBytes(bytes, 0, header.tags)?.bytes ?? NO_BYTES);
    const found: Ref[] = [];
    for (let i = 1; i < header.tags; i++) {
      const node = nodeAt(bytes, i, header.tags);
      if (!node) return [...found, ...this.wrong('node', `Node ${i} of page ${page} of ${this.file} is none.`, page)];
      if (node.flags & DELETED) continue;
      const entry = expected.kind === 'data' ? catalogueEntry(node.data) : null;
      if (entry) found.push(...this.rootOf(entry.page, entry.tree));
      if (expected.kind !== 'data') this.noteExtent(Buffer.concat([prefix.subarray(0, node.prefixBytes), node.suffix]), node.data, expected);
    }
    return found;
  }

  private noteExtent(key: Buffer, data: Buffer, { kind, tree }: Expected): void {
    const extent = spaceExtent(key, data);
    if (!extent) this.facts.whole = false;
    else if (kind === 'available') this.free.addRange(extent.first, extent.count);
    else if (tree === DATABASE) {
      const last = extent.first + extent.count - 1;
      const { pages } = this.reached;
      if (last > pages) this.wrong('short', `${this.file} is cut off: the database owns pages up to ${last}, and the file ends after page ${pages}.`, last);
    }
  }

  private wrong(code: string, message: string, page: number): Ref[] {
    this.facts.whole = false;
    this.problems.damaged(`ese.tree.${code}`, message, { file: this.file, page });
    return [];
  }
}
