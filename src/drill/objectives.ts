/** What a machine's policy asks beyond the verdict of one verification, held against what was measured. Pure. */
import type { DrillItem } from '../documents.js';
import type { VerificationRecord } from '../types.js';
import { durationWords } from './policy/duration.js';
import type { MachineRule } from './policy/types.js';

export interface Objectives {
  rto: DrillItem['rto'];
  rpo: DrillItem['rpo'];
  /** What was missed or could not be measured, in sentences. */
  why: string[];
}

/** @param record null: it was not verified. */
export function objectivesOf(rule: MachineRule, record: VerificationRecord | null, newestAgeSeconds: number | null): Objectives {
  const rto = rule.rtoSeconds === null ? null : rtoOf(rule.rtoSeconds, record);
  const rpo = rule.rpoSeconds === null ? null : bound(rule.rpoSeconds, newestAgeSeconds);
  return { rto: rto?.bound ?? null, rpo, why: [...(rto?.why ?? []), ...rpoWords(rpo), ...missingChecks(rule, record)] };
}

type Bound = NonNullable<DrillItem['rto']>;

function bound(limitSeconds: number, measuredSeconds: number | null): Bound {
  return { limitSeconds, measuredSeconds, met: measuredSeconds === null ? null : measuredSeconds <= limitSeconds };
}

/**
 * Measured is the time until a started guest did its work. Where none was started the databases' recovery alone can show that it takes too
 * long, never that it does not; and an emulated start can show that it is fast enough, never that it is not.
 */
function rtoOf(limitSeconds: number, record: VerificationRecord | null): { bound: Bound; why: string[] } {
  const limit = durationWords(limitSeconds);
  const ways = record?.ways ?? [];
  const way = ways.find(({ way, secondsToService }) => way === 'boot' && secondsToService !== null) ?? ways.find((one) => one.secondsToService !== null);
  if (way) {
    const measured = bound(limitSeconds, way.secondsToService);
    if (measured.met === false && way.accelerator === 'tcg') {
      const why = `The way back took ${seconds(way.secondsToService)} under software emulation, which is many times slower than a restore: whether it keeps to ${limit} is not known.`;
      return { bound: { ...measured, met: null }, why: [why] };
    }
    return { bound: measured, why: measured.met ? [] : [`The way back took ${seconds(way.secondsToService)}; it may take ${limit}.`] };
  }
  const recovery = record?.recovery.seconds ?? 0;
  if (recovery > limitSeconds)
    return { bound: bound(limitSeconds, recovery), why: [`The recovery of the databases alone took ${seconds(recovery)}; all may take ${limit}.`] };
  const why = `Whether the way back keeps to ${limit} was not measured: that needs depth boot or resume, and a guest that comes to its work.`;
  return { bound: bound(limitSeconds, null), why: record ? [why] : [] };
}

function rpoWords(rpo: DrillItem['rpo']): string[] {
  if (rpo === null || rpo.met) return [];
  if (rpo.measuredSeconds === null) return ['Nothing says when the newest restore point was taken, so its age is not known.'];
  return [`The newest restore point is ${seconds(rpo.measuredSeconds)} old; it may be ${durationWords(rpo.limitSeconds)} old.`];
}

function missingChecks({ require }: MachineRule, record: VerificationRecord | null): string[] {
  if (!record) return [];
  const passed = (name: string): boolean => record.checks.some(({ id, outcome }) => outcome === 'pass' && (id === name || id.startsWith(`${name}/`)));
  return require.filter((name) => !passed(name)).map((name) => `${REQUIRED_WORDS} ${name}: no such check passed.`);
}

/** Begins the sentence about a check that the policy requires and that did not pass. */
export const REQUIRED_WORDS = 'The policy requires';

function seconds(value: number | null): string {
  const whole = Math.round(value ?? 0);
  if (whole < 120) return `${whole} s`;
  return whole < 7200 ? `${Math.round(whole / 60)} min` : `${Math.round(whole / 3600)} h`;
}
