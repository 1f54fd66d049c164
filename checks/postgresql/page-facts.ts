/** What a page pass found: counts, and a few examples of each kind. Plain data, small enough to be kept as evidence. */

export const PAGE_KINDS = ['checksum', 'header', 'restored', 'derived', 'newer', 'stale', 'partial'] as const;
/**
 * checksum, header: damaged, and recovery does not make it anew. restored: damaged, but recovery replaces it unread.
 * derived: a damaged page of a free-space or visibility map. newer: breaks R1. stale: breaks R2. partial: the file ends within a page.
 */
export type PageKind = (typeof PAGE_KINDS)[number];

export interface PageExample {
  file: string;
  block: number;
  [fact: string]: string | number;
}

export interface PageFacts {
  pages: number;
  zeroPages: number;
  /** Pages whose LSN was judged. */
  loggedPages: number;
  /** Pages for which the log before redo requires an LSN. */
  requiredPages: number;
  maxLsn: number;
  kinds: Record<PageKind, { count: number; examples: PageExample[] }>;
}

const MAX_EXAMPLES = 20;

export function emptyPageFacts(): PageFacts {
  const kinds = Object.fromEntries(PAGE_KINDS.map((kind) => [kind, { count: 0, examples: [] }]));
  return { pages: 0, zeroPages: 0, loggedPages: 0, requiredPages: 0, maxLsn: 0, kinds: kinds as unknown as PageFacts['kinds'] };
}

export function keepExample(facts: PageFacts, kind: PageKind, example: PageExample): void {
  const list = facts.kinds[kind];
  list.count++;
  if (list.examples.length < MAX_EXAMPLES) list.examples.push(example);
}

/** Adds `more` to `facts`. Examples are sorted by place, so that runs with other timing give the same evidence where all fit. */
export function addPageFacts(facts: PageFacts, more: PageFacts): void {
  for (const key of ['pages', 'zeroPages', 'loggedPages', 'requiredPages'] as const) facts[key] += more[key];
  facts.maxLsn = Math.max(facts.maxLsn, more.maxLsn);
  for (const kind of PAGE_KINDS) {
    const into = facts.kinds[kind];
    into.count += more.kinds[kind].count;
    const all = [...into.examples, ...more.kinds[kind].examples].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.block - b.block));
    into.examples = all.slice(0, MAX_EXAMPLES);
  }
}
