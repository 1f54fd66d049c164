/** Touches a machine, gentle things first: its consoles, its network, its power button; and waits for what comes of it. */
import type { Look } from '../../src/ways.js';
import { hasStuckProcessor } from './decide/hangs.js';
import { activityOf, isFlat, isStill, onlyTicks, runsNoProgram, stillEnd } from './decide/signals.js';
import type { ProbeResult } from './evidence.js';
import { hasEnded, type Plan } from './plan.js';
import { greet, isEven } from './probes/greeting.js';
import { probeKeys, probeLights, probeSerial, probeSysrq } from './probes/keys.js';
import { isSuspended, probePower } from './probes/power.js';
import { saysItEnds, standsBeforeKernel } from './starting.js';
import type { Watch } from './watch/watch.js';

/** Also for a glance at its picture: menus of loaders hold little text. */
const SETTLE_MS = 1_500;
/** Of wall time, while its power button is waited for: prompts of firmware hold some text. */
const READING_MS = 5_000;
/** A vCPU that never pauses beside others that do: watchdogs of the guest need so long to complain. */
const WATCHDOG_MS = 45_000;

export const isKernelAlive = (probes: readonly ProbeResult[]): boolean => probes.some(({ proves }) => proves === 'kernel');

export async function settle(watch: Watch): Promise<void> {
  await Promise.all([watch.pause(SETTLE_MS), watch.readPicture(SETTLE_MS).catch(() => undefined)]);
}

/** Touches what somebody at the machine would touch. */
export type AskConsoles = (watch: Watch, plan: Plan) => Promise<ProbeResult[]>;

export async function askConsoles(watch: Watch): Promise<ProbeResult[]> {
  const probes: ProbeResult[] = [];
  for (const probe of [probeLights, probeKeys, probeSerial]) {
    const result = hasEnded(watch) ? null : await probe(watch);
    if (result) probes.push(result);
  }
  return probes;
}

/** A system that surely runs is greeted. Where that does not tell, it is looked at before it is asked; and where a processor may hang, before it is shut down. */
export async function askRunning(watch: Watch, plan: Plan): Promise<ProbeResult[]> {
  const greeting = await greet(watch);
  if (greeting.length > 0 && isEven(watch) && !plan.mayHang) return greeting;
  await settle(watch);
  watch.noteQuestion();
  return greeting.length > 0 ? greeting : askConsoles(watch);
}

/** One that has just come up: a prompt may be there before somebody listens. */
export async function askArrived(watch: Watch): Promise<ProbeResult[]> {
  const greeting = await greet(watch);
  return greeting.length > 0 ? greeting : askConsoles(watch);
}

/** @param probes what answered before; what answers now is added to them @returns all of them */
export async function touch(watch: Watch, plan: Plan, ask: AskConsoles, probes: ProbeResult[] = []): Promise<ProbeResult[]> {
  if (hasEnded(watch)) return probes;
  const note = async (probe: Promise<ProbeResult | null>): Promise<void> => {
    const result = await probe;
    if (result) probes.push(result);
  };
  const start = watch.last;
  watch.noteQuestion();
  // Looking for it takes a second, beside the keys.
  const network = plan.askNetwork(watch);
  network.catch(() => undefined);
  probes.push(...(await ask(watch, plan)));
  if (!hasEnded(watch)) probes.push(...(await askServices(watch, plan, network, { touchedAt: start.wallMs, isKnown: isKernelAlive(probes) })));
  if (!hasEnded(watch) && (plan.suspicious || hasStuckProcessor(activityOf(watch.looks))))
    await watch.until(() => hasEnded(watch) || locksUp(watch), WATCHDOG_MS - hungFor(watch));
  if (!hasEnded(watch)) await pressPower(watch, plan, { probes, note, start });
  if (!hasEnded(watch) && !isSuspended(watch)) await awaitSilence(watch, plan.patience.silenceMs, start);
  return probes;
}

const LAST_HANDLERS_MS = 2_000;

