/** An engine of the cluster's version recovers it: the guest's own on the overlay, else the host's on a copy. Evidence, not the verdict: it starts on skewed clusters too. */
import { defineCheck } from '../../../src/check.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { Finding, Judgement } from '../../../src/types.js';
import type { EngineRun } from '../engine/parse.js';
import { ENGINE_TIMEOUT_MS, runEngine } from '../engine/run.js';
import { kindOf } from '../engine/server-log.js';
import { finding, notPostgres } from '../words.js';

export default defineCheck<EngineRun, Record<string, never>>({
  id: 'postgresql/recovery',
  title: 'PostgreSQL recovers the cluster and answers',
  failureTitle: 'PostgreSQL cannot bring the cluster back',
  description:
    "Starts the guest's own PostgreSQL on the overlay, else the host's of the same version on a copy, without network, measures its recovery, opens a session and stops it.",
  stage: 'recovery',
  depth: 'recovery',
  targetKind: 'instance',
  lab: 'appliance',
  timeoutMs: ENGINE_TIMEOUT_MS,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},
  skipReason: notPostgres,
  collect: async (target, context) => tried(await runEngine(target, context)),
  evaluate: evaluateRecovery,
});

/** @throws LabError when the server did not come up for a reason that lies in this place, not in the data. */
export function tried(run: EngineRun): EngineRun {
  const why = run.answered || damageOf(run).length > 0 ? null : placeReason(run);
  if (why === null) return run;
  const host = run.use?.engine === 'host';
  const message = `${host ? "The host's" : "The guest's"} PostgreSQL could not be tried here: ${why}.`;
  // The host's is a stand-in: that it does not fit (a locale, a library) leaves the cluster as it was judged without it.
  throw host ? new NotTestedError({ code: 'postgresql.engine.host', message }) : new LabError({ code: 'postgresql.engine.place', message });
}

function placeReason(run: EngineRun): string | null {
  if (run.problem !== null) return run.problem;
  if (run.startSaid.some((line) => /did not start in time/.test(line))) return 'it was still starting when the time was up';
  const said = [...run.errors, ...run.lateErrors, ...run.startSaid].find((line) => kindOf(line) === 'place');
  if (said !== undefined) return said;
  return run.startCode === 0 ? (run.errors[0] ?? 'it runs, but no role was found that may open a session') : null;
}

function damageOf(run: EngineRun): string[] {
  return [...run.errors, ...run.lateErrors].filter((line) => kindOf(line) === 'damage');
}

export function evaluateRecovery(run: EngineRun): Judgement {
  const started = run.answered;
  const damage = damageOf(run);
  const failed = !started || damage.length > 0;
  const seconds = run.startSeconds ?? 0;
  return {
    outcome: failed ? 'fail' : 'pass',
    summary: failed ? failure(run, damage) : success(run, seconds),
    findings: [
      ...useFindings(run),
      ...[...damage, ...(started ? [] : run.errors.filter((line) => !damage.includes(line)))].slice(0, 5).map(toFinding),
      ...stopFindings(run),
    ],
    ...(failed ? { advice: ADVICE } : {}),
    instanceState: failed ? 'damaged' : run.redoStart === null ? 'clean' : 'recoverable',
    ...(started ? { recovery: { needed: run.redoStart !== null, seconds: run.redoStart === null ? 0 : seconds, bytes: 0 } } : {}),
    tested: [
      { what: 'recovery by the engine', how: `${run.engine}, started without network: ${run.use?.how ?? "the guest's own, in the appliance, on the overlay"}` },
    ],
    untested: [],
  };
}

function useFindings({ use }: EngineRun): Finding[] {
  if (!use) return [];
  return [finding('recovery.engine', 'info', `Recovered by ${use.how}. ${use.why}`, { engine: use.engine, copiedBytes: use.copiedBytes })];
}

function stopFindings(run: EngineRun): Finding[] {
  if (!run.answered || run.stopCode === 0) return [];
  return [finding('recovery.stop', 'warning', 'The server answered, but did not stop within two minutes and was ended the hard way.')];
}

const ADVICE = 'Restore this database from an older restore point, or from its own backup; the server log lines above say what it stumbled over.';

function success(run: EngineRun, seconds: number): string {
  const redo = run.redoStart === null ? 'It needed no recovery' : `It replayed its log from ${run.redoStart} to ${run.redoEnd ?? 'its end'}`;
  return `${redo} and answered ${seconds.toFixed(1)} s after the start; ${run.databases ?? 0} databases accept sessions.`;
}

function failure(run: EngineRun, damage: string[]): string {
  const first = damage[0] ?? run.errors[0] ?? run.startSaid.at(-1) ?? 'its log says nothing';
  return run.answered ? `PostgreSQL started, but it reports damage: ${first}` : `PostgreSQL does not start on this backup: ${first}`;
}

function toFinding(line: string): Finding {
  return finding('recovery.log', 'critical', line);
}
