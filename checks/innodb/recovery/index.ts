/** MariaDB recovers the instance: the guest's own on the overlay, else the host's on a copy. Evidence, not the verdict: it starts on skewed tables too. */
import { defineCheck } from '../../../src/check.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { Finding, InstanceState, Judgement } from '../../../src/types.js';
import type { EngineRun } from '../engine/parse.js';
import { ENGINE_TIMEOUT_MS, runEngine } from '../engine/run.js';
import { kindOf } from '../engine/server-log.js';
import { finding, LOG_ADVICE, notInnodb } from '../words.js';

export default defineCheck<EngineRun, Record<string, never>>({
  id: 'innodb/recovery',
  title: 'MariaDB recovers the instance and answers',
  failureTitle: 'MariaDB cannot bring the instance back',
  description:
    "Starts the guest's own MariaDB on the overlay, else the host's of the same series on a copy, without network, accounts, events and replication, measures its recovery, and reads its log.",
  stage: 'recovery',
  depth: 'recovery',
  targetKind: 'instance',
  lab: 'appliance',
  timeoutMs: ENGINE_TIMEOUT_MS,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},
  skipReason: notInnodb,
  collect: async (target, context) => tried(await runEngine(target, context)),
  evaluate: evaluateRecovery,
});

/** @throws LabError or NotTestedError when it did not come up for a reason that lies in this place, not in the data. */
export function tried(run: EngineRun): EngineRun {
  const why = run.up || complaints(run).length > 0 ? null : placeReason(run);
  if (why === null) return run;
  const host = run.use?.engine === 'host';
  const message = `${host ? "The host's" : "The guest's"} MariaDB could not be tried here: ${why}.`;
  // The host's is a stand-in: that it does not fit leaves the instance as it was judged without it.
  throw host ? new NotTestedError({ code: 'innodb.engine.host', message }) : new LabError({ code: 'innodb.engine.place', message });
}

function placeReason(run: EngineRun): string | null {
  if (run.problem !== null) return run.problem;
  if (run.slow) return 'it was still starting when the time was up';
  return run.errors.find((line) => kindOf(line) === 'place') ?? null;
}

/** Lines about the data. */
export function complaints(run: EngineRun): string[] {
  return [...run.errors, ...run.lateErrors].filter((line) => ['damage', 'skew'].includes(kindOf(line)));
}

export function evaluateRecovery(run: EngineRun): Judgement {
  const damage = complaints(run);
  const failed = !run.up || damage.length > 0;
  return {
    outcome: failed ? 'fail' : 'pass',
    summary: failed ? failure(run, damage) : success(run),
    findings: [
      ...useFindings(run),
      ...warnings(run),
      ...(failed ? [...damage, ...(run.up ? [] : run.errors.filter((line) => !damage.includes(line)))].slice(0, 5).map(toFinding) : []),
    ],
    ...(failed ? { advice: LOG_ADVICE } : {}),
    ...(run.up ? { recovery: { needed: run.recovery !== null, seconds: run.recovery ? (run.startSeconds ?? 0) : 0, bytes: replayedBytes(run) } } : {}),
    instanceState: stateOf(run, damage, failed),
    tested: [{ what: 'recovery by the engine', how: `${run.engine}, started without network: ${run.use?.how ?? 'nobody knows where'}` }],
    untested: [],
  };
}

function stateOf(run: EngineRun, damage: string[], failed: boolean): InstanceState {
  if (failed) return damage.some((line) => kindOf(line) === 'skew') ? 'non-atomic' : 'damaged';
  return run.recovery ? 'recoverable' : 'clean';
}

/** LSNs of InnoDB count bytes of its log. */
function replayedBytes({ recovery }: EngineRun): number {
  const bytes = Number(recovery?.to ?? 0) - Number(recovery?.from ?? 0);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : 0;
}

function useFindings({ use }: EngineRun): Finding[] {
  if (!use) return [];
  return [finding('recovery.engine', 'info', `Recovered by ${use.how}. ${use.why}`, { engine: use.engine, copiedBytes: use.copiedBytes })];
}

function warnings(run: EngineRun): Finding[] {
  const all: Finding[] = [];
  if (run.prepared) {
    const message =
      'Transactions were prepared and not decided: here they were rolled back; at a real start the binary log decides, so restore it with the data.';
    all.push(finding('recovery.prepared', 'warning', message));
  }
  if (run.up && !run.stopped)
    all.push(finding('recovery.stop', 'warning', 'The server answered, but did not stop within two minutes and was ended the hard way.'));
  return all;
}

function success(run: EngineRun): string {
  const redo = run.recovery ? `It replayed its log from LSN ${run.recovery.from} to ${run.recovery.to ?? 'its end'}` : 'It needed no recovery';
  return `${redo} and answered ${(run.startSeconds ?? 0).toFixed(1)} s after the start.`;
}

function failure(run: EngineRun, damage: string[]): string {
  const first = damage[0] ?? run.errors[0] ?? 'its log says nothing';
  return run.up ? `MariaDB started, but it reports damage: ${first}` : `MariaDB does not start on this backup: ${first}`;
}

function toFinding(line: string): Finding {
  return finding('recovery.log', 'critical', line);
}
