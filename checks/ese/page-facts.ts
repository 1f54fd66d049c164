/** What the page pass found: counts, and a few examples of each kind. Plain data, small enough to be kept as evidence. */
import { addTallies, emptyTallies, type Tally } from '../../src/bytes/page-facts.js';

/**
 * damaged: fits no checksum. misplaced: whole, but the page of another number. tags: its tags lead outside it. unused: damaged, and no
 * tree of a cleanly shut down database leads to it. beyond: damaged, and nothing sound comes after it in the file.
 */
export const PAGE_KINDS = ['damaged', 'misplaced', 'tags', 'one-bit', 'unused', 'beyond'] as const;
export type PageKind = (typeof PAGE_KINDS)[number];

export interface PageFacts {
  pages: number;
  /** Never written. */
  zeroes: number;
  sound: number;
  /** Of these, with a checksum that cannot tell every kind of damage. */
  oldSum: number;
  /** Highest time of a change, decimal. */
  maxDbtime: string;
  lastSound: number;
  tallies: Record<PageKind, Tally>;
  /** Damaged pages that follow each other, for what is only known at the end; `lost` of them were too many to keep. */
  runs: { first: number; count: number }[];
  lost: number;
}

const MAX_RUNS = 1000;

export function emptyPageFacts(): PageFacts {
  const counts = { pages: 0, zeroes: 0, sound: 0, oldSum: 0, lastSound: 0, lost: 0 };
  return { ...counts, maxDbtime: '0', tallies: emptyTallies(PAGE_KINDS), runs: [] };
}

/** Pages are told in ascending order within one batch. */
export function noteRun(facts: PageFacts, page: number): void {
  const last = facts.runs.at(-1);
  if (last && last.first + last.count === page) last.count++;
  else if (facts.runs.length < MAX_RUNS) facts.runs.push({ first: page, count: 1 });
  else facts.lost++;
}

export function addPageFacts(facts: PageFacts, more: PageFacts): void {
  for (const key of ['pages', 'zeroes', 'sound', 'oldSum', 'lost'] as const) facts[key] += more[key];
  facts.lastSound = Math.max(facts.lastSound, more.lastSound);
  if (BigInt(more.maxDbtime) > BigInt(facts.maxDbtime)) facts.maxDbtime = more.maxDbtime;
  addTallies(facts.tallies, more.tallies);
  for (const run of more.runs) {
    if (facts.runs.length < MAX_RUNS) facts.runs.push(run);
    else facts.lost += run.count;
  }
}

/**
 * Damaged pages behind the last sound one may be space that the file system has given to the file and nobody has written yet: the file
 * system answers zeroes for it (valid data length of NTFS), the disk holds anything.
 */
export function settleTail(facts: PageFacts, file: string): void {
  const tail = facts.runs.filter(({ first }) => first > facts.lastSound);
  const count = tail.reduce((sum, run) => sum + run.count, 0);
  facts.runs = [];
  if (count === 0) return;
  const { damaged, beyond } = facts.tallies;
  damaged.count -= count;
  damaged.examples = damaged.examples.filter(({ block }) => block <= facts.lastSound);
  beyond.count = count;
  const first = Math.min(...tail.map((run) => run.first));
  beyond.examples = [{ file, block: first }];
}
