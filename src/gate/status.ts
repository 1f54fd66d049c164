/** How each machine stands, from the ledger alone: nothing of a backup is looked at. */
import type { Ledger, Stored } from '../ledger/index.js';
import type { VerdictWord, VerificationRecord } from '../types.js';
import type { Way } from '../ways.js';
import { type Candidate, CLOCK_TOLERANCE_MS, isControl } from './assess.js';
import { toCandidate } from './candidates.js';
import { formatDuration } from './duration.js';

export interface MachineStatus {
  machine: string;
  /** Of its newest record. */
  lastVerdict: VerdictWord;
  lastVerifiedAt: string;
  lastRecordId: string;
  /** Its newest record that passed and counts; null: it was never proven. */
  proven: {
    recordId: string;
    /** When its verification began. */
    at: string;
    takenAt: string | null;
    /** Measured times until the guest did its work, by way back. */
    restoreSeconds: Partial<Record<Way, number>>;
    recoverySeconds: number;
    recoveryBytes: number;
  } | null;
  /** What is wrong with the ledger where this relies on it. */
  broken: string[];
}

export type Level = 'ok' | 'warning' | 'critical';

export interface Limits {
  warnMs: number;
  criticalMs: number;
}

export interface JudgedStatus extends MachineStatus {
  level: Level;
  /** Plain sentence; null: nothing to say. */
  why: string | null;
  /** Null: never proven. */
  ageMs: number | null;
}

/** Newer records that do not count are stepped over, so many at most. */
const MOST_STEPS = 200;

/** @param machine only this one; null: all. Known-bad controls are no machines. */
export async function collectStatus(ledger: Ledger, machine: string | null): Promise<MachineStatus[]> {
  const names = machine === null ? ledger.machines() : [machine];
  const found: MachineStatus[] = [];
  for (const name of names) {
    const status = await statusOf(ledger, name);
    if (status) found.push(status);
  }
  return found;
}

async function statusOf(ledger: Ledger, machine: string): Promise<MachineStatus | null> {
  const last = newest(ledger, machine, (stored) => !isControl(stored.document));
  if (!last) return null;
  const { document } = last;
  const proven = await newestProven(ledger, machine);
  return {
    machine,
    lastVerdict: document.verdict,
    lastVerifiedAt: document.startedAt,
    lastRecordId: document.id,
    proven: proven && provenFacts(proven.stored.document),
    broken: [...ledger.checkEntry(last.entry.seq), ...(proven?.broken ?? [])],
  };
}

function newest(ledger: Ledger, machine: string, fits: (stored: Stored<VerificationRecord>) => boolean): Stored<VerificationRecord> | null {
  let stored = ledger.latestFor(machine);
  for (let steps = 0; stored && !fits(stored) && steps < MOST_STEPS; steps++) stored = ledger.latestFor(machine, { beforeSeq: stored.entry.seq });
  return stored && fits(stored) ? stored : null;
}

async function newestProven(ledger: Ledger, machine: string): Promise<Candidate | null> {
  let stored = ledger.latestFor(machine, { verdict: 'passed' });
  for (let steps = 0; stored && steps < MOST_STEPS; steps++) {
    const candidate = await toCandidate(ledger, stored, async () => null);
    if (!isControl(stored.document) && candidate.drillVerdict !== 'void' && candidate.rejected === null) return candidate;
    stored = ledger.latestFor(machine, { verdict: 'passed', beforeSeq: stored.entry.seq });
  }
  return null;
}

function provenFacts({ id, startedAt, restorePoint, ways, recovery }: VerificationRecord): MachineStatus['proven'] {
  const measured = (ways ?? []).flatMap(({ way, verdict, secondsToService }) =>
    verdict === 'passed' && secondsToService !== null ? [[way, secondsToService] as const] : [],
  );
  return {
    recordId: id,
    at: startedAt,
    takenAt: restorePoint.takenAt,
    restoreSeconds: Object.fromEntries(measured),
    recoverySeconds: recovery.seconds,
    recoveryBytes: recovery.bytes,
  };
}

/** The worst thing that is true of the machine. Pure. */
export function judgeStatus(status: MachineStatus, limits: Limits, now: Date): JudgedStatus {
  const ageMs = status.proven === null ? null : now.getTime() - Date.parse(status.proven.at);
  return { ...status, ageMs, ...levelOf(status, ageMs, limits) };
}

function levelOf(
  { broken, lastVerdict, lastVerifiedAt }: MachineStatus,
  ageMs: number | null,
  { warnMs, criticalMs }: Limits,
): { level: Level; why: string | null } {
  if (broken[0] !== undefined) return { level: 'critical', why: `the ledger does not verify: ${broken[0]}` };
  if (lastVerdict === 'failed') return { level: 'critical', why: `its last verification failed (${lastVerifiedAt})` };
  if (ageMs === null) return { level: 'critical', why: 'it was never proven' };
  if (Number.isNaN(ageMs) || ageMs < -CLOCK_TOLERANCE_MS) return { level: 'critical', why: 'its proof comes from the future: one of the clocks is wrong' };
  const age = `its last proof is ${formatDuration(ageMs)} old`;
  if (ageMs > criticalMs) return { level: 'critical', why: `${age} (critical: ${formatDuration(criticalMs)})` };
  if (ageMs > warnMs) return { level: 'warning', why: `${age} (warning: ${formatDuration(warnMs)})` };
  return lastVerdict === 'inconclusive' ? { level: 'warning', why: `its last verification was inconclusive (${lastVerifiedAt})` } : { level: 'ok', why: null };
}
