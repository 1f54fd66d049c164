/** What a page pass found: counts, and a few examples of each kind. Plain data, small enough to be kept as evidence. */
import type { Lsn } from './format/page.js';

/**
 * sum: the checksum does not fit. torn: the bits of torn page detection do not fit. misplaced: the page bears another number.
 * header: it is no page at all. zeroed: an allocated page of zeroes. pending: the same, but allocated so recently that the log may bring it.
 * newer: breaks R1. uncertain: damaged, free in the map as captured, but changed after the last checkpoint.
 */
export const PAGE_KINDS = ['sum', 'torn', 'misplaced', 'header', 'zeroed', 'pending', 'newer', 'uncertain'] as const;
export type PageKind = (typeof PAGE_KINDS)[number];

export interface PageExample {
  file: string;
  page: number;
  lsn: string;
}

export interface PageFacts {
  pages: number;
  /** Allocated pages, which were judged. */
  used: number;
  summed: number;
  tornBits: number;
  /** Allocated pages without checksum or torn bits. */
  unprotected: number;
  maxLsn: Lsn | null;
  /** Numbers of files that pages point to. */
  files: number[];
  kinds: Record<PageKind, { count: number; examples: PageExample[] }>;
}

const MAX_EXAMPLES = 10;
const MAX_FILES = 1000;

export function emptyPageFacts(): PageFacts {
  const kinds = Object.fromEntries(PAGE_KINDS.map((kind) => [kind, { count: 0, examples: [] }]));
  return { pages: 0, used: 0, summed: 0, tornBits: 0, unprotected: 0, maxLsn: null, files: [], kinds: kinds as unknown as PageFacts['kinds'] };
}

export function keepExample(facts: PageFacts, kind: PageKind, example: PageExample): void {
  const list = facts.kinds[kind];
  list.count++;
  if (list.examples.length < MAX_EXAMPLES) list.examples.push(example);
}

/** Adds `more` to `facts`. Examples are sorted by place, so that runs with other timing give the same evidence where all fit. */
export function addPageFacts(facts: PageFacts, more: PageFacts, later: (a: Lsn, b: Lsn) => boolean): void {
  for (const key of ['pages', 'used', 'summed', 'tornBits', 'unprotected'] as const) facts[key] += more[key];
  if (more.maxLsn && (!facts.maxLsn || later(more.maxLsn, facts.maxLsn))) facts.maxLsn = more.maxLsn;
  facts.files = [...new Set([...facts.files, ...more.files])].sort((a, b) => a - b).slice(0, MAX_FILES);
  for (const kind of PAGE_KINDS) {
    const into = facts.kinds[kind];
    into.count += more.kinds[kind].count;
    const all = [...into.examples, ...more.kinds[kind].examples].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.page - b.page));
    into.examples = all.slice(0, MAX_EXAMPLES);
  }
}
