/**
 * How a machine that was brought back is watched and touched, gentle things first: look, keyboard and serial line, network, power button.
 * Everything is measured on the time that the guest really had, so that a slow host makes it longer and not wrong.
 */
import type { LifeEvidence, ProbeResult, TextMeaning } from './evidence.js';
import { evidenceOf } from './gathering.js';
import { hasEnded, type Plan } from './plan.js';
import { isOff } from './probes/power.js';
import { awaitBoot, isInLoader, standsBeforeKernel } from './starting.js';
import { askArrived, askConsoles, askRunning, isKernelAlive, locksUp, settle, touch } from './touching.js';
import type { Watch } from './watch/watch.js';

/** A kernel looks every two minutes for programs that waited for two. Where it answers and nothing else does, its word is worth the time. */
const HUNG_TASK_MS = 250_000;

export async function observe(watch: Watch, plan: Plan): Promise<LifeEvidence> {
  const { machine } = watch;
  await machine.run();
  await watch.look();
  const probes = machine.way === 'boot' ? await start(watch, plan) : await goOn(watch, plan);
  await watch.keepScreen().catch(() => undefined);
  if (!isOff(watch)) await watch.readPicture();
  return evidenceOf(watch, plan, probes);
}

/** Where only the kernel answers, its word is waited for, and everything is tried once more: somebody may come to take notice. */
async function goOn(watch: Watch, plan: Plan): Promise<ProbeResult[]> {
  if (!plan.systemRuns) await settle(watch);
  // A prompt counts nothing down that a key could stop.
  if (!plan.systemRuns && isInLoader(watch) && watch.prompt()?.meaning !== 'loader-failed') return start(watch, plan);
  const probes = await touch(watch, plan, plan.systemRuns ? askRunning : askConsoles);
  if (hasEnded(watch) || isAnswered(probes) || !isKernelAlive(probes)) return probes;
  await watch.readPicture();
  // One that started anew is not the one that was saved, whatever it says now.
  if (waitsForSomebody(watch) || watch.restarts > 0) return probes;
  const complains = await watch.until(() => hasEnded(watch) || locksUp(watch), HUNG_TASK_MS - watch.had());
  return complains ? probes : touch(watch, plan, askConsoles);
}

/** A prompt of a loader or of the firmware answers keys too, and no operating system is there that could complain. Nor will one that waits for its secret, or for its administrator. */
function waitsForSomebody(watch: Watch): boolean {
  const waits: (TextMeaning | undefined)[] = ['passphrase', 'emergency'];
  return standsBeforeKernel(watch) || waits.includes(watch.prompt()?.meaning);
}

/** A boot is touched when it seems to have arrived. Where that leads to nothing and something still lives, it was only slow, and is touched again later. */
async function start(watch: Watch, plan: Plan): Promise<ProbeResult[]> {
  for (let round = 0; ; round++) {
    const probes: ProbeResult[] = [];
    const arrival = await awaitBoot(watch, plan, round, probes);
    await touch(watch, plan, arrival === 'up' ? askArrived : askConsoles, probes);
    const mayBeSlow = arrival === 'quiet' && round === 0 && isKernelAlive(probes) && !standsBeforeKernel(watch);
    const goesOn = arrival === 'settled' || mayBeSlow;
    if (!goesOn || isAnswered(probes) || hasEnded(watch)) return probes;
  }
}

const isAnswered = (probes: ProbeResult[]): boolean => probes.some(({ kind, answered }) => answered && (kind === 'power' || kind === 'service'));
