/** What the page pass over InnoDB tablespaces found. Plain data, small enough to be kept as evidence. */
import { addTallies, emptyTallies, type Tally } from '../../src/bytes/page-facts.js';

export const PAGE_KINDS = [
  'checksum',
  'identity',
  'zeroed',
  'restored',
  'copied',
  'newer',
  'stale',
  'doubtful',
  'unlinked',
  'partial',
  'hidden',
  'unproven',
] as const;
/**
 * checksum, identity, zeroed: damaged, bears another page's address, or empty although in use. restored: so, but the log makes it anew.
 * copied: so, but the doublewrite buffer holds it. newer: breaks R1. stale: breaks R2. doubtful: so, or its tablespace was just being deleted. unlinked: contradicts the page beside it. partial: the file ends within a page.
 * hidden: encrypted or compressed, so that nothing proves its bytes. unproven: checksums are off, or empty and its log cannot be read.
 */
export type PageKind = (typeof PAGE_KINDS)[number];

const COUNTERS = [
  'pages',
  'freePages',
  'zeroPages',
  'doublewritePages',
  'loggedPages',
  'requiredPages',
  'encryptedPages',
  'compressedPages',
  'linkedPages',
] as const;
type Counter = (typeof COUNTERS)[number];

export type PageFacts = Record<Counter, number> & { maxLsn: number; kinds: Record<PageKind, Tally> };

export function emptyPageFacts(): PageFacts {
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<Counter, number>;
  return { ...counters, maxLsn: 0, kinds: emptyTallies(PAGE_KINDS) };
}

export function addPageFacts(into: PageFacts, more: PageFacts): void {
  for (const name of COUNTERS) into[name] += more[name];
  into.maxLsn = Math.max(into.maxLsn, more.maxLsn);
  addTallies(into.kinds, more.kinds);
}
