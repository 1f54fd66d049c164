/** One Berkeley DB file: every page by itself, then (where no log can change them before use) the trees. */
import { PageSet } from '../../../src/bytes/page-set.js';
import { Problems } from '../../../src/bytes/problems.js';
import { type PageRef, walkTree } from '../../../src/bytes/tree-walk.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource } from '../../../src/types.js';
import { META_BYTES, type Meta, pageOfBucket, parseMeta, Words } from '../format/meta.js';
import { isZero, type Link, linksOf, type PageHead, parsePage, TYPE } from '../format/page.js';
import type { LogEnd } from './log.js';

/** Plain JSON. */
export interface ScanFacts {
  meta: Meta;
  pages: number;
  unusedPages: number;
  /** The highest place in the log that a page names; null: none does. */
  highestLsn: { file: number; offset: number } | null;
  /** Pages that the trees reach; null: trees were not walked. */
  reachedPages: number | null;
  /** Of a hash: buckets whose page holds nothing but zeroes. That is how they are before their first use. */
  zeroBuckets: number;
}

const BLOCK_BYTES = 1024 * 1024;
const SUBDATABASES = 0x20;
const MAX_BAD = 1000;
const MAX_LINKS = 100;
/** Types of pages that continue on a next one: hash, long values. */
const CHAINED = [2, 7, 13];

export class FileScan {
  readonly problems = new Problems();
  private readonly bad = new Set<number>();
  private readonly zero = new PageSet();
  private readonly named = new PageSet();
  private unused = 0;
  private highest: ScanFacts['highestLsn'] = null;

  constructor(
    private readonly source: ByteSource,
    private readonly path: string,
    private readonly logEnd: LogEnd | null,
  ) {}

  /** Rejects with FormatError when the first page cannot be used. */
  async run(signal: AbortSignal, progress: (doneBytes: number) => void): Promise<ScanFacts> {
    const meta = parseMeta(await this.source.read(0, Math.min(META_BYTES, this.source.sizeBytes)));
    const pages = Math.floor(this.source.sizeBytes / meta.pageBytes);
    if (meta.encrypted) return { meta, pages, unusedPages: 0, highestLsn: null, reachedPages: null, zeroBuckets: 0 };
    await this.readPages(meta, pages, signal, progress);
    const logged = this.highest !== null;
    const reachedPages = meta.kind === 'btree' && !logged ? await this.walk(meta, signal) : null;
    if (!logged && meta.kind === 'hash') this.lostLinks();
    if (!logged && meta.kind !== 'queue' && meta.lastPage >= pages) this.cut(meta, pages);
    return { meta, pages, unusedPages: this.unused, highestLsn: this.highest, reachedPages, zeroBuckets: this.countZeroBuckets(meta) };
  }

  private async readPages(meta: Meta, pages: number, signal: AbortSignal, progress: (doneBytes: number) => void): Promise<void> {
    const atOnce = BLOCK_BYTES / meta.pageBytes;
    for (let first = 0; first < pages; first += atOnce) {
      signal.throwIfAborted();
      const count = Math.min(atOnce, pages - first);
      const block = await this.source.read(first * meta.pageBytes, count * meta.pageBytes);
      for (let i = 0; i < count; i++) this.look(block.subarray(i * meta.pageBytes, (i + 1) * meta.pageBytes), first + i, meta);
      progress((first + count) * meta.pageBytes);
    }
  }

  private cut({ lastPage }: Meta, pages: number): void {
    const message = `${this.path} says that its last page is ${lastPage}, and ends before page ${pages}: it is cut.`;
    this.problems.damaged('berkeleydb.cut', message, { file: this.path, page: pages });
  }

  /** Pages that another one names as its next, and that hold nothing. */
  private lostLinks(): void {
    for (const page of this.zero.common(this.named, MAX_LINKS)) {
      this.problems.damaged('berkeleydb.tree', `Page ${page} of ${this.path} is in use and holds nothing but zeroes.`, { file: this.path, page });
    }
  }

  private countZeroBuckets(meta: Meta): number {
    if (meta.kind !== 'hash') return 0;
    let count = 0;
    for (let bucket = 0; bucket <= Math.min(meta.highestBucket, meta.lastPage); bucket++) if (this.zero.has(pageOfBucket(bucket, meta))) count++;
    return count;
  }

