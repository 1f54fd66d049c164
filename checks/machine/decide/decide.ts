/**
 * Alive or hung: the decision, from what was seen. Pure. A verdict needs an answer to a stimulus, or its absence together with
 * signals that agree; a text, a busy processor or silence alone decides nothing. What fits no rule is `unknown`: never a pass, never a hang.
 */
import type { LifeState } from '../../../src/ways.js';
import type { LifeEvidence, ProbeResult } from '../evidence.js';
import {
  continuedByRestarting,
  emergency,
  loaderFailed,
  noBootDevice,
  panickedByEvent,
  panickedByText,
  restartsForEver,
  startsInEmergency,
  stuckInLoader,
  waitsForSecret,
} from './ends.js';
import { hasStuckProcessor, lockedUp, neverPauses, requestsStuck, silent, tasksHang } from './hangs.js';
import { atLeast, type Decision, failed, inconclusive, type LifeOptions, quoted, type Rule, type Scene, said, sceneOf } from './scene.js';
import { activityOf } from './signals.js';
import { lockupOfThisHost, overlayFull, timerTrouble, troubleOfThisHost } from './this-host.js';

export type { Decision, LifeOptions } from './scene.js';

export function decide(evidence: LifeEvidence, options: LifeOptions): Decision {
  const scene = sceneOf(evidence, options);
  for (const rule of RULES) {
    const decision = rule(scene);
    if (decision) return decision;
  }
  return inconclusive('unknown', notSure(scene));
}

/** In this order: what settles everything, then proof of life, then named ends, then silence. */
const RULES: Rule[] = [
  overlayFull,
  troubleOfThisHost,
  timerTrouble,
  panickedByEvent,
  restartsForEver,
  continuedByRestarting,
  startsInEmergency,
  shutDownInOrder,
  waitsForSecret,
  emergency,
  panickedByText,
  noBootDevice,
  loaderFailed,
  requestsStuck,
  lockupOfThisHost,
  lockedUp,
  tasksHang,
  serviceAnswers,
  stuckInLoader,
  silent,
];

/** The strongest proof there is: programs, file systems and disks all did their part. Fresh complaints of a resumed guest still count. */
function shutDownInOrder(scene: Scene): Decision | null {
  const { evidence, power } = scene;
  if (evidence.ending !== 'powered-off' || power?.answered !== true) return null;
  const starved = lockupOfThisHost(scene);
  if (starved) return starved;
  const complaint = said(scene, 'io-error', true) ?? (evidence.way === 'resume' ? (said(scene, 'hung-task', true) ?? said(scene, 'lockup', true)) : undefined);
  if (complaint) return failed(complaint.meaning === 'io-error' ? 'io-hang' : 'partial-hang', `It shut down when asked, but ${quoted(complaint)}.`);
  const missing = evidence.probes.find(({ kind, required, answered }) => kind === 'service' && required && !answered);
  if (missing) return failed('alive', `It lives and shuts down in order, but a service that the policy names does not answer: ${missing.what}.`);
  const hanging = neverPauses(scene);
  if (hanging) return hanging;
  return {
    state: livelyState(scene),
    verdict: 'passed',
    why: `It answered and shut down in order when the power button was pressed${afterPower(power)}.`,
  };
}

const afterPower = ({ afterMs }: ProbeResult): string => (afterMs === null ? '' : `, within ${(afterMs / 1000).toFixed(1)} s`);

/** By what it did before it was asked to shut down, if that was long enough: at first, emulation keeps a processor busy that has little to do. */
function livelyState({ evidence, power }: Scene): LifeState {
  if (evidence.way === 'boot') return 'alive';
  const { hadMs, busy, diskRequests } = activityOf(evidence.looks.filter(({ wallMs }) => wallMs <= (power?.wallMs ?? Number.POSITIVE_INFINITY)));
  if (hadMs < LONG_ENOUGH_MS) return 'alive';
  if (busy.every((share) => share > 0.9)) return 'alive-busy';
  return diskRequests === 0 && busy.every((share) => share < 0.2) ? 'alive-idle' : 'alive';
}

const LONG_ENOUGH_MS = 1_500;

function serviceAnswers(scene: Scene): Decision | null {
  const { evidence, options, power, activity } = scene;
  const service = evidence.probes.find(({ kind, answered, proves }) => kind === 'service' && answered && atLeast(proves, 'user-space'));
  if (!service) return null;
  const missing = evidence.probes.find(({ kind, required, answered }) => kind === 'service' && required && !answered);
  if (missing) return failed('alive', `It lives, but a service that the policy names does not answer: ${missing.what}.`);
  if (evidence.ending === 'suspended' || options.powerButton === 'ignored') {
    if (hasStuckProcessor(activity))
      return inconclusive('partial-hang', `${service.what}, but one processor ran without pause all the time and did nothing that can be seen.`);
    return { state: livelyState(scene), verdict: 'passed', why: `A service answered: ${service.what}.` };
  }
  const pressed = power ? 'it does not react to the power button' : 'the power button was not pressed';
  return inconclusive(
    'unknown',
    `A service answered (${service.what}), but ${pressed}: a part of it may hang. If this guest ignores the button by design, say so in the policy.`,
  );
}

function notSure({ evidence, proof, activity, options }: Scene): string {
  const had = `${(activity.hadMs / 1000).toFixed(0)} s`;
  if (proof === 'kernel')
    return `Its kernel answers, but no service did, and the power button led to nothing in ${had}. If it offers no service and ignores the button by design, say so in the policy.`;
  if (activity.hadMs < options.patienceSeconds * 1000) return `There was not enough time to tell: it had ${had} of processor time.`;
  return `It moves, but answered nothing in ${had}${evidence.way === 'boot' ? '; it may still be starting' : ''}.`;
}
