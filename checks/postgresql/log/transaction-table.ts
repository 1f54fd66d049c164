/** How transactions ended, two bits each, as in pg_xact: in pages that are made when the first of their transactions is noted. */

/** The values of pg_xact (TRANSACTION_STATUS_... in src/include/access/clog.h). */
export const STATUS = { inProgress: 0, committed: 1, aborted: 2, subCommitted: 3 } as const;

const PER_PAGE = 32768;
/** 134 million transactions in 32 MiB. */
const MAX_PAGES = 4096;

export class TransactionTable {
  private readonly pages = new Map<number, Uint8Array>();
  /** Set when something had to be left out. */
  overflowed = false;
  /** The newest transaction noted, in the order of transaction numbers, which go round; null: none. */
  newest: number | null = null;

  /** The log names it: nothing is known yet of how it ends. */
  see(transaction: number): void {
    this.newest = later(this.newest, transaction);
  }

  note(transaction: number, status: number): void {
    this.see(transaction);
    const page = this.page(Math.floor(transaction / PER_PAGE));
    if (!page) return;
    const slot = transaction % PER_PAGE;
    const shift = (slot & 3) * 2;
    page[slot >>> 2] = ((page[slot >>> 2] as number) & ~(3 << shift)) | (status << shift);
  }

  /** Zero (in progress) for what was never noted. */
  get(transaction: number): number {
    const slot = transaction % PER_PAGE;
    return statusIn(this.pages.get(Math.floor(transaction / PER_PAGE)), slot);
  }

  /** Every page of 32768 transactions of which something is known. */
  entries(): Iterable<[number, Uint8Array]> {
    return this.pages;
  }

  clear(): void {
    this.pages.clear();
    this.newest = null;
  }

  private page(number: number): Uint8Array | null {
    const known = this.pages.get(number);
    if (known) return known;
    if (this.pages.size >= MAX_PAGES) {
      this.overflowed = true;
      return null;
    }
    const made = new Uint8Array(PER_PAGE / 4);
    this.pages.set(number, made);
    return made;
  }
}

export function statusIn(page: Uint8Array | undefined, slot: number): number {
  return page ? ((page[slot >>> 2] as number) >>> ((slot & 3) * 2)) & 3 : 0;
}

/** Whether `one` was given out before `other`: numbers go round at 2^32, so half of them lie before and half after. */
export function precedes(one: number, other: number): boolean {
  return ((one - other) | 0) < 0;
}

/** The one of two that was given out later. */
export function later(one: number | null, other: number): number {
  return one === null || precedes(one, other) ? other : one;
}
