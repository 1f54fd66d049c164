/** Whether one passed record is proof enough. Pure: what the record says, what is required, and the time. */
import type { DrillVerdict } from '../documents.js';
import type { Stored } from '../ledger/index.js';
import { depthReaches } from '../runner/run-checks.js';
import type { CheckResult, Consistency, Depth, VerificationRecord } from '../types.js';
import type { Way } from '../ways.js';
import { formatDuration } from './duration.js';
import type { Requirements } from './requirements.js';

/** One thing that a proof lacks. */
export interface Shortfall {
  /** Stable: `age`, `depth`, `consistency`, ... */
  code: string;
  message: string;
}

/** A record, and what the rest of the ledger says of it. */
export interface Candidate {
  stored: Stored<VerificationRecord>;
  /** What is wrong with its entry and its place in the chain; empty: nothing. */
  broken: string[];
  /** Of the drill that made it; null: of none, or of one that has not finished. */
  drillVerdict: DrillVerdict | null;
  /** Who rejected it, and why; null: nobody. */
  rejected: string | null;
  /** Why its signature proves nothing; null: it is signed, or that is not required. */
  unsigned: string | null;
}

/** Clocks of two hosts may differ by so much. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;
const STRENGTH: readonly Consistency[] = ['none', 'crash', 'filesystem', 'application'];

/** Known-bad restore points of a drill: they prove the drill, never a backup. */
export function isControl({ restorePoint, drill }: VerificationRecord): boolean {
  return String(restorePoint?.machine ?? '').startsWith('control:') || drill?.selection?.how === 'control';
}

/** Of a record of which the depth is not known nothing is assumed. */
export function depthOf(record: VerificationRecord): Depth | null {
  return record.policy?.depth ?? null;
}

/** Everything that a passed record lacks; empty: it is the proof. */
export function shortfallsOf(candidate: Candidate, requirements: Requirements, now: Date): Shortfall[] {
  const { document: record } = candidate.stored;
  return [
    ...standing(candidate),
    ...ages(record, requirements, now),
    ...consistency(record, requirements.consistency),
    ...depth(record, requirements),
    ...(requirements.signature && candidate.unsigned !== null
      ? [{ code: 'signature', message: `The record is not signed as required: ${candidate.unsigned}.` }]
      : []),
  ];
}

/** What others say of it. */
function standing({ drillVerdict, rejected }: Candidate): Shortfall[] {
  return [
    ...(drillVerdict === 'void'
      ? [{ code: 'drill-void', message: 'The drill that made this record is void (a known-bad control passed), so nothing it says counts.' }]
      : []),
    ...(rejected === null ? [] : [{ code: 'rejected', message: `The record was rejected by ${rejected}.` }]),
  ];
}

function ages(record: VerificationRecord, { maxAgeMs, maxBackupAgeMs }: Requirements, now: Date): Shortfall[] {
  const { takenAt } = record.restorePoint;
  return [
    ...age('age', 'The proof', 'its verification began', record.startedAt, maxAgeMs, now),
    ...(takenAt === null && maxBackupAgeMs === null ? [] : age('backup-age', 'The backup', 'it was taken', takenAt, maxBackupAgeMs, now)),
  ];
}

/** An instant in the future is no age at all: one of the clocks is wrong. */
function age(code: string, what: string, since: string, instant: string | null, limitMs: number | null, now: Date): Shortfall[] {
  const at = instant === null ? Number.NaN : Date.parse(instant);
  if (Number.isNaN(at)) return [{ code, message: `${what} has no known age: when ${since} is not known.` }];
  const ageMs = now.getTime() - at;
  if (ageMs < -CLOCK_TOLERANCE_MS)
    return [{ code: 'clock', message: `${what} comes from the future (${instant}, now it is ${now.toISOString()}): one of the clocks is wrong.` }];
  if (limitMs === null || ageMs <= limitMs) return [];
  return [{ code, message: `${what} is too old: ${since} ${formatDuration(ageMs)} ago (${instant}), allowed are ${formatDuration(limitMs)}.` }];
}

function consistency({ consistency: { observed } }: VerificationRecord, required: Consistency | null): Shortfall[] {
  if (required === null || (STRENGTH.includes(observed) && STRENGTH.indexOf(observed) >= STRENGTH.indexOf(required))) return [];
  const found = observed === 'unknown' ? 'what was there could not be told' : `what was there is ${observed}`;
  return [{ code: 'consistency', message: `The consistency is too weak: ${required} is required, ${found}.` }];
}

function depth(record: VerificationRecord, { depth: required, acceptUntestedRecovery }: Requirements): Shortfall[] {
  if (required === null) return [];
  const asked = depthOf(record);
  if (asked === null || !depthReaches(asked, required))
    return [{ code: 'depth', message: `It was not verified deeply enough: "${required}" is required, this record went to "${asked ?? 'unknown'}".` }];
  return [
    ...(depthReaches(required, 'recovery') && !acceptUntestedRecovery ? untestedRecovery(record.checks) : []),
    ...waysOf(required, record).flatMap((way) => missingWay(way, record)),
  ];
}

/** `full` means all ways that there are: resuming needs a saved memory. */
function waysOf(required: Depth, record: VerificationRecord): Way[] {
  const hasMemory = record.restorePoint.files.some(({ role }) => role === 'memory');
  return (['boot', 'resume'] as const).filter((way) => depthReaches(required, way) && (way === 'boot' || required === 'resume' || hasMemory));
}

function missingWay(way: Way, { ways }: VerificationRecord): Shortfall[] {
  const found = ways?.find((one) => one.way === way);
  if (found?.verdict === 'passed') return [];
  const what = way === 'boot' ? 'a cold boot' : 'resuming from its memory';
  return [{ code: 'depth', message: found ? `The record does not prove ${what}: ${found.why}` : `The record does not prove ${what}: it was not tried.` }];
}

/** A recovery check that was skipped although it applies: the runner lists what that leaves open. */
function untestedRecovery(checks: CheckResult[]): Shortfall[] {
  const open = checks.filter((check) => check.stage === 'recovery' && check.outcome === 'skip' && check.untested.length > 0);
  return open.map(({ target, summary }) => ({ code: 'recovery-untested', message: `The recovery of ${target} was not tested: ${summary}` }));
}
