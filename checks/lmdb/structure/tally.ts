/** What one tree really holds, to be compared with what it says of itself. */
import type { Severity } from '../../../src/types.js';
import type { TreeHead } from '../format/meta.js';
import type { Compare } from '../format/order.js';
import type { TreePage } from '../format/page.js';

export interface Alarm {
  code: string;
  message: string;
  page: number;
  severity: Severity;
}

interface Bounds {
  depth: number;
  low: Buffer | null;
  high: Buffer | null;
}

/** So many pairs in order are needed before a break of the order means anything. */
const ENOUGH_PAIRS = 100;
const MAX_BREAKS = 10;

export class TreeTally {
  branchPages = 0;
  leafPages = 0;
  overflowPages = 0;
  entries = 0;
  /** Pages that could not be read: then counts prove nothing more. */
  incomplete = false;
  /** Pages asked for and not yet visited; kept of trees of duplicates only. */
  pending = 0;
  private pairs = 0;
  /** Pages whose own keys are not in order, and pages that do not fit where their parent places them. */
  private readonly within: number[] = [];
  private readonly misplaced: number[] = [];
  private leafDepth = 0;
  private uneven = 0;

  constructor(
    private readonly head: TreeHead,
    readonly name: string,
    readonly role: 'free' | 'main' | 'named' | 'duplicates',
    private readonly compare: Compare,
  ) {}

  addPage({ kind, nodes }: TreePage, page: number, { depth, low, high }: Bounds): void {
    if (kind === 'branch') this.branchPages++;
    else {
      this.leafPages++;
      this.entries += nodes.length;
      if (this.leafDepth === 0) this.leafDepth = depth;
      else if (this.leafDepth !== depth) this.uneven = page;
    }
    const keys = (kind === 'branch' ? nodes.slice(1) : nodes).map(({ key }) => key);
    this.checkOrder(keys, page, low, high);
  }

  private checkOrder(keys: Buffer[], page: number, low: Buffer | null, high: Buffer | null): void {
    const broken = keys.some((key, i) => i > 0 && this.compare(keys[i - 1] as Buffer, key) >= 0);
    this.pairs += Math.max(0, keys.length - 1);
    if (broken && this.within.length < MAX_BREAKS) this.within.push(page);
    const [first, last] = [keys[0], keys.at(-1)];
    const outside = (low && first && this.compare(first, low) < 0) || (high && last && this.compare(last, high) >= 0);
    if (outside && this.misplaced.length < MAX_BREAKS) this.misplaced.push(page);
  }

  close(): { alarms: Alarm[]; unordered: boolean } {
    // A program may order keys as it likes: then pages are out of order within themselves, and everywhere.
    const unordered = this.within.length > 1 || (this.within.length === 1 && this.pairs < ENOUGH_PAIRS);
    const alarms = this.incomplete ? [] : this.miscounts();
    if (!unordered) alarms.push(...this.orderAlarms());
    return { alarms, unordered };
  }

  private orderAlarms(): Alarm[] {
    const severity = this.within.length > 0 || this.pairs < ENOUGH_PAIRS ? 'warning' : 'critical';
    const misplaced = this.misplaced.map(
      (page) => ({ code: 'lmdb.order', message: `page ${page} holds keys that belong elsewhere: it is of another instant`, page, severity }) as const,
    );
    const within = this.within.map((page) => ({ code: 'lmdb.order', message: `keys in page ${page} are not in order`, page, severity: 'warning' }) as const);
    return [...misplaced, ...within];
  }

  private miscounts(): Alarm[] {
    const { head } = this;
    const depth = head.root === null ? 0 : this.leafDepth;
    const counts: [string, number, number][] = [
      ['levels', head.depth, depth],
      ['branch pages', head.branchPages, this.branchPages],
      ['leaf pages', head.leafPages, this.leafPages],
      ['pages of long values', head.overflowPages, this.overflowPages],
      ['entries', head.entries, this.entries],
    ];
    const alarms = counts.filter(([, stated, found]) => stated !== found);
    const uneven: Alarm[] = this.uneven
      ? [{ code: 'lmdb.depth', message: `leaf page ${this.uneven} is not as deep as the others`, page: this.uneven, severity: 'critical' }]
      : [];
    return [
      ...uneven,
      ...alarms.map(
        ([what, stated, found]) =>
          ({ code: 'lmdb.count', message: `${stated} ${what} are stated and ${found} found`, page: head.root ?? 0, severity: 'critical' }) as const,
      ),
    ];
  }
}
