/** Which consistency was really there at capture: the weakest that anything contributes. */
import type { CheckResult, Consistency, Inspection, Volume } from '../types.js';

interface Contribution {
  level: Consistency;
  why: string;
  /** Id of the volume, database or image it is about. */
  target: string;
}

/** Weakest first; `unknown` has no rank, because it says nothing. */
const RANKED: Consistency[] = ['none', 'crash', 'filesystem', 'application'];

const CAPTURE_LEVELS: Record<NonNullable<Volume['captureState']>['state'], Consistency> = {
  clean: 'filesystem',
  frozen: 'filesystem',
  // A clean unmount and a freeze leave the same bytes.
  quiesced: 'filesystem',
  'needs-replay': 'crash',
  damaged: 'none',
  unknown: 'unknown',
};

export function foldConsistency(checks: CheckResult[], inspection: Inspection | null): { observed: Consistency; why: string[] } {
  const all = [...brokenThings(checks, inspection), ...checkContributions(checks), ...captureContributions(checks, inspection)];
  const telling = all.filter(({ level }) => level !== 'unknown');
  if (telling.length === 0) return { observed: 'unknown', why: sentences(all) };
  if (isApplicationConsistent(telling, inspection)) return { observed: 'application', why: sentences(telling) };
  return { observed: weakest(telling), why: sentences(telling) };
}

/**
 * Databases that were shut down make a restore point application-consistent; the file systems under them contribute no more than
 * `filesystem`, which does not take that away. Every database must have been seen shut down, also those that no check judges.
 */
function isApplicationConsistent(contributions: Contribution[], inspection: Inspection | null): boolean {
  const volumes = volumeIds(inspection);
  const ofDatabases = contributions.filter(({ target }) => !volumes.has(target) && !isImage(target));
  const ofVolumes = contributions.filter(({ target }) => volumes.has(target) || isImage(target));
  const seen = new Set(ofDatabases.map(({ target }) => target));
  const allSeen = (inspection?.databases ?? []).every(({ id }) => seen.has(id)) && (inspection?.unjudged ?? []).length === 0;
  const shutDown = ofDatabases.length > 0 && ofDatabases.every(({ level }) => level === 'application');
  return shutDown && allSeen && ofVolumes.every(({ level }) => RANKED.indexOf(level) >= RANKED.indexOf('filesystem'));
}

/** What failed a required check does not fit together at all, whatever else was seen of it. */
function brokenThings(checks: CheckResult[], inspection: Inspection | null): Contribution[] {
  const things = new Set([...volumeIds(inspection), ...(inspection?.databases ?? []).map(({ id }) => id)]);
  return checks
    .filter((check) => check.outcome === 'fail' && check.required && (things.has(check.target) || isImage(check.target)))
    .map(({ summary, target }) => ({ level: 'none', why: `${target}: ${summary}`, target }));
}

function isImage(target: string): boolean {
  return /^disk\d+$/.test(target);
}

function checkContributions(checks: CheckResult[]): Contribution[] {
  return checks.flatMap(({ consistency, target, outcome }) => {
    const judged = outcome === 'pass' || outcome === 'fail';
    return consistency && judged ? [{ ...consistency, target }] : [];
  });
}

/** States of volumes about which no check said anything. */
function captureContributions(checks: CheckResult[], inspection: Inspection | null): Contribution[] {
  const told = new Set(checkContributions(checks).map(({ target }) => target));
  return (inspection?.volumes ?? []).flatMap(({ id, captureState }) => {
    if (!captureState || told.has(id)) return [];
    return [{ level: CAPTURE_LEVELS[captureState.state], why: `${id}: ${captureState.why}`, target: id }];
  });
}

function volumeIds(inspection: Inspection | null): Set<string> {
  return new Set((inspection?.volumes ?? []).map(({ id }) => id));
}

function weakest(contributions: Contribution[]): Consistency {
  return RANKED.find((level) => contributions.some((contribution) => contribution.level === level)) ?? 'unknown';
}

/** What decides comes first; each sentence once. */
function sentences(contributions: Contribution[]): string[] {
  const order = (level: Consistency): number => RANKED.indexOf(level);
  const sorted = [...contributions].sort((a, b) => order(a.level) - order(b.level) || compare(a.target, b.target) || compare(a.why, b.why));
  return [...new Set(sorted.map(({ why }) => why))];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
