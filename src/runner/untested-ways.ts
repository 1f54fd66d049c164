/** The ways back that this run did not try: said in every record, so that a pass never claims them. */
import type { Policy, RestorePoint, UntestedItem } from '../types.js';

/** What the policy asks for and this version cannot do makes the verdict inconclusive; what nobody asked for is only said. */
export function untestedWays(restorePoint: RestorePoint, policy: Policy): UntestedItem[] {
  const items: UntestedItem[] = [];
  const boot = policy.depth === 'boot' || policy.depth === 'full';
  const resume = policy.depth === 'resume' || policy.depth === 'full';
  const asked = 'the policy asks for it, and this version of snapproof cannot do it yet';
  items.push({ what: 'a cold boot from the disks', why: boot ? asked : `not part of depth "${policy.depth}"`, holdsData: boot });
  if (restorePoint.memory) {
    const why = resume ? asked : `not part of depth "${policy.depth}": the saved memory was only read for its digest`;
    items.push({ what: 'resuming from the saved memory', why, holdsData: resume });
  }
  return items;
}
