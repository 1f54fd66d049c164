/**
 * What a walk over the bytes of a database found wrong, and the judgement that follows: everything is counted, the first
 * examples of each code are kept, so that evidence stays a few kilobytes whatever the damage.
 */
import type { CoverageItem, Finding, InstanceState, Judgement, RecoveryEffort, UntestedItem } from '../types.js';

/** A finding, and what it makes of the instance; null: nothing, it is only told. */
export interface Problem extends Finding {
  state: InstanceState | null;
}

/** Plain JSON. Counts are by severity and code (`critical lmdb.page`): warnings must not crowd out what is critical. */
export interface ProblemReport {
  counts: Record<string, number>;
  examples: Problem[];
}

const EXAMPLES_OF_EACH = 5;
const MAX_TEXT = 300;

export class Problems {
  private readonly counts = new Map<string, number>();
  private readonly examples: Problem[] = [];

  /** The first of each code is always kept: what fails a database is never crowded out by what is only told. */
  add(problem: Problem): void {
    const key = keyOf(problem);
    const seen = this.counts.get(key) ?? 0;
    this.counts.set(key, seen + 1);
    if (seen >= EXAMPLES_OF_EACH) return;
    this.examples.push({ ...problem, message: problem.message.slice(0, MAX_TEXT) });
  }

  /** Something that is not what was written: critical, and the instance is damaged. */
  damaged(code: string, message: string, where: Finding['where']): void {
    this.add({ code, message, where, severity: 'critical', state: 'damaged' });
  }

  report(): ProblemReport {
    return { counts: Object.fromEntries(this.counts), examples: this.examples };
  }
}

const keyOf = ({ severity, code }: Finding): string => `${severity} ${code}`;

/** Worst last. `unknown` outranks what is sound: it could be anything, but nothing speaks for damage. */
const STATES: InstanceState[] = ['clean', 'recoverable', 'lost-tail', 'unknown', 'non-atomic', 'damaged'];

export function worstState(states: InstanceState[]): InstanceState {
  return states.reduce((worst, state) => (STATES.indexOf(state) > STATES.indexOf(worst) ? state : worst), 'clean');
}

export interface ProblemJudgement {
  reports: ProblemReport[];
  /** What it is when nothing was found. */
  soundState: InstanceState;
  /** Said when nothing critical was found. */
  passSummary: string;
  /** Said when something was. */
  advice: string;
  /** Name for the summary of a failure: "the RDB file /data/dump.rdb". */
  what: string;
  consistency?: Judgement['consistency'];
  recovery?: RecoveryEffort;
  tested: CoverageItem[];
  untested: UntestedItem[];
}

/** Fails when there is anything critical. What could not be looked at makes the state unknown unless something worse is proven. */
export function judgeProblems(input: ProblemJudgement): Judgement {
  const examples = input.reports.flatMap((report) => report.examples);
  const findings = [...examples.map(({ state: _, ...finding }) => finding), ...input.reports.flatMap(uncounted)];
  const critical = examples.filter(({ severity }) => severity === 'critical');
  const open = input.untested.some(({ holdsData }) => holdsData);
  const states = examples.flatMap(({ state }) => state ?? []);
  const instanceState = worstState([input.soundState, ...states, ...(open ? (['unknown'] as const) : [])]);
  const { tested, untested, recovery } = input;
  const common = { findings, tested, untested, instanceState, ...(recovery ? { recovery } : {}) };
  const first = critical[0];
  if (!first) return { outcome: 'pass', summary: input.passSummary, ...common, ...(input.consistency ? { consistency: input.consistency } : {}) };
  const summary = `${input.what}: ${first.message}`;
  return { outcome: 'fail', summary, advice: input.advice, consistency: { level: 'none', why: summary }, ...common };
}

function uncounted({ counts, examples }: ProblemReport): Finding[] {
  return Object.entries(counts).flatMap(([key, count]) => {
    const kept = examples.filter((example) => keyOf(example) === key);
    const [first] = kept;
    const rest = count - kept.length;
    return first && rest > 0 ? [{ code: first.code, severity: first.severity, message: `There are ${rest} more findings of this kind.`, where: {} }] : [];
  });
}
