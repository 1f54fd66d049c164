/** A cold boot, until somebody could use it, or until it is worth touching: what says nothing may be up, or may still be starting. */
import { reachedKernel, shownNow } from './decide/scene.js';
import { activityOf, isStill } from './decide/signals.js';
import type { ProbeResult, TextMeaning } from './evidence.js';
import { hasEnded, type Plan } from './plan.js';
import type { Watch } from './watch/watch.js';

/**
 * `up`: somebody could log in, or a service answers. `ends`: a text says that it ends here, it ended, or its time is over. `quiet`: nothing
 * moves any more. `settled`: something moves, but its consoles have nothing new to say.
 */
export type Arrival = 'up' | 'ends' | 'quiet' | 'settled';

/** Nothing moved for so long: a boot has come to where it stays. */
const QUIET_MS = 15_000;
/** A prompt of a boot loader counts down without showing it, and a key would stop it. */
const QUIET_IN_LOADER_MS = 75_000;
/** Menus show how they count down: one on which nothing moves waits for somebody. */
const SHOWS_ITS_COUNTDOWN = ['grub.menu', 'syslinux.menu', 'systemd-boot.menu'];
/** Consoles said nothing for so long, once a kernel was seen; before, or without any text, it takes longer. Doubled with every round. */
const SETTLED_MS = 20_000;
const SETTLED_UNSEEN_MS = 120_000;
/** Consoles that never fall silent. */
const TALKATIVE_MS = 240_000;
/** After a text that ends a boot: whether something comes after all. */
const LAST_WORDS_MS = 5_000;
const ENDS: TextMeaning[] = ['panic', 'emergency', 'passphrase'];
const ENDS_BEFORE_KERNEL: TextMeaning[] = ['no-boot-device', 'loader-failed'];

/** @param round 0, 1, ...: how often it was touched before without an answer. What answers is added to `probes`. */
export async function awaitBoot(watch: Watch, plan: Plan, round: number, probes: ProbeResult[]): Promise<Arrival> {
  if (watch.machine.way === 'boot') watch.noteStage('firmware');
  const start = watch.last;
  while (!hasEnded(watch) && watch.had() < plan.patience.bootMs && watch.last.wallMs < plan.patience.wallMs) {
    if (watch.hasPrompt) return 'up';
    const answers = (await watch.during(plan.askNetwork(watch), () => watch.hasPrompt || hasEnded(watch), pauseOf(watch))) ?? [];
    if (answers.some(({ answered, proves }) => answered && proves === 'user-space')) {
      probes.push(...answers);
      watch.noteStage('service');
      return 'up';
    }
    if (saysItEnds(watch)) {
      await watch.until(() => hasEnded(watch), LAST_WORDS_MS);
      if (saysItEnds(watch)) return 'ends';
    }
    const arrival = arrivalOf(watch, watch.had(start), round);
    if (arrival) {
      await watch.readPicture();
      // What the picture says may call for more patience.
      if (!saysItEnds(watch) && arrivalOf(watch, watch.had(start), round)) return arrival;
    }
    await watch.until(() => watch.hasPrompt || hasEnded(watch), 1_000, pauseOf(watch));
  }
  return 'ends';
}

/** What a loader shows is soon gone; a kernel stays for a while, and every look costs it time. */
const pauseOf = ({ stages }: Watch): number => (stages.some(({ stage }) => stage === 'kernel') ? 500 : 250);

function arrivalOf(watch: Watch, hadMs: number, round: number): Arrival | null {
  if (isQuiet(watch, quietMs(watch, round))) return 'quiet';
  return hasSettled(watch, hadMs, 2 ** round) ? 'settled' : null;
}

function quietMs(watch: Watch, round: number): number {
  if (!isInLoader(watch)) return QUIET_MS * 4 ** round;
  return watch.standing().some(({ code }) => SHOWS_ITS_COUNTDOWN.includes(code)) ? QUIET_MS : QUIET_IN_LOADER_MS;
}

/** It shows a boot loader, and nothing of what comes after it. */
export function isInLoader({ recognised }: Watch): boolean {
  const later: TextMeaning[] = ['kernel', 'user-space', 'login', 'panic'];
  return recognised.some(({ meaning }) => meaning === 'loader') && !recognised.some(({ meaning }) => later.includes(meaning));
}

/** What firmware and loaders give up is no end where the next disk had a kernel. */
export function saysItEnds(watch: Watch): boolean {
  const { recognised } = watch;
  const reached = reachedKernel(watch);
  return recognised.some(({ meaning, fresh }) => fresh && (ENDS.includes(meaning) || (!reached && ENDS_BEFORE_KERNEL.includes(meaning))));
}

/** Firmware or a loader stands there, and nothing of what comes after it was seen. */
export function standsBeforeKernel(watch: Watch): boolean {
  const shown = shownNow({ way: watch.machine.way, prompt: watch.prompt(), standing: watch.standing() });
  return !reachedKernel(watch) && shown.some(({ meaning }) => meaning === 'loader' || ENDS_BEFORE_KERNEL.includes(meaning));
}

/** No disk request, no screen, no serial line for a while. A processor that runs alone is not what moves a boot. */
function isQuiet(watch: Watch, quietMs: number): boolean {
  const activity = activityWithin(watch, quietMs);
  return activity !== null && isStill(activity);
}

function hasSettled(watch: Watch, hadMs: number, patience: number): boolean {
  if (hadMs >= TALKATIVE_MS * patience) return true;
  const silentMs = (watch.stages.some(({ stage }) => stage === 'kernel' || stage === 'user-space') ? SETTLED_MS : SETTLED_UNSEEN_MS) * patience;
  const activity = hadMs < silentMs ? null : activityWithin(watch, silentMs);
  return activity !== null && activity.screenChanges + activity.serialBytes === 0;
}

/** Of the last looks; null when there are not enough of them. */
function activityWithin(watch: Watch, withinMs: number): ReturnType<typeof activityOf> | null {
  const recent = watch.looks.filter((look) => watch.had(look) <= withinMs);
  return watch.had() < withinMs || recent.length < 3 ? null : activityOf(recent);
}
