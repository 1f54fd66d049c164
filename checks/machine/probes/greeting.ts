/**
 * All consoles at once. What answers in the very words that were said, and takes them back when asked, needs no stillness before it: a
 * living system is known in moments. What answers otherwise, or not so soon, says nothing yet.
 */
import { activityOf } from '../decide/signals.js';
import type { ProbeKind, ProbeResult } from '../evidence.js';
import type { Watch } from '../watch/watch.js';

const ANSWER_MS = 500;
const TAKEN_BACK_MS = 300;
const POLL_MS = 100;
/** Something else may be printed in between, and what has just come up drops what was typed before. */
const ATTEMPTS = 3;
const LETTER = 'z';
/** A letter that comes back, with a little to place it. */
const MOST_ECHO_BYTES = 4;
const BUSY_SHARE = 0.5;

interface Channel {
  kind: ProbeKind;
  what: string;
  /** The keys to press; none for the serial line. */
  keys: string[];
  answered: () => boolean;
  /** Something else came, that may hide an answer or look like one. */
  disturbed: () => boolean;
}

type Heard = Map<ProbeKind, ProbeResult>;

/** @returns what answered, when two consoles did and one of them echoed; else nothing */
export async function greet(watch: Watch): Promise<ProbeResult[]> {
  const heard: Heard = new Map();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) if (!(await leavesOpen(watch, heard))) break;
  return isEnough(heard) ? [...heard.values()] : [];
}

const isEnough = (heard: Heard): boolean => heard.size > 1 && (heard.has('keys') || heard.has('serial'));

/** One attempt; what answered before is not asked again. @returns whether something did not answer that may do so yet */
async function leavesOpen(watch: Watch, heard: Heard): Promise<boolean> {
  const { machine } = watch;
  const { wallMs, guestMs } = watch.last;
  const all = channelsOf(watch);
  const open = all.filter(({ kind }) => !heard.has(kind));
  const hear = (): boolean => {
    for (const { kind, what } of open.filter(({ kind, answered }) => !heard.has(kind) && answered())) {
      const afterMs = watch.last.wallMs - wallMs;
      heard.set(kind, { kind, wallMs, guestMs, answered: true, proves: 'kernel', afterMs, what: `${what}: it answered`, required: false });
    }
    return open.every(({ kind, disturbed }) => heard.has(kind) || disturbed());
  };
  await watch.during(Promise.all([machine.press(open.flatMap(({ keys }) => keys)), machine.writeSerial(LETTER)]), () => watch.isOver());
  await watch.until(hear, ANSWER_MS, POLL_MS);
  if (watch.isOver()) return false;
  await Promise.all([machine.press(['backspace']), machine.writeSerial('\x7f')]);
  const keys = open.find(({ kind }) => kind === 'keys' && heard.has(kind));
  const isDisturbed = () => open.some(({ kind, disturbed }) => !heard.has(kind) && disturbed());
  // A screen that does not come back to what it was has changed by itself, as it does when the serial line talks.
  const isBack = !keys || (await watch.until(() => !keys.answered(), isDisturbed() ? 0 : TAKEN_BACK_MS, POLL_MS));
  if (!isBack) heard.delete('keys');
  return !isEnough(heard) && heard.size < all.length && (heard.size > 0 || !isBack || isDisturbed());
}

function channelsOf(watch: Watch): Channel[] {
  const { machine, last } = watch;
  const lights = machine.keyboardLights();
  const news = (): number => watch.last.serialBytes - last.serialBytes;
  const channels: (Channel | null)[] = [
    lights === null
      ? null
      : {
          ...{ kind: 'lights', what: 'CapsLock was pressed', keys: ['caps_lock', 'caps_lock'] },
          ...{ answered: () => (machine.keyboardLights() ?? 0) > lights, disturbed: () => false },
        },
    last.screen === null
      ? null
      : {
          ...{ kind: 'keys', what: 'a letter was typed', keys: ['shift', LETTER] },
          ...{ answered: () => watch.last.screen?.digest !== last.screen?.digest, disturbed: () => false },
        },
    {
      ...{ kind: 'serial', what: 'a letter was sent to the serial line', keys: [] },
      ...{ answered: () => isEcho(machine.serialText(), news()), disturbed: () => news() > MOST_ECHO_BYTES },
    },
  ];
  return channels.filter((channel) => channel !== null);
}

const isEcho = (text: string, bytes: number): boolean => bytes > 0 && bytes <= MOST_ECHO_BYTES && text.slice(-bytes).includes(LETTER);

/** No processor does what the others do not. Of one alone, its answers tell. */
export function isEven(watch: Watch): boolean {
  const { busy } = activityOf(watch.looks);
  return busy.length === 1 || new Set(busy.map((share) => share > BUSY_SHARE)).size === 1;
}
