/** What moved between looks, measured on the time that the guest really had. Pure. */
import type { Look } from '../../../src/ways.js';

export interface Activity {
  /** Time that the guest had: without the time in which it waited for a processor of the host. */
  hadMs: number;
  /** By vCPU: how much of that time it ran. */
  busy: number[];
  /** Switches of address spaces and new code (software emulation); null where it cannot be told. */
  switches: number | null;
  newCode: number | null;
  diskRequests: number;
  /** Of the sampled pages, how many changed, summed over the looks. */
  memoryChanges: number | null;
  /** The most that changed between two looks. */
  memoryChangesAtOnce: number;
  screenChanges: number;
  serialBytes: number;
  frames: number;
  /** The longest time in which a disk had requests open and finished none. */
  stuckRequestsMs: number;
  /** The longest time in which a vCPU wanted to run and the host let it hardly run at all. */
  starvedMs: number;
}

export function activityOf(looks: readonly Look[]): Activity {
  const [first] = looks;
  const last = looks.at(-1);
  if (!first || !last) return NOTHING;
  return {
    hadMs: hadBetween(first, last),
    busy: last.vcpus.map((_, index) => busyShare(first, last, index)),
    switches: difference(first.jit?.flushes, last.jit?.flushes),
    newCode: difference(first.jit?.blocks, last.jit?.blocks),
    diskRequests: requestsOf(last) - requestsOf(first),
    memoryChanges: looks.some(({ memory }) => memory !== null) ? looks.slice(1).reduce((sum, { memory }) => sum + (memory?.changed ?? 0), 0) : null,
    memoryChangesAtOnce: Math.max(0, ...looks.slice(1).map(({ memory }) => memory?.changed ?? 0)),
    screenChanges: looks.slice(1).filter((look, index) => look.screen?.digest !== looks[index]?.screen?.digest).length,
    serialBytes: last.serialBytes - first.serialBytes,
    frames: (last.framesSent ?? 0) - (first.framesSent ?? 0),
    stuckRequestsMs: stuckRequests(looks),
    starvedMs: Math.max(0, ...first.vcpus.map((_, index) => starvedOf(looks, index))),
  };
}

const NOTHING: Activity = {
  ...{ hadMs: 0, busy: [], switches: null, newCode: null, diskRequests: 0, memoryChanges: null, memoryChangesAtOnce: 0 },
  ...{ screenChanges: 0, serialBytes: 0, frames: 0, stuckRequestsMs: 0, starvedMs: 0 },
};

/** Guest clock minus what the vCPU that waited longest had to wait: a slow host gives no time. */
export function hadBetween(first: Look, last: Look): number {
  const waited = last.vcpus.map((vcpu, index) => vcpu.waitedMs - (first.vcpus[index]?.waitedMs ?? 0));
  return Math.max(0, last.guestMs - first.guestMs - Math.max(0, ...waited));
}

function busyShare(first: Look, last: Look, index: number): number {
  const [before, after] = [first.vcpus[index], last.vcpus[index]];
  if (!before || !after) return 0;
  const had = last.guestMs - first.guestMs - (after.waitedMs - before.waitedMs);
  return had <= 0 ? 0 : Math.min(1, (after.cpuMs - before.cpuMs) / had);
}

/** Less time between two looks says too little. */
const LEAST_WINDOW_MS = 150;

/** How much a vCPU ran at least, from one look to the next. */
export function leastShare(looks: readonly Look[], index: number): number {
  let least = 1;
  for (const [at, look] of looks.slice(1).entries()) {
    const before = looks[at];
    if (before && hadBetween(before, look) >= LEAST_WINDOW_MS) least = Math.min(least, busyShare(before, look, index));
  }
  return least;
}

const difference = (before: number | undefined, after: number | undefined): number | null =>
  before === undefined || after === undefined ? null : Math.max(0, after - before);

