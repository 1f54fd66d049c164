/** What a page pass found: counters, and of each kind of thing a count with a few examples. Plain data, small enough to be kept as evidence. */

export interface PageExample {
  file: string;
  block: number;
  [fact: string]: string | number;
}

export interface Tally {
  count: number;
  examples: PageExample[];
}

const MAX_EXAMPLES = 20;

export function emptyTallies<Kind extends string>(kinds: readonly Kind[]): Record<Kind, Tally> {
  return Object.fromEntries(kinds.map((kind) => [kind, { count: 0, examples: [] }])) as unknown as Record<Kind, Tally>;
}

export function keepExample(tally: Tally, example: PageExample): void {
  tally.count++;
  if (tally.examples.length < MAX_EXAMPLES) tally.examples.push(example);
}

/** Adds `more` to `into`. Examples are sorted by place, so that runs with other timing give the same evidence where all fit. */
export function addTallies<Kind extends string>(into: Record<Kind, Tally>, more: Record<Kind, Tally>): void {
  for (const kind of Object.keys(into) as Kind[]) {
    const tally = into[kind];
    tally.count += more[kind].count;
    const all = [...tally.examples, ...more[kind].examples].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.block - b.block));
    tally.examples = all.slice(0, MAX_EXAMPLES);
  }
}
