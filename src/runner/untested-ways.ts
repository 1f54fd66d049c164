/** The ways back that this run did not try: said in every record, so that a pass never claims them. */
import type { CheckResult, Policy, RestorePoint, UntestedItem } from '../types.js';
import type { Way } from '../ways.js';
import { depthReaches } from './run-checks.js';

const WHAT: Record<Way, string> = { boot: 'a cold boot from the disks', resume: 'resuming from the saved memory' };

/** What the policy asks for and was not tried makes the verdict inconclusive; what nobody asked for is only said. What was tried speaks for itself. */
export function untestedWays(restorePoint: RestorePoint, policy: Policy, checks: CheckResult[]): UntestedItem[] {
  return (['boot', 'resume'] as const).flatMap((way) => {
    if (checks.some(({ target, outcome, stage }) => stage === 'life' && target === way && outcome !== 'skip')) return [];
    return gap(way, restorePoint, policy);
  });
}

function gap(way: Way, { memory }: RestorePoint, { depth }: Policy): UntestedItem[] {
  const what = WHAT[way];
  const asked = depthReaches(depth, way);
  if (way === 'resume' && !memory) {
    // `full` means all ways that there are.
    return depth === 'resume' ? [{ what, why: 'the policy asks for it, and the restore point holds no saved memory', holdsData: true }] : [];
  }
  if (asked) return [{ what, why: 'the policy asks for it, and nothing came of it', holdsData: true }];
  return [{ what, why: `not part of depth "${depth}"`, holdsData: false }];
}
