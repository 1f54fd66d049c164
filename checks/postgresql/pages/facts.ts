/** What a page pass found: counts, and a few examples of each kind. Plain data, small enough to be kept as evidence. */
import { addTallies, emptyTallies, keepExample as keepIn, type PageExample, type Tally } from '../../../src/bytes/page-facts.js';

export type { PageExample };

export const PAGE_KINDS = ['checksum', 'header', 'restored', 'derived', 'newer', 'stale', 'partial', 'unborn'] as const;
/**
 * checksum, header: damaged, and recovery does not make it anew. restored: damaged, but recovery replaces it unread.
 * derived: a damaged page of a free-space or visibility map. newer: breaks R1. stale: breaks R2. partial: the file ends within a page.
 * unborn: newer or damaged, in a file that no query sees yet, or ever will.
 */
export type PageKind = (typeof PAGE_KINDS)[number];

export interface PageFacts {
  pages: number;
  zeroPages: number;
  /** Pages whose LSN was judged. */
  loggedPages: number;
  /** Pages for which the log before redo requires an LSN. */
  requiredPages: number;
  maxLsn: number;
  kinds: Record<PageKind, Tally>;
}

export function emptyPageFacts(): PageFacts {
  return { pages: 0, zeroPages: 0, loggedPages: 0, requiredPages: 0, maxLsn: 0, kinds: emptyTallies(PAGE_KINDS) };
}

export function keepExample(facts: PageFacts, kind: PageKind, example: PageExample): void {
  keepIn(facts.kinds[kind], example);
}

export function addPageFacts(facts: PageFacts, more: PageFacts): void {
  for (const key of ['pages', 'zeroPages', 'loggedPages', 'requiredPages'] as const) facts[key] += more[key];
  facts.maxLsn = Math.max(facts.maxLsn, more.maxLsn);
  addTallies(facts.kinds, more.kinds);
}
