/**
 * Touches the keyboard and the serial line. Nothing is ever confirmed with Return: what somebody had typed when the machine was saved
 * must not be executed. A letter is typed and taken back.
 */

import type { Look } from '../../../src/ways.js';
import { hadBetween } from '../decide/signals.js';
import type { ProbeKind, ProbeResult, ProofLevel } from '../evidence.js';
import type { Watch } from '../watch/watch.js';

const ANSWER_MS = 3_000;
/** A console that moved by itself within this time says nothing about keys. */
const STILL_MS = 1_000;

/** The lights of the keyboard: an interrupt, and the system's own work on it. */
export async function probeLights(watch: Watch): Promise<ProbeResult | null> {
  const before = watch.machine.keyboardLights();
  if (before === null) return null;
  return stimulate(
    watch,
    'lights',
    'kernel',
    'CapsLock was pressed',
    () => press(watch, ['caps_lock', 'caps_lock']),
    () => (watch.machine.keyboardLights() ?? 0) > before,
  );
}

/** A letter on the screen, where the screen stands still by itself. Null when it moves: then nothing can be told. */
export async function probeKeys(watch: Watch): Promise<ProbeResult | null> {
  if (watch.last.screen === null) return null;
  if (!(await standsStill(watch, ({ screen }) => screen?.digest))) return null;
  const digest = watch.last.screen?.digest;
  const result = await stimulate(
    watch,
    'keys',
    'kernel',
    'a letter was typed',
    () => press(watch, ['shift', 'z']),
    () => watch.last.screen?.digest !== digest,
  );
  if (!watch.isOver()) await press(watch, ['backspace']);
  return result;
}

/** Null when there is no serial line, or when it talks all the time. */
export async function probeSerial(watch: Watch): Promise<ProbeResult | null> {
  if (!(await standsStill(watch, ({ serialBytes }) => serialBytes))) return null;
  const before = watch.last.serialBytes;
  let isThere = true;
  const result = await stimulate(
    watch,
    'serial',
    'kernel',
    'a letter was sent to the serial line',
    async () => {
      isThere = await watch.machine.writeSerial('z');
    },
    () => !isThere || watch.last.serialBytes > before,
  );
  if (!isThere) return null;
  if (!watch.isOver()) await watch.machine.writeSerial('\x7f');
  return result;
}

/** Linux answers from its interrupt handler, also when no program runs any more; others ignore it. */
export async function probeSysrq(watch: Watch): Promise<ProbeResult | null> {
  const [bytes, digest] = [watch.last.serialBytes, watch.last.screen?.digest];
  const answered = () => watch.last.serialBytes > bytes + 20 || watch.last.screen?.digest !== digest;
  return stimulate(watch, 'sysrq', 'kernel', 'Alt-SysRq-H was pressed', () => press(watch, ['alt-sysrq-h']), answered);
}

/** What was seen before counts: as much of the time as is missing is waited for. */
async function standsStill(watch: Watch, of: (look: Look) => unknown): Promise<boolean> {
  const now = of(watch.last);
  const since = watch.looks[watch.looks.findLastIndex((look) => of(look) !== now) + 1];
  const missing = STILL_MS - watch.had(since);
  return missing <= 0 || !(await watch.until(() => of(watch.last) !== now, missing));
}

const press = (watch: Watch, keys: string[]): Promise<void> => watch.machine.press(keys);

/** Does something to the machine and waits for what should come of it. That a processor woke is noted where nothing else did. */
export async function stimulate(
  watch: Watch,
  kind: ProbeKind,
  proves: ProofLevel,
  what: string,
  act: () => Promise<void>,
  answered: () => boolean,
  { limitMs = ANSWER_MS, pauseMs, hopeless = () => false }: { limitMs?: number; pauseMs?: number; hopeless?: () => boolean } = {},
): Promise<ProbeResult> {
  const before = await watch.look();
  await act();
  await watch.until(() => answered() || hopeless(), limitMs, pauseMs);
  const found = answered();
  const woke = hasWoken(watch.looks, before);
  const { wallMs, guestMs } = before;
  const level = found ? proves : woke ? 'processor' : null;
  return {
    kind,
    wallMs,
    guestMs,
    answered: found,
    proves: level,
    afterMs: found ? watch.last.wallMs - wallMs : null,
    what: `${what}: ${found ? 'it answered' : 'nothing'}`,
    required: false,
  };
}

/** A processor that stood still before the stimulus ran soon after it. One that runs all the time tells nothing by running on. */
function hasWoken(looks: Look[], before: Look): boolean {
  const at = looks.indexOf(before);
  const after = looks.slice(at + 1);
  // Later it is the looks that cost the emulator so much. A host that looks rarely has at least one.
  const last = after.findLast((look) => hadBetween(before, look) <= WAKES_WITHIN_MS) ?? after[0];
  const earlier = looks[Math.max(0, at - 1)];
  if (!earlier || !last || earlier === before) return false;
  return last.vcpus.some(({ cpuMs }, index) => {
    const [then, start] = [earlier.vcpus[index]?.cpuMs ?? 0, before.vcpus[index]?.cpuMs ?? 0];
    return start - then <= IDLE_SHARE * (before.guestMs - earlier.guestMs) && cpuMs - start >= WAKING_MS;
  });
}

const IDLE_SHARE = 0.2;
/** Less is the emulator's own. */
const WAKING_MS = 2;
const WAKES_WITHIN_MS = 1_200;
