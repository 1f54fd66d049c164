/** Collects what a pass finds wrong: everything counted, the first examples kept, so that evidence stays small. */
export interface Problem {
  code: string;
  /** A sentence part that goes on from "page 7 ...". */
  what: string;
  page: number;
  /** Name of the table or index it belongs to; empty when none is known. */
  tree: string;
}

export interface ProblemReport {
  counts: Record<string, number>;
  examples: Problem[];
}

export const MAX_EXAMPLES = 20;
const MAX_NAME_LENGTH = 80;

export class Problems {
  private readonly counts: Record<string, number> = {};
  private readonly examples: Problem[] = [];

  add(code: string, page: number, tree: string, what: string): void {
    const seen = this.counts[code] ?? 0;
    this.counts[code] = seen + 1;
    if (this.examples.length < MAX_EXAMPLES) this.examples.push({ code, what, page, tree: tree.slice(0, MAX_NAME_LENGTH) });
  }

  report(): ProblemReport {
    return { counts: this.counts, examples: this.examples };
  }
}