export const requestsOf = ({ disks }: Look): number => disks.reduce((sum, { reads, writes, flushes }) => sum + reads + writes + flushes, 0);

function stuckRequests(looks: readonly Look[]): number {
  let longest = 0;
  const names = new Set(looks.flatMap(({ disks }) => disks.map(({ disk }) => disk)));
  for (const name of names) longest = Math.max(longest, stuckRequestsOf(looks, name));
  return longest;
}

function stuckRequestsOf(looks: readonly Look[], name: string): number {
  let longest = 0;
  let since: Look | null = null;
  let before: number | null = null;
  for (const look of looks) {
    const disk = look.disks.find(({ disk }) => disk === name);
    const done = disk ? disk.reads + disk.writes + disk.flushes : null;
    const stands = (disk?.pending ?? 0) > 0 && done === before;
    if (!stands) since = (disk?.pending ?? 0) > 0 ? look : null;
    else if (since) longest = Math.max(longest, hadBetween(since, look));
    before = done;
  }
  return longest;
}

/** Of its time, no more than this for a vCPU that is starved. */
const HARDLY = 0.05;

function starvedOf(looks: readonly Look[], index: number): number {
  let [longest, stretch] = [0, 0];
  for (const [at, look] of looks.slice(1).entries()) {
    const [before, after] = [looks[at]?.vcpus[index], look.vcpus[index]];
    if (!before || !after) continue;
    const waited = after.waitedMs - before.waitedMs;
    stretch = waited > 0 && after.cpuMs - before.cpuMs <= HARDLY * waited ? stretch + waited : 0;
    longest = Math.max(longest, stretch);
  }
  return longest;
}

/** Nothing but a vCPU moves, if that: no other address space, no new code, no disk, no screen, no serial line, no frame. */
export const isFlat = (activity: Activity): boolean => hasNoNews(activity) && (activity.memoryChanges ?? 0) === 0;

/**
 * The same, but handlers of interrupts may still run: a timer's counts in a page or two, a keyboard's is new code when we press a key.
 * Only where it can be told that it all is in one address space; otherwise a few pages may be all that is seen of a program at work.
 */
export function onlyTicks(activity: Activity): boolean {
  const { switches, memoryChanges, memoryChangesAtOnce } = activity;
  if (isFlat(activity)) return true;
  return switches !== null && memoryChanges !== null && memoryChangesAtOnce <= FEW_PAGES && hasNoNews(activity, CODE_OF_HANDLERS);
}

/** Nothing can be seen from outside its processors and its memory: no disk, no screen, no serial line, no frame. */
export const isStill = ({ diskRequests, screenChanges, serialBytes, frames }: Activity): boolean => diskRequests + screenChanges + serialBytes + frames === 0;

/** Known only where address spaces can be seen to be switched. */
export const runsNoProgram = ({ switches, diskRequests }: Activity): boolean => switches !== null && switches <= FEW_SWITCHES && diskRequests === 0;

function hasNoNews(activity: Activity, mostCode = FEW_BLOCKS): boolean {
  return isStill(activity) && (activity.switches ?? 0) <= FEW_SWITCHES && (activity.newCode ?? 0) <= mostCode;
}

/** QEMU's own housekeeping moves its counters a little. */
const FEW_SWITCHES = 4;
const FEW_BLOCKS = 4;
const FEW_PAGES = 4;
const CODE_OF_HANDLERS = 64;

/** The last looks in which nothing moved, as long a stretch as there is. What moved only grows with the stretch, so halves are tried. */
export function stillEnd(looks: readonly Look[], isQuiet: (activity: Activity) => boolean): Activity {
  let [moves, still] = [-1, Math.max(0, looks.length - 1)];
  while (still - moves > 1) {
    const from = Math.floor((moves + still) / 2);
    if (isQuiet(activityOf(looks.slice(from)))) still = from;
    else moves = from;
  }
  return activityOf(looks.slice(still));
}
