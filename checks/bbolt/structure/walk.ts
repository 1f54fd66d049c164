/** Walks everything that the newest meta page of a bbolt store reaches. Keys are in the order of their bytes, always. */
import { PageSet } from '../../../src/bytes/page-set.js';
import { Problems } from '../../../src/bytes/problems.js';
import { type PageRef, walkTree } from '../../../src/bytes/tree-walk.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource } from '../../../src/types.js';
import { HEADER_BYTES, type Meta } from '../format/meta.js';
import { BRANCH, bad, type Element, FREE_LIST, type Head, parseBucket, parseElements, parseHead } from '../format/page.js';

interface Expected {
  bucket: string;
  depth: number;
  low: Buffer | null;
  high: Buffer | null;
  /** It was claimed already, and is read once more with all that belongs to it. */
  again: boolean;
}
type Ref = PageRef<Expected>;

/** Plain JSON. */
export interface WalkFacts {
  pages: number;
  entries: number;
  buckets: number;
  freePages: number | null;
  lostPages: number;
  /** Of etcd: the raft index up to which the store holds the data; a decimal number. */
  consistentIndex: string | null;
}

const MAX_NODE_BYTES = 64 * 1024 * 1024;
const MAX_DEPTH = 64;
const CHUNK_BYTES = 256 * 1024;
const MAX_WRONG = 100;

export class StoreWalk {
  readonly problems = new Problems();
  private readonly seen = new PageSet();
  private readonly free = new PageSet();
  private entries = 0;
  private buckets = 0;
  private consistentIndex: string | null = null;

  constructor(
    private readonly source: ByteSource,
    private readonly meta: Meta,
    private readonly path: string,
  ) {}

  async run(signal: AbortSignal, progress: (pages: number) => void): Promise<WalkFacts> {
    const { source, meta } = this;
    const root: Ref = { page: meta.root, detail: { bucket: '', depth: 1, low: null, high: null, again: false } };
    await walkTree<Expected>({ source, pageBytes: meta.pageBytes, roots: [root], visit: (ref, bytes) => this.visit(ref, bytes), signal, progress });
    const pages = this.seen.size;
    if (meta.freeList !== null) await this.readFreeList(meta.freeList, signal);
    for (const page of this.free.common(this.seen, MAX_WRONG))
      this.damaged('bbolt.free-list', page, 'is in use and listed as free: the next transaction overwrites it');
    const lostPages = meta.freeList === null ? 0 : Math.max(0, meta.highWater - 2 - this.seen.size - this.free.size);
    return {
      pages,
      entries: this.entries,
      buckets: this.buckets,
      freePages: meta.freeList === null ? null : this.free.size,
      lostPages,
      consistentIndex: this.consistentIndex,
    };
  }

