/** The rules of truth as a pure fold: what was tested, what was not, and what it proves. No I/O, no clock, no order dependence. */
import type { CheckResult, Consistency, CoverageItem, Inspection, UntestedItem, Verdict, VerdictWord } from '../types.js';
import { foldConsistency } from './consistency.js';
import { collectUntested, isJudged } from './coverage.js';
import { foldInstances } from './instances.js';
import { foldReasons } from './reasons.js';
import { foldRecovery } from './recovery.js';

export interface VerdictInput {
  checks: CheckResult[];
  /** Null when the inside of the disks could not be looked at. */
  inspection: Inspection | null;
  declared: Consistency;
  /** Ids of all checks, causes before their consequences; decides which reason is told first. */
  order?: string[];
  /** What the runner left out, such as what the policy skips. */
  extraUntested: UntestedItem[];
}

/**
 * `failed`: a required check failed. `inconclusive`: none failed, but a required one errored, or something that holds data was not tested,
 * or nothing was tested at all. Else `passed`.
 */
export function foldVerdict(input: VerdictInput): Verdict {
  const instances = foldInstances(input.checks, input.inspection);
  const untested = collectUntested({ ...input, instances });
  const verdict = foldWord(input.checks, untested);
  const { observed, why } = foldConsistency(input.checks, input.inspection);
  const consistency = { declared: input.declared, observed, why };
  const recovery = foldRecovery(input.checks);
  return {
    verdict,
    reasons: foldReasons({ order: input.order ?? [], verdict, checks: input.checks, untested, recovery, consistency }),
    consistency,
    recovery,
    instances,
    ways: input.checks.flatMap(({ way }) => way ?? []),
    coverage: { tested: collectTested(input.checks), untested },
  };
}

function foldWord(checks: CheckResult[], untested: UntestedItem[]): VerdictWord {
  const required = checks.filter((check) => check.required);
  if (required.some((check) => check.outcome === 'fail')) return 'failed';
  const inconclusive = required.some((check) => check.outcome === 'error') || untested.some((item) => item.holdsData) || !checks.some(isJudged);
  return inconclusive ? 'inconclusive' : 'passed';
}

/** Only what a check really judged counts, whatever an errored one claims. */
function collectTested(checks: CheckResult[]): CoverageItem[] {
  const items = checks.filter(isJudged).flatMap((check) => check.tested);
  return [...new Map(items.map((item) => [JSON.stringify([item.what, item.how]), item])).values()];
}
