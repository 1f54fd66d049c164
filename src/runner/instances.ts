/** What each database is, all things considered: the worst that any of its checks saw. */
import type { CheckResult, CheckStage, Finding, Inspection, InstanceResult, InstanceState, Severity } from '../types.js';
import { isJudged } from './coverage.js';
import { effortsByTarget } from './recovery.js';

/**
 * Worst first. The rule, for every database:
 * - What is proven wrong (`damaged`, `non-atomic`, `lost-tail`) stands, whatever else could not be judged: more looking cannot make it better.
 * - `unknown` comes next: something required could not be judged. It hides no proven fault, and no good word of another check hides it,
 *   because what nobody looked at may hold any fault.
 * - `recoverable` before `clean`: one check that saw a log to replay is right, and one that looked at a part that needs none is no contradiction.
 * A check adds `unknown` when it was required and could not run, when it lists something that holds data as untested, or when it failed
 * and names no state. A check that was left out or does not apply adds nothing; a database about which nobody says anything is `unknown`.
 */
const RANKED: InstanceState[] = ['damaged', 'non-atomic', 'lost-tail', 'unknown', 'recoverable', 'clean'];
const STAGES: CheckStage[] = ['static', 'logical', 'recovery', 'memory', 'life', 'volume', 'image'];
const SEVERITIES: Severity[] = ['critical', 'warning', 'info'];

interface Contribution {
  state: InstanceState;
  why: string;
  where: Finding['where'];
  stage: CheckStage;
  /** What tells the most of it: of a fault its place, of a sound state the log to replay. */
  tells: boolean;
}

/** One for each database of the inspection, in its order, then those of engines without checks. Independent of the order of the checks. */
export function foldInstances(checks: CheckResult[], inspection: Inspection | null): InstanceResult[] {
  const efforts = effortsByTarget(checks);
  const judged = (inspection?.databases ?? []).map(({ id, engine }) => {
    const { state, why, where } = worst(checks.filter((check) => check.target === id).flatMap(contributions));
    const { seconds, bytes } = efforts.get(id) ?? { seconds: null, bytes: 0 };
    return { id, engine, state, why, where, recovery: { seconds, bytes } };
  });
  return [...judged, ...(inspection?.unjudged ?? []).map(unjudged)];
}

function unjudged({ engine, location }: Inspection['unjudged'][number]): InstanceResult {
  const id = `${engine} ${location.volume}:${location.path}`;
  const why = 'It was recognised by its files, and there is no check for this engine yet.';
  return { id, engine, state: 'unknown', why, where: { volume: location.volume, file: location.path }, recovery: { seconds: null, bytes: 0 } };
}

function contributions(check: CheckResult): Contribution[] {
  const { stage, summary, findings, instanceState, untested } = check;
  const open = (why: string): Contribution => ({ state: 'unknown', why, where: {}, stage, tells: false });
  if (check.outcome === 'error') return check.required ? [open(`${check.id}: ${summary}`)] : [];
  if (!isJudged(check)) return [];
  const gaps = untested.filter((item) => item.holdsData).map(({ what, why }) => open(`${what} could not be judged: ${why}`));
  const where = placeOf(findings);
  const tells = instanceState === 'clean' || instanceState === 'recoverable' ? check.recovery !== null : Object.keys(where).length > 0;
  const own: Contribution[] = instanceState ? [{ state: instanceState, why: summary, where, stage, tells }] : [];
  return [...own, ...gaps, ...(own.length === 0 && check.outcome === 'fail' ? [open(summary)] : [])];
}

/** The first place of the most severe finding that names one. */
function placeOf(findings: Finding[]): Finding['where'] {
  const places = findings.filter(({ where }) => Object.keys(where).length > 0);
  return places.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))[0]?.where ?? {};
}

const NOTHING_SAID: Contribution = { state: 'unknown', why: 'No check came to a judgement of it.', where: {}, stage: 'static', tells: false };

/** Of equal words the earliest stage tells why, for it saw the cause; of equal stages the check that tells the most. */
function worst(all: Contribution[]): Contribution {
  const order = ({ state, stage, tells }: Contribution): number[] => [RANKED.indexOf(state), STAGES.indexOf(stage), tells ? 0 : 1];
  return (
    [...all].sort((a, b) => firstDifference(order(a), order(b)) || compare(a.why, b.why) || compare(JSON.stringify(a.where), JSON.stringify(b.where)))[0] ??
    NOTHING_SAID
  );
}

function firstDifference(a: number[], b: number[]): number {
  return a.map((value, i) => value - (b[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