  private visit(ref: Ref, bytes: Buffer | null): Ref[] {
    try {
      return this.read(ref, bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.damaged('bbolt.page', ref.page, `${ref.detail.bucket ? `(${ref.detail.bucket}) ` : ''}${error.message}`);
      return [];
    }
  }

  private read(ref: Ref, bytes: Buffer | null): Ref[] {
    const { page, detail } = ref;
    if (!detail.again) this.claim(page, 1);
    if (!bytes) throw bad('lies behind the end of the file');
    if (detail.depth > MAX_DEPTH) throw bad('lies too deep in its tree');
    const head = parseHead(bytes, page);
    if (head.overflow > 0 && !detail.again) return [this.whole(ref, head)];
    return this.elements(parseElements(bytes, head), head.flags === BRANCH, detail);
  }

  private whole({ page, detail }: Ref, { overflow }: Head): Ref {
    if ((overflow + 1) * this.meta.pageBytes > MAX_NODE_BYTES) throw bad(`claims ${overflow} further pages`);
    this.claim(page + 1, overflow);
    return { page, pages: overflow + 1, detail: { ...detail, again: true } };
  }

  private elements(elements: Element[], isBranch: boolean, detail: Expected): Ref[] {
    this.checkOrder(elements, detail);
    if (!isBranch) this.entries += elements.length;
    return isBranch ? this.children(elements, detail) : elements.flatMap((element) => this.value(element, detail));
  }

  private children(elements: Element[], detail: Expected): Ref[] {
    if (elements.length === 0) throw bad('is a branch without children');
    const copy = (element: Element | undefined) => (element ? Buffer.from(element.key) : null);
    return elements.map((element, i) => {
      if (!Number.isSafeInteger(element.child)) throw bad('has a child that is no page');
      return {
        page: element.child,
        detail: { ...detail, again: false, depth: detail.depth + 1, low: copy(element), high: copy(elements[i + 1]) ?? detail.high },
      };
    });
  }

  private checkOrder(elements: Element[], { low, high }: Expected): void {
    for (let i = 1; i < elements.length; i++) {
      if (Buffer.compare((elements[i - 1] as Element).key, (elements[i] as Element).key) >= 0) throw bad('has keys that are not in order');
    }
    const [first, last] = [elements[0], elements.at(-1)];
    const outside = (low && first && Buffer.compare(first.key, low) < 0) || (high && last && Buffer.compare(last.key, high) >= 0);
    if (outside) throw bad('holds keys that belong elsewhere: it is of another instant');
  }

  private value({ key, value, isBucket }: Element, detail: Expected): Ref[] {
    const name = key
      .toString('latin1')
      .replace(/[^ -~]/g, '?')
      .slice(0, 60);
    if (!isBucket) {
      if (detail.bucket === 'meta' && name === 'consistent_index' && value.length === 8) this.consistentIndex = value.readBigUInt64BE(0).toString();
      return [];
    }
    this.buckets++;
    const bucket = parseBucket(value);
    const inside = { bucket: detail.bucket ? `${detail.bucket.slice(0, 60)}/${name}` : name, depth: 1, low: null, high: null, again: false };
    if ('root' in bucket) {
      if (!Number.isSafeInteger(bucket.root)) throw bad('has a bucket whose root is no page');
      return [{ page: bucket.root, detail: inside }];
    }
    if (detail.depth > MAX_DEPTH) throw bad('has buckets in buckets too deep');
    // A bucket within a value is a leaf without a number of its own.
    const head = parseHead(bucket.inline, 0);
    return this.elements(parseElements(bucket.inline, head), head.flags === BRANCH, { ...inside, depth: detail.depth + 1 });
  }

  private claim(first: number, count: number): void {
    for (let page = first; page < first + count; page++) {
      if (page < 2 || page >= this.meta.highWater) throw bad(`is page ${page}, outside of the store (2 to ${this.meta.highWater - 1})`);
      if (!this.seen.add(page)) throw bad(`is used twice (page ${page})`);
    }
  }

  private async readFreeList(page: number, signal: AbortSignal): Promise<void> {
    try {
      await this.freeIds(page, signal);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.damaged('bbolt.free-list', page, `(list of free pages) ${error.message}`);
    }
  }

  private async freeIds(page: number, signal: AbortSignal): Promise<void> {
    const { source, meta } = this;
    const from = page * meta.pageBytes;
    this.claim(page, 1);
    if (from + meta.pageBytes > source.sizeBytes) throw bad('lies behind the end of the file');
    const first = await source.read(from, meta.pageBytes);
    const head = parseHead(first, page);
    if (head.flags !== FREE_LIST) throw bad(`is of the kind ${head.flags}`);
    if (head.overflow >= meta.highWater) throw bad(`claims ${head.overflow} further pages`);
    this.claim(page + 1, head.overflow);
    const long = head.count === 0xffff;
    const count = long ? Number(first.readBigUInt64LE(HEADER_BYTES)) : head.count;
    const begin = from + HEADER_BYTES + (long ? 8 : 0);
    const end = begin + count * 8;
    if (!(end <= Math.min(source.sizeBytes, (page + 1 + head.overflow) * meta.pageBytes))) throw bad(`lists ${count} pages, more than fit`);
    for (let at = begin; at < end; at += CHUNK_BYTES) {
      signal.throwIfAborted();
      const chunk = await source.read(at, Math.min(CHUNK_BYTES, end - at));
      for (let i = 0; i < chunk.length; i += 8) this.takeFree(Number(chunk.readBigUInt64LE(i)));
    }
  }

  private takeFree(page: number): void {
    if (page < 2 || page >= this.meta.highWater) this.damaged('bbolt.free-list', page, 'is listed as free and is outside of the store');
    else if (!this.free.add(page)) this.damaged('bbolt.free-list', page, 'is listed as free twice');
  }

  private damaged(code: string, page: number, what: string): void {
    this.problems.damaged(code, `Page ${page} of ${this.path} ${what}.`, { file: this.path, page });
  }
}
