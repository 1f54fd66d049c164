/** Something stands and never goes on: a disk, a processor, programs, or all of it. Pure. */
import { atLeast, type Decision, failed, inconclusive, quoted, type Scene, said } from './scene.js';
import { type Activity, isFlat, leastShare, onlyTicks, stillEnd } from './signals.js';

const STUCK_REQUESTS_MS = 10_000;

export function requestsStuck({ activity, evidence }: Scene): Decision | null {
  if (activity.stuckRequestsMs < STUCK_REQUESTS_MS) return null;
  // The limit of the lab would be our fault, not the guest's.
  if (evidence.looks.some(({ disks }) => disks.some(({ failed }) => failed > 0))) return null;
  return failed('io-hang', `Disk requests stood unanswered for ${(activity.stuckRequestsMs / 1000).toFixed(0)} s although the disk has nothing else to do.`);
}

/** A kernel that still hangs says so again; what an old screen shows is over. */
export function lockedUp(scene: Scene): Decision | null {
  const text = said(scene, 'lockup', true);
  if (!text) return null;
  const others = atLeast(scene.proof, 'user-space');
  return failed(others ? 'partial-hang' : 'soft-hang', `A processor hangs: ${quoted(text)}${others ? ', while others go on' : ''}.`);
}

export function tasksHang(scene: Scene): Decision | null {
  const text = said(scene, 'hung-task', true);
  return text ? failed('io-hang', `Programs wait for their disks and never go on: ${quoted(text)}.`) : null;
}

/** No stimulus was answered, and nothing moved, for as long as the policy's patience, of time that the guest really had. */
export function silent({ evidence, proof, options }: Scene): Decision | null {
  if (atLeast(proof, 'kernel') || evidence.probes.length === 0) return null;
  const patienceMs = options.patienceSeconds * 1000;
  const still = stillEnd(evidence.looks, isFlat);
  const isDead = proof === null && still.busy.every((share) => share < STILL);
  if (isDead && still.hadMs >= patienceMs) {
    return failed('dead-halt', `The processors stand still for good: in ${seconds(still)} none of them woke, whatever was tried.`);
  }
  if (spins(still) && still.hadMs >= patienceMs) {
    return failed('hard-hang', `A processor runs in a circle: in ${seconds(still)} nothing moved and nothing answered, whatever was tried.`);
  }
  const ticking = stillEnd(evidence.looks, onlyTicks);
  if (!spins(ticking) || ticking.hadMs < patienceMs) return null;
  return failed(
    'soft-hang',
    `A processor runs in a circle: in ${seconds(ticking)} nothing but interrupts was handled and nothing answered, whatever was tried.`,
  );
}

/** A system that is shutting down leaves every processor something to wait for; one that hangs runs on beside it. */
export function neverPauses({ evidence, activity }: Scene): Decision | null {
  const { busy } = activity;
  if (evidence.way !== 'resume' || busy.length < 2) return null;
  if (!busy.some((share, index) => share > SPINNING && leastShare(evidence.looks, index) > PAUSING)) return null;
  return inconclusive('partial-hang', 'It shut down when asked, but one of its processors ran without a pause from the first moment to the last: it may hang.');
}

const spins = ({ busy }: Activity): boolean => busy.some((share) => share > SPINNING);
const seconds = ({ hadMs }: Activity): string => `${(hadMs / 1000).toFixed(0)} s`;
const STILL = 0.01;
const SPINNING = 0.9;
const PAUSING = 0.8;

export const hasStuckProcessor = ({ busy }: Activity): boolean => busy.length > 1 && busy.some((share) => share > 0.93) && busy.some((share) => share < 0.5);
