/**
 * Alive or hung: the decision, from what was seen. Pure. A verdict needs an answer to a stimulus, or its absence together with
 * signals that agree; a text, a busy processor or silence alone decides nothing. What fits no rule is `unknown`: never a pass, never a hang.
 */
import type { VerdictWord } from '../../../src/types.js';
import type { LifeState } from '../../../src/ways.js';
import type { LifeEvidence, ProbeResult, ProofLevel, Recognised, TextMeaning } from '../evidence.js';
import { type Activity, activityOf, stillEnd } from './signals.js';

export interface LifeOptions {
  /** `expected`: only an orderly shutdown at the power button makes a pass. `ignored`: a service that answers does. */
  powerButton: 'expected' | 'ignored';
  /** How long a guest may leave every stimulus unanswered before it counts as hung: seconds that it really had. */
  patienceSeconds: number;
}

export interface Decision {
  state: LifeState;
  verdict: VerdictWord;
  why: string;
}

/** Everything that the rules ask for, worked out once. */
export interface Scene {
  evidence: LifeEvidence;
  options: LifeOptions;
  activity: Activity;
  proof: ProofLevel | null;
  power: ProbeResult | undefined;
  restarts: number;
}

type Rule = (scene: Scene) => Decision | null;

export function decide(evidence: LifeEvidence, options: LifeOptions): Decision {
  const scene: Scene = {
    ...{ evidence, options, activity: activityOf(evidence.looks), proof: strongestProof(evidence.probes) },
    power: evidence.probes.find(({ kind }) => kind === 'power'),
    restarts: evidence.events.filter(({ event, data }) => event === 'RESET' && data.guest === true).length,
  };
  for (const rule of RULES) {
    const decision = rule(scene);
    if (decision) return decision;
  }
  return inconclusive('unknown', notSure(scene));
}

const LEVELS: ProofLevel[] = ['processor', 'kernel', 'user-space', 'orderly'];

function strongestProof(probes: ProbeResult[]): ProofLevel | null {
  const levels = probes.flatMap(({ proves }) => (proves === null ? [] : [LEVELS.indexOf(proves)]));
  return LEVELS[Math.max(...levels)] ?? null;
}

const atLeast = (proof: ProofLevel | null, level: ProofLevel): boolean => proof !== null && LEVELS.indexOf(proof) >= LEVELS.indexOf(level);

const failed = (state: LifeState, why: string): Decision => ({ state, verdict: 'failed', why });
const inconclusive = (state: LifeState, why: string): Decision => ({ state, verdict: 'inconclusive', why });

const said = ({ evidence }: Scene, meaning: TextMeaning, fresh = false): Recognised | undefined =>
  evidence.recognised.find((text) => text.meaning === meaning && (text.fresh || !fresh));

/** That it stands there now. A resumed screen keeps what a boot once wrote above: there only the last line counts. */
function shows(scene: Scene, meaning: TextMeaning): Recognised | undefined {
  const { way, prompt } = scene.evidence;
  if (way === 'boot') return said(scene, meaning);
  return prompt?.meaning === meaning ? prompt : undefined;
}

const quoted = ({ text, source }: Recognised): string => `the ${source === 'serial' ? 'serial line' : 'screen'} says "${text}"`;

