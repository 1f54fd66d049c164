/**
 * Collects what the page walk finds wrong: everything counted, the first examples kept, so that evidence stays small.
 * Unlike the problems of `src/bytes/problems.ts` these are observations, not findings: a page, its tree and half a sentence.
 * Each is critical; the check makes the sentence, so that the evidence of each of up to 20 pages is short and records stored so far can be judged again.
 */
export interface Defect {
  code: string;
  /** A sentence part that goes on from "page 7 ...". */
  what: string;
  page: number;
  /** Name of the table or index it belongs to; empty when none is known. */
  tree: string;
}

export interface DefectReport {
  counts: Record<string, number>;
  examples: Defect[];
}

export const MAX_EXAMPLES = 20;
const MAX_NAME_LENGTH = 80;

export class Defects {
  private readonly counts: Record<string, number> = {};
  private readonly examples: Defect[] = [];

  add(code: string, page: number, tree: string, what: string): void {
    const seen = this.counts[code] ?? 0;
    this.counts[code] = seen + 1;
    if (this.examples.length < MAX_EXAMPLES) this.examples.push({ code, what, page, tree: tree.slice(0, MAX_NAME_LENGTH) });
  }

  report(): DefectReport {
    return { counts: this.counts, examples: this.examples };
  }
}
