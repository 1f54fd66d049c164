/**
 * How a machine that was brought back is watched and touched, gentle things first: look, keyboard and serial line, network, power button.
 * Everything is measured on the time that the guest really had, so that a slow host makes it longer and not wrong.
 */
import { hasStuckProcessor } from './decide/decide.js';
import { activityOf } from './decide/signals.js';
import type { Ending, LifeEvidence, ProbeResult, TextMeaning } from './evidence.js';
import { probeKeys, probeLights, probeSerial, probeSysrq } from './probes/keys.js';
import { isOff, isSuspended, probePower } from './probes/power.js';
import { thinned } from './watch/thinned.js';
import type { Watch } from './watch/watch.js';

export interface Patience {
  /** Without any answer, before silence counts. */
  silenceMs: number;
  /** From the power button to the end. */
  powerMs: number;
  /** Of a cold boot, as long as something moves. */
  bootMs: number;
  /** Of a service, once the system is up. */
  serviceMs: number;
  /** On the wall, whatever the host is busy with. */
  wallMs: number;
}

/** Asks the guest's network and services; empty when there is nothing to ask. Called until it answers or time is over. */
export type AskNetwork = (watch: Watch) => Promise<ProbeResult[]>;

export interface Plan {
  patience: Patience;
  askNetwork: AskNetwork;
  encrypted: boolean;
}

const SETTLE_MS = 1_500;
/** A vCPU that never pauses beside others that do: watchdogs of the guest need so long to complain. */
const WATCHDOG_MS = 45_000;
/** Nothing moved for so long: a boot has come to where it stays. */
const QUIET_MS = 15_000;
/** After a text that ends a boot: whether something comes after all. */
const LAST_WORDS_MS = 5_000;
const ENDS: TextMeaning[] = ['panic', 'no-boot-device', 'loader-failed', 'emergency', 'passphrase'];
const LOOP_RESTARTS = 3;

export async function observe(watch: Watch, plan: Plan): Promise<LifeEvidence> {
  const { machine } = watch;
  await machine.run();
  await watch.look();
  const probes: ProbeResult[] = [];
  if (machine.way === 'boot') await awaitBoot(watch, plan, probes);
  else await watch.pause(SETTLE_MS);
  if (!hasEnded(watch)) await touch(watch, plan, probes);
  await watch.keepScreen().catch(() => undefined);
  return evidenceOf(watch, plan, probes);
}

const hasEnded = (watch: Watch): boolean => watch.isOver() || isOff(watch) || watch.restarts >= LOOP_RESTARTS;

/** Until a service answers, somebody could log in, a text says that it ends here, or nothing moves any more. */
async function awaitBoot(watch: Watch, plan: Plan, probes: ProbeResult[]): Promise<void> {
  watch.noteStage('firmware');
  const start = watch.last;
  while (!hasEnded(watch) && watch.had(start) < plan.patience.bootMs && watch.last.wallMs < plan.patience.wallMs) {
    if (watch.recognised.some(({ meaning }) => meaning === 'login')) return;
    const answers = await plan.askNetwork(watch);
    if (answers.some(({ answered, proves }) => answered && proves === 'user-space')) {
      probes.push(...answers);
      return watch.noteStage('service');
    }
    if (saysItEnds(watch)) return void (await watch.until(() => hasEnded(watch), LAST_WORDS_MS));
    if (isQuiet(watch)) return;
    await watch.pause(1_000);
  }
}

const saysItEnds = (watch: Watch): boolean => watch.recognised.some(({ meaning, fresh }) => fresh && ENDS.includes(meaning));

/** No disk request, no screen, no serial line for a while. A processor that runs alone is not what moves a boot. */
function isQuiet(watch: Watch): boolean {
  const recent = watch.looks.filter((look) => watch.had(look) <= QUIET_MS);
  if (watch.had() < QUIET_MS || recent.length < 3) return false;
  const { diskRequests, screenChanges, serialBytes, frames } = activityOf(recent);
  return diskRequests + screenChanges + serialBytes + frames === 0;
}

