/**
 * What a way back looked like over time, from the artefacts that it kept: `progress.json` (looks from outside) and `timeline.json` (stages of
 * the boot, stimuli and answers, when each screen was kept). Artefacts lie in files that anybody can write: whatever has not the expected
 * shape is left out, sizes are bounded, and nothing throws.
 */
import type { BootStage } from '../ways.js';
import { clamped, type Fields, fieldsOf, listOf, numberOf, objectsOf, parsedJson } from './foreign-json.js';

/** What went on between two looks. `atSeconds` is the end of it, since the start. */
export interface Activity {
  atSeconds: number;
  /** Percent of the time of all virtual processors. */
  busy: number;
  /** The same: they wanted to run, and the host had no processor for them. */
  waited: number;
  readBytesPerSecond: number;
  writtenBytesPerSecond: number;
  /** Percent of the sampled pages that changed; null: not known. */
  memory: number | null;
  screenChanged: boolean;
  serialBytes: number;
}

export interface Timeline {
  stages: { stage: BootStage; atSeconds: number }[];
  probes: { kind: string; atSeconds: number; answered: boolean; what: string }[];
  /** Seconds by the name of the artefact. */
  screens: ReadonlyMap<string, number>;
}

const MOST_BYTES = 16 * 1024 * 1024;
const MOST_LOOKS = 20_000;
const MOST_ENTRIES = 500;
const STAGES: readonly string[] = ['firmware', 'loader', 'kernel', 'user-space', 'service', 'login'] satisfies BootStage[];

/** Empty when the bytes hold no looks. */
export function activityOf(bytes: Uint8Array | undefined): Activity[] {
  const looks = listOf(parsedJson(bytes, MOST_BYTES)).slice(0, MOST_LOOKS).flatMap(lookOf);
  const activity: Activity[] = [];
  for (const [index, look] of looks.entries()) {
    const before = looks[index - 1];
    const seconds = before ? (look.wallMs - before.wallMs) / 1000 : 0;
    if (before && seconds > 0) activity.push(between(before, look, seconds));
  }
  return activity;
}

/** Null when the bytes hold none. */
export function timelineOf(bytes: Uint8Array | undefined): Timeline | null {
  const value = fieldsOf(parsedJson(bytes, MOST_BYTES));
  if (!value) return null;
  const entries = (name: string): Fields[] => objectsOf(value[name]).slice(0, MOST_ENTRIES);
  const stages = entries('stages').filter(({ stage }) => STAGES.includes(String(stage)));
  return {
    stages: stages.map(({ stage, wallMs }) => ({ stage: stage as BootStage, atSeconds: numberOf(wallMs) / 1000 })),
    probes: entries('probes').map(({ kind, wallMs, answered, what }) => ({
      ...{ kind: String(kind), atSeconds: numberOf(wallMs) / 1000, answered: answered === true, what: String(what) },
    })),
    screens: new Map(entries('screens').map(({ name, wallMs }) => [String(name), numberOf(wallMs) / 1000])),
  };
}

interface PlainLook {
  wallMs: number;
  vcpus: { cpuMs: number; waitedMs: number }[];
  readBytes: number;
  writtenBytes: number;
  memory: number | null;
  screen: unknown;
  serialBytes: number;
}

function lookOf(value: unknown): PlainLook[] {
  const look = fieldsOf(value);
  if (!look || typeof look.wallMs !== 'number') return [];
  const disks = objectsOf(look.disks);
  const total = (name: string): number => disks.reduce((sum, disk) => sum + numberOf(disk[name]), 0);
  const vcpus = objectsOf(look.vcpus);
  const memory = fieldsOf(look.memory);
  const sampled = numberOf(memory?.sampled);
  return [
    {
      wallMs: numberOf(look.wallMs),
      vcpus: vcpus.map(({ cpuMs, waitedMs }) => ({ cpuMs: numberOf(cpuMs), waitedMs: numberOf(waitedMs) })),
      readBytes: total('readBytes'),
      writtenBytes: total('writtenBytes'),
      memory: sampled > 0 ? Math.min((numberOf(memory?.changed) / sampled) * 100, 100) : null,
      screen: look.screen ?? null,
      serialBytes: numberOf(look.serialBytes),
    },
  ];
}

function between(before: PlainLook, look: PlainLook, seconds: number): Activity {
  const vcpus = Math.max(look.vcpus.length, 1);
  const sum = (pick: (vcpu: PlainLook['vcpus'][number]) => number, of: PlainLook): number => of.vcpus.reduce((all, vcpu) => all + pick(vcpu), 0);
  const share = (pick: (vcpu: PlainLook['vcpus'][number]) => number): number => clamped((sum(pick, look) - sum(pick, before)) / (seconds * 10 * vcpus), 100);
  const rate = (name: 'readBytes' | 'writtenBytes'): number => clamped((look[name] - before[name]) / seconds);
  return {
    atSeconds: look.wallMs / 1000,
    busy: share(({ cpuMs }) => cpuMs),
    waited: share(({ waitedMs }) => waitedMs),
    readBytesPerSecond: rate('readBytes'),
    writtenBytesPerSecond: rate('writtenBytes'),
    memory: look.memory,
    screenChanged: look.screen !== before.screen,
    serialBytes: clamped(look.serialBytes - before.serialBytes),
  };
}

/** So many moments at most: of each stretch the highest of every value, so that no peak is lost. */
export function thinned(activity: readonly Activity[], most: number): Activity[] {
  if (activity.length <= most) return [...activity];
  const size = activity.length / most;
  return Array.from({ length: most }, (_, index) => highest(activity.slice(Math.floor(index * size), Math.floor((index + 1) * size))));
}

function highest(stretch: Activity[]): Activity {
  const most = (pick: (one: Activity) => number): number => Math.max(...stretch.map(pick));
  const memories = stretch.flatMap(({ memory }) => memory ?? []);
  return {
    atSeconds: most(({ atSeconds }) => atSeconds),
    busy: most(({ busy }) => busy),
    waited: most(({ waited }) => waited),
    readBytesPerSecond: most(({ readBytesPerSecond }) => readBytesPerSecond),
    writtenBytesPerSecond: most(({ writtenBytesPerSecond }) => writtenBytesPerSecond),
    memory: memories.length > 0 ? Math.max(...memories) : null,
    screenChanged: stretch.some(({ screenChanged }) => screenChanged),
    serialBytes: stretch.reduce((sum, { serialBytes }) => sum + serialBytes, 0),
  };
}