  private look(bytes: Buffer, page: number, meta: Meta): void {
    try {
      const head = parsePage(bytes, page, meta);
      if (head) {
        this.compareWithLog(head);
        if (CHAINED.includes(head.type) && head.next > 0 && head.next <= meta.lastPage) this.named.add(head.next);
      } else {
        this.unused++;
        if (isZero(bytes)) this.zero.add(page);
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      if (this.bad.size < MAX_BAD) this.bad.add(page);
      this.problems.damaged('berkeleydb.page', `Page ${page} of ${this.path} ${error.message}.`, { file: this.path, page });
    }
  }

  /** Rule R1: no page may be newer than the end of the log. A warning: no real log was there to measure how sure that is. */
  private compareWithLog({ page, lsn }: PageHead): void {
    if (lsn.file === 0) return;
    const { highest } = this;
    if (!highest || lsn.file > highest.file || (lsn.file === highest.file && lsn.offset > highest.offset)) this.highest = lsn;
    const end = this.logEnd;
    if (!end || lsn.file < end.file || (lsn.file === end.file && lsn.offset < end.offset)) return;
    const message = `Page ${page} of ${this.path} was changed at log position ${lsn.file}/${lsn.offset}, and the log ends at ${end.file}/${end.offset}: data and log may be of different instants, or the log is cut. Let the program's own recovery run on a copy.`;
    this.problems.add({
      code: 'berkeleydb.log',
      severity: 'warning',
      message,
      where: { file: this.path, page, lsn: `${lsn.file}/${lsn.offset}` },
      state: 'unknown',
    });
  }

  private async walk(meta: Meta, signal: AbortSignal): Promise<number> {
    const seen = new PageSet();
    const visit = (ref: PageRef<Expected>, bytes: Buffer | null): PageRef<Expected>[] => {
      const problem = (what: string) =>
        this.problems.damaged('berkeleydb.tree', `Page ${ref.page} of ${this.path} ${what}.`, { file: this.path, page: ref.page });
      if (!bytes) problem('is named by another page and lies behind the end of the file');
      // The list of long values may be shared; each page needs one look only.
      else if (seen.add(ref.page)) return this.follow(ref, bytes, meta, problem);
      else if (ref.detail.kind !== 'overflow') problem('is used twice');
      return [];
    };
    const detail: Expected = { kind: 'tree', subdatabases: (meta.flags & SUBDATABASES) !== 0 };
    await walkTree<Expected>({ source: this.source, pageBytes: meta.pageBytes, roots: [{ page: meta.root, detail }], visit, signal });
    return seen.size;
  }

  private follow(ref: PageRef<Expected>, bytes: Buffer, meta: Meta, problem: (what: string) => void): PageRef<Expected>[] {
    if (this.bad.has(ref.page)) return [];
    try {
      const head = parsePage(bytes, ref.page, meta);
      if (!head) {
        problem(isZero(bytes) ? 'is in use and holds nothing but zeroes' : 'is in use and marked as free');
        return [];
      }
      if (ref.detail.kind === 'database') return this.database(bytes, head, meta, problem);
      if (!FITTING[ref.detail.kind].includes(head.type)) {
        problem(`is of type ${head.type} and should belong to a ${ref.detail.kind}`);
        return [];
      }
      const links = linksOf(bytes, head, meta, ref.detail.subdatabases && head.type === TYPE.leafBtree);
      return links.map(({ page, kind }) => ({ page, detail: { kind, subdatabases: ref.detail.subdatabases && kind === 'tree' } }));
    } catch (error) {
      if (error instanceof FormatError) problem(error.message);
      else throw error;
      return [];
    }
  }

  /** The first page of a database within the file: of a btree its root is followed. */
  private database(bytes: Buffer, head: PageHead, meta: Meta, problem: (what: string) => void): PageRef<Expected>[] {
    if (head.type === TYPE.btreeMeta) return [{ page: new Words(meta.littleEndian).u32(bytes, 88), detail: { kind: 'tree', subdatabases: false } }];
    if (head.type !== 8) problem('should be the first page of a database');
    return [];
  }
}

interface Expected {
  kind: Link['kind'];
  subdatabases: boolean;
}

const FITTING: Record<'tree' | 'overflow', number[]> = {
  tree: [TYPE.internalBtree, TYPE.internalRecno, TYPE.leafBtree, TYPE.leafRecno, TYPE.duplicates],
  overflow: [TYPE.overflow],
};