async function touch(watch: Watch, plan: Plan, probes: ProbeResult[]): Promise<void> {
  const note = async (probe: Promise<ProbeResult | null>): Promise<void> => {
    const result = await probe;
    if (result) probes.push(result);
  };
  const start = watch.last;
  await note(probeLights(watch));
  if (!hasEnded(watch)) await note(probeKeys(watch));
  if (!hasEnded(watch)) await note(probeSerial(watch));
  if (!hasEnded(watch)) probes.push(...(await askServices(watch, plan)));
  if (!hasEnded(watch) && hasStuckProcessor(activityOf(watch.looks))) await watch.until(() => hasEnded(watch) || locksUp(watch), WATCHDOG_MS);
  if (!hasEnded(watch)) await pressPower(watch, plan, probes, note);
  // Before silence counts, it must have lasted.
  const missing = plan.patience.silenceMs - watch.had(start);
  if (!hasEnded(watch) && !isSuspended(watch) && missing > 0) await watch.until(() => hasEnded(watch), missing);
}

const locksUp = (watch: Watch): boolean => watch.recognised.some(({ meaning, fresh }) => fresh && (meaning === 'lockup' || meaning === 'hung-task'));

/** Asked again until one answers: services of a system that was just started come one after the other. */
async function askServices(watch: Watch, plan: Plan): Promise<ProbeResult[]> {
  const start = watch.last;
  for (;;) {
    const answers = await plan.askNetwork(watch);
    const waiting = answers.some(({ kind, answered }) => kind === 'service' && !answered);
    const limit = answers.some(({ answered }) => answered) || watch.machine.way === 'boot' ? plan.patience.serviceMs : 0;
    if (!waiting || hasEnded(watch) || watch.had(start) >= limit) return answers;
    await watch.pause(1_000);
  }
}

/** The answer of a living system comes in seconds. Before silence counts, everything is tried once more. */
async function pressPower(watch: Watch, plan: Plan, probes: ProbeResult[], note: (probe: Promise<ProbeResult | null>) => Promise<void>): Promise<void> {
  const silent = !probes.some(({ answered }) => answered);
  const limit = silent ? Math.min(plan.patience.powerMs, plan.patience.silenceMs) : plan.patience.powerMs;
  await note(probePower(watch, limit));
  if (hasEnded(watch) || isSuspended(watch)) return;
  await note(probeSysrq(watch));
  if (!hasEnded(watch)) await note(probeLights(watch));
}

async function evidenceOf(watch: Watch, plan: Plan, probes: ProbeResult[]): Promise<LifeEvidence> {
  const { machine } = watch;
  await keepLogs(watch, probes);
  return {
    ...{ way: machine.way, accelerator: machine.accelerator, refusal: '', ending: endingOf(watch) },
    ...{ looks: thinned(watch.looks), events: machine.events.slice(-MOST_EVENTS), probes },
    ...{ recognised: watch.recognised, prompt: watch.prompt(), stages: watch.stages, artefacts: watch.kept },
    ...{ encrypted: plan.encrypted, deviations: machine.description.deviations },
  };
}

const MOST_EVENTS = 200;

function endingOf(watch: Watch): Ending {
  if (isOff(watch)) return 'powered-off';
  if (isSuspended(watch)) return 'suspended';
  if (watch.last.status === 'io-error') return 'overlay-full';
  return 'stopped-by-us';
}

async function keepLogs(watch: Watch, probes: readonly ProbeResult[]): Promise<void> {
  const { machine } = watch;
  await watch.keepFile('serial.log', 'text/plain', Buffer.from(machine.serialText()));
  await watch.keepFile('events.json', 'application/json', Buffer.from(JSON.stringify(machine.events)));
  const series = watch.looks.map(({ screen, ...look }) => ({ ...look, screen: screen?.digest ?? null }));
  await watch.keepFile('progress.json', 'application/json', Buffer.from(JSON.stringify(series)));
  const timeline = {
    stages: watch.stages,
    probes: probes.map(({ kind, wallMs, guestMs, answered, what }) => ({ kind, wallMs, guestMs, answered, what })),
    screens: watch.screens,
  };
  await watch.keepFile('timeline.json', 'application/json', Buffer.from(JSON.stringify(timeline)));
}