/** Before silence counts, it must have lasted: since the first touch, and where something still moved then and nothing does now, since that. */
async function awaitSilence(watch: Watch, silenceMs: number, start: Look): Promise<void> {
  const missing = silenceMs - watch.had(start);
  if (missing > 0) await watch.until(() => hasEnded(watch), missing);
  const [ticking = 0, flat = 0] = [onlyTicks, isFlat].map((quiet) => stillEnd(watch.looks, quiet).hadMs);
  // Its last handlers ran a moment after all else had ended.
  const still = ticking - flat < LAST_HANDLERS_MS ? flat : ticking;
  if (still >= silenceMs / 2 && still < silenceMs) await watch.until(() => hasEnded(watch), silenceMs - still);
}

/** What hung when it was saved hangs since it goes on; after a boot nobody knows since when. */
const hungFor = (watch: Watch): number => (watch.machine.way === 'resume' ? watch.had() : 0);

export const locksUp = (watch: Watch): boolean => watch.recognised.some(({ meaning, fresh }) => fresh && (meaning === 'lockup' || meaning === 'hung-task'));

/** Asked again until one answers: services of a system that was just started come one after the other. */
async function askServices(
  watch: Watch,
  plan: Plan,
  first: Promise<ProbeResult[]>,
  { touchedAt, isKnown }: { touchedAt: number; isKnown: boolean },
): Promise<ProbeResult[]> {
  const start = watch.last;
  for (let asked = first; ; asked = plan.askNetwork(watch)) {
    // Where the consoles have told that it lives, being found adds nothing.
    if (isKnown && !plan.asksServices) return (await Promise.race([asked, undefined])) ?? [];
    const answers = await watch.during(asked, () => hasEnded(watch));
    if (answers === null) return [];
    const waiting = answers.some(({ kind, answered }) => kind === 'service' && !answered);
    // Whom nobody found while it was still starting; but it need not be found if there is nothing to ask, and it is known to live.
    const tooEarly = answers.some(({ kind, answered, wallMs }) => kind === 'link' && !answered && wallMs < touchedAt);
    if (tooEarly && (waiting || !isKnown)) continue;
    const limit = answers.some(({ answered }) => answered) || watch.machine.way === 'boot' ? plan.patience.serviceMs : 0;
    if (!waiting || hasEnded(watch) || watch.had(start) >= limit) return answers;
    await watch.pause(1_000);
  }
}

/** The answer of a living system comes in seconds; where nothing answered before, a processor is known to hang, or a boot ended, no more is waited for. */
const LEAST_POWER_MS = 20_000;

interface Touching {
  probes: readonly ProbeResult[];
  note: (probe: Promise<ProbeResult | null>) => Promise<void>;
  /** The last look before it was touched. */
  start: Look;
}

/** Before silence counts, everything is tried once more. */
async function pressPower(watch: Watch, { patience, systemRuns }: Plan, { probes, note, start }: Touching): Promise<void> {
  const silent = !probes.some(({ answered }) => answered);
  const ended = locksUp(watch) || saysItEnds(watch);
  const left = ended ? 0 : patience.silenceMs - watch.had(start);
  const limit = silent || ended ? Math.min(patience.powerMs, Math.max(LEAST_POWER_MS, left)) : patience.powerMs;
  const before = watch.last;
  // Whether it stands in its firmware, a picture tells while it is waited for.
  const reading = systemRuns || probes.some(({ proves }) => proves === 'user-space') ? null : watch.readPicture(READING_MS).catch(() => undefined);
  await note(probePower(watch, limit, () => watch.had(before) >= LEAST_POWER_MS && isInVain(watch, before)));
  await reading;
  if (hasEnded(watch) || isSuspended(watch)) return;
  await note(probeSysrq(watch));
  if (!hasEnded(watch)) await note(probeLights(watch));
}

/**
 * No system is there that could take notice, and nothing shows that one is there after all; or its kernel says that a processor hangs,
 * and it is known that no program ran since.
 */
function isInVain(watch: Watch, since: Look): boolean {
  const activity = activityOf(watch.looks.slice(watch.looks.indexOf(since)));
  if (standsBeforeKernel(watch)) return isStill(activity);
  return watch.recognised.some(({ meaning, fresh }) => fresh && meaning === 'lockup') && runsNoProgram(activity);
}