/** In this order: what settles everything, then proof of life, then named ends, then silence. */
const RULES: Rule[] = [
  overlayFull,
  troubleOfThisHost,
  timerTrouble,
  panickedByEvent,
  restartsForEver,
  continuedByRestarting,
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

function overlayFull({ evidence }: Scene): Decision | null {
  if (evidence.ending !== 'overlay-full') return null;
  return inconclusive('unknown', `It was stopped at a limit of this run. ${evidence.trouble?.message ?? ''}`.trim());
}

/** What the guest does with a disk that fails here says nothing about the guest. */
function troubleOfThisHost({ evidence }: Scene): Decision | null {
  const { trouble } = evidence;
  return trouble && trouble.kind !== 'overlay-limit' ? inconclusive('unknown', trouble.message) : null;
}

const TIMER_PANIC = /IO-APIC \+ timer doesn't work|timer doesn't work through/;

/** A kernel that starts while the host has no time for it may miss the few ticks by which it tries its timer. It says nothing about the guest. */
export function isTimerTrouble({ way, recognised }: LifeEvidence): boolean {
  return way === 'boot' && recognised.some(({ meaning, text }) => meaning === 'panic' && TIMER_PANIC.test(text));
}

function timerTrouble({ evidence, proof }: Scene): Decision | null {
  if (!isTimerTrouble(evidence) || atLeast(proof, 'user-space')) return null;
  return inconclusive('unknown', 'Its kernel gave up while it tried its timer, as it does where the host has too little time for it.');
}

function panickedByEvent({ evidence }: Scene): Decision | null {
  if (!evidence.events.some(({ event }) => event === 'GUEST_PANICKED' || event === 'GUEST_CRASHLOADED')) return null;
  return failed('panicked', 'The operating system reported that it had panicked.');
}

const LOOP_RESTARTS = 3;

function restartsForEver({ restarts }: Scene): Decision | null {
  return restarts >= LOOP_RESTARTS ? failed('boot-loop', `It restarted itself ${restarts} times and never came to its work.`) : null;
}

/** A resumed machine goes on where it was. One that starts anew had died, or was just restarting when it was saved. */
function continuedByRestarting(scene: Scene): Decision | null {
  if (scene.evidence.way !== 'resume' || scene.restarts === 0) return null;
  const panic = said(scene, 'panic');
  if (panic) return failed('panicked', `It restarted instead of going on, and ${quoted(panic)}.`);
  return inconclusive('unknown', 'It restarted by itself instead of going on from where it was saved.');
}

/** The strongest proof there is: programs, file systems and disks all did their part. Fresh complaints of a resumed guest still count. */
function shutDownInOrder(scene: Scene): Decision | null {
  const { evidence, power, activity } = scene;
  if (evidence.ending !== 'powered-off' || power?.answered !== true) return null;
  const starved = lockupOfThisHost(scene);
  if (starved) return starved;
  const complaint = said(scene, 'io-error', true) ?? (evidence.way === 'resume' ? (said(scene, 'hung-task', true) ?? said(scene, 'lockup', true)) : undefined);
  if (complaint) return failed(complaint.meaning === 'io-error' ? 'io-hang' : 'partial-hang', `It shut down when asked, but ${quoted(complaint)}.`);
  const missing = evidence.probes.find(({ kind, required, answered }) => kind === 'service' && required && !answered);
  if (missing) return failed('alive', `It lives and shuts down in order, but a service that the policy names does not answer: ${missing.what}.`);
  return {
    state: livelyState(activity, evidence),
    verdict: 'passed',
    why: `It answered and shut down in order when the power button was pressed${afterPower(power)}.`,
  };
}

const afterPower = ({ afterMs }: ProbeResult): string => (afterMs === null ? '' : `, within ${(afterMs / 1000).toFixed(1)} s`);

function livelyState({ busy, diskRequests }: Activity, { way }: LifeEvidence): LifeState {
  if (way === 'boot') return 'alive';
  if (busy.length > 0 && busy.every((share) => share > 0.9)) return 'alive-busy';
  return diskRequests === 0 && busy.every((share) => share < 0.2) ? 'alive-idle' : 'alive';
}

function waitsForSecret(scene: Scene): Decision | null {
  const { evidence } = scene;
  if (evidence.prompt?.meaning !== 'passphrase' || said(scene, 'panic', true)) return null;
  const disk = evidence.encrypted ? ' and its disks hold an encrypted volume' : '';
  return inconclusive('needs-passphrase', `It waits for a passphrase: ${quoted(evidence.prompt)}${disk}. Nothing is known to be wrong.`);
}

function emergency(scene: Scene): Decision | null {
  const text = said(scene, 'emergency', scene.evidence.way === 'boot');
  if (!text || scene.evidence.probes.some(({ kind, answered, proves }) => kind === 'service' && answered && proves === 'user-space')) return null;
  return failed('emergency-shell', `It stands in an emergency shell instead of doing its work: ${quoted(text)}.`);
}

function panickedByText(scene: Scene): Decision | null {
  const text = said(scene, 'panic');
  if (!text || atLeast(scene.proof, 'user-space') || scene.proof === 'kernel') return null;
  return failed('panicked', `It answers nothing, and ${quoted(text)}.`);
}

const reachedKernel = ({ evidence }: Scene): boolean => evidence.stages.some(({ stage }) => stage !== 'firmware' && stage !== 'loader');

function noBootDevice(scene: Scene): Decision | null {
  const text = shows(scene, 'no-boot-device');
  if (!text || reachedKernel(scene) || atLeast(scene.proof, 'user-space')) return null;
  if (scene.evidence.bootEntriesMissing) {
    return inconclusive(
      'no-boot-device',
      `Its firmware had a list of its own of what to start, which is not in the restore point, and finds nothing without it: ${quoted(text)}.`,
    );
  }
  return failed('no-boot-device', `The firmware finds nothing to start: ${quoted(text)}.`);
}

function loaderFailed(scene: Scene): Decision | null {
  const text = shows(scene, 'loader-failed');
  if (!text || reachedKernel(scene) || atLeast(scene.proof, 'user-space')) return null;
  return failed('stuck-in-loader', `The boot loader does not come further: ${quoted(text)}.`);
}

const STUCK_REQUESTS_MS = 10_000;

function requestsStuck({ activity, evidence }: Scene): Decision | null {
  if (activity.stuckRequestsMs < STUCK_REQUESTS_MS) return null;
  // The limit of the lab would be our fault, not the guest's.
  if (evidence.looks.some(({ disks }) => disks.some(({ failed }) => failed > 0))) return null;
  return failed('io-hang', `Disk requests stood unanswered for ${(activity.stuckRequestsMs / 1000).toFixed(0)} s although the disk has nothing else to do.`);
}

/** Watchdogs of a kernel measure on the wall: a vCPU that the host leaves without time for half of their patience may not hang at all. */
const STARVED_MS = 10_000;

function lockupOfThisHost(scene: Scene): Decision | null {
  const { starvedMs } = scene.activity;
  const text = starvedMs < STARVED_MS ? undefined : said(scene, 'lockup', true);
  if (!text) return null;
  const seconds = (starvedMs / 1000).toFixed(0);
  return inconclusive(
    'unknown',
    `${capital(quoted(text))}, but this host gave a processor of it no time for ${seconds} s: verify it again when less runs beside it.`,
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** A kernel that still hangs says so again; what an old screen shows is over. */
function lockedUp(scene: Scene): Decision | null {
  const text = said(scene, 'lockup', true);
  if (!text) return null;
  const others = atLeast(scene.proof, 'user-space');
  return failed(others ? 'partial-hang' : 'soft-hang', `A processor hangs: ${quoted(text)}${others ? ', while others go on' : ''}.`);
}

function tasksHang(scene: Scene): Decision | null {
  const text = said(scene, 'hung-task', true);
  return text ? failed('io-hang', `Programs wait for their disks and never go on: ${quoted(text)}.`) : null;
}

function serviceAnswers(scene: Scene): Decision | null {
  const { evidence, options, power, activity } = scene;
  const service = evidence.probes.find(({ kind, answered, proves }) => kind === 'service' && answered && atLeast(proves, 'user-space'));
  if (!service) return null;
  const missing = evidence.probes.find(({ kind, required, answered }) => kind === 'service' && required && !answered);
  if (missing) return failed('alive', `It lives, but a service that the policy names does not answer: ${missing.what}.`);
  if (evidence.ending === 'suspended' || options.powerButton === 'ignored') {
    if (hasStuckProcessor(activity))
      return inconclusive('partial-hang', `${service.what}, but one processor ran without pause all the time and did nothing that can be seen.`);
    return { state: livelyState(activity, evidence), verdict: 'passed', why: `A service answered: ${service.what}.` };
  }
  const pressed = power ? 'it does not react to the power button' : 'the power button was not pressed';
  return inconclusive(
    'unknown',
    `A service answered (${service.what}), but ${pressed}: a part of it may hang. If this guest ignores the button by design, say so in the policy.`,
  );
}

export const hasStuckProcessor = ({ busy }: Activity): boolean => busy.length > 1 && busy.some((share) => share > 0.93) && busy.some((share) => share < 0.5);

/** No stimulus was answered, and nothing moved, for as long as the policy's patience, of time that the guest really had. */
function silent({ evidence, proof, options }: Scene): Decision | null {
  if (atLeast(proof, 'kernel') || evidence.probes.length === 0) return null;
  const { hadMs, busy } = stillEnd(evidence.looks);
  if (hadMs < options.patienceSeconds * 1000) return null;
  const seconds = `${(hadMs / 1000).toFixed(0)} s`;
  if (proof === null && busy.every((share) => share < STILL)) {
    return failed('dead-halt', `The processors stand still for good: in ${seconds} none of them woke, whatever was tried.`);
  }
  if (!busy.some((share) => share > SPINNING)) return null;
  return failed('hard-hang', `A processor runs in a circle: in ${seconds} nothing moved and nothing answered, whatever was tried.`);
}

const STILL = 0.01;
const SPINNING = 0.9;

function stuckInLoader(scene: Scene): Decision | null {
  const { activity, options } = scene;
  if (reachedKernel(scene) || atLeast(scene.proof, 'user-space')) return null;
  if (activity.hadMs < options.patienceSeconds * 1000) return null;
  const text = shows(scene, 'loader');
  return text ? failed('stuck-in-loader', `It never left the boot loader: ${quoted(text)}.`) : null;
}

function notSure({ evidence, proof, activity, options }: Scene): string {
  const had = `${(activity.hadMs / 1000).toFixed(0)} s`;
  if (proof === 'kernel')
    return `Its kernel answers, but no service did, and the power button led to nothing in ${had}. If it offers no service and ignores the button by design, say so in the policy.`;
  if (activity.hadMs < options.patienceSeconds * 1000) return `There was not enough time to tell: it had ${had} of processor time.`;
  return `It moves, but answered nothing in ${had}${evidence.way === 'boot' ? '; it may still be starting' : ''}.`;
}
