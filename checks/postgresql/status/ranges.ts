/** Which pages of pg_xact, pg_multixact and pg_commit_ts must be there. Numbers go round at 2^32; so do pages. */

import { addExample } from '../examples.js';
import type { StatusKind } from '../log/changes.js';
import type { StatusFacts } from './facts.js';
import { PAGES_PER_SEGMENT, type StatusFiles, segmentFileName } from './files.js';

const NUMBERS = 2 ** 32;

/** Numbers from `first` on, before `end`. */
export interface NumberRange {
  first: number;
  end: number;
}

/** Pages that hold the numbers of a range, in order; none when it is empty. */
export function* pagesOf({ first, end }: NumberRange, perPage: number): Generator<number> {
  if (first === end) return;
  const pages = Math.ceil(NUMBERS / perPage);
  const last = Math.floor(((end - 1) >>> 0) / perPage);
  for (let page = Math.floor(first / perPage), done = 0; done <= pages; page = (page + 1) % pages, done++) {
    yield page;
    if (page === last && (done > 0 || first <= (end - 1) >>> 0)) return;
  }
}

/** Notes what of a range is missing, one example for each segment. `made`: pages that the log to be replayed makes. */
export function judgeRange(
  folder: string,
  files: StatusFiles,
  range: NumberRange,
  perPage: number,
  made: ReadonlySet<string>,
  kind: StatusKind,
  facts: StatusFacts,
): void {
  const gaps = new Map<number, { pages: number; from: number }>();
  for (const page of pagesOf(range, perPage)) {
    facts.pages++;
    if (files.has(page) || (made.size > 0 && made.has(`${kind} ${page}`))) continue;
    const segment = Math.floor(page / PAGES_PER_SEGMENT);
    const gap = gaps.get(segment);
    if (gap) gap.pages++;
    else gaps.set(segment, { pages: 1, from: page === Math.floor(range.first / perPage) ? range.first : page * perPage });
  }
  for (const [segment, { pages, from }] of gaps) addExample(facts.missing, { file: `${folder}/${segmentFileName(segment * PAGES_PER_SEGMENT)}`, pages, from });
}
