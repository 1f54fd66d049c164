/** An engine of the cluster's version recovers it: the guest's own on the overlay, else the host's on a copy. Evidence, not the verdict: it starts on skewed clusters too. */
import { type RecoveryStory, recoveryCheck } from '../../../src/engines/recovery.js';
import type { EngineRun } from '../engine/parse.js';
import { ENGINE_TIMEOUT_MS, runEngine } from '../engine/run.js';
import { kindOf } from '../engine/server-log.js';
import { notPostgres } from '../words.js';

const recovery = recoveryCheck<EngineRun>({
  family: 'postgresql',
  name: 'PostgreSQL',
  title: 'PostgreSQL recovers the cluster and answers',
  failureTitle: 'PostgreSQL cannot bring the cluster back',
  description:
    "Starts the guest's own PostgreSQL on the overlay, else the host's of the same version on a copy, without network, measures its recovery, opens a session and stops it.",
  advice: 'Restore this database from an older restore point, or from its own backup; the server log lines above say what it stumbled over.',
  timeoutMs: ENGINE_TIMEOUT_MS,
  skipReason: notPostgres,
  run: runEngine,
  tell,
});

export default recovery.check;
export const { tried, evaluate: evaluateRecovery } = recovery;

function tell(run: EngineRun): RecoveryStory {
  const damage = damageOf(run);
  const failed = !run.answered || damage.length > 0;
  const needed = run.redoStart !== null;
  const seconds = run.startSeconds ?? 0;
  return {
    ...{ up: run.answered, stopped: run.stopCode === 0, damage, place: placeReason(run), version: run.engine, use: run.use, findings: [] },
    others: run.errors.filter((line) => !damage.includes(line)),
    lastWords: run.startSaid.at(-1) ?? null,
    state: failed ? 'damaged' : needed ? 'recoverable' : 'clean',
    recovery: { needed, seconds: needed ? seconds : 0, bytes: 0 },
    success: success(run, seconds),
  };
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

function success(run: EngineRun, seconds: number): string {
  const redo = run.redoStart === null ? 'It needed no recovery' : `It replayed its log from ${run.redoStart} to ${run.redoEnd ?? 'its end'}`;
  return `${redo} and answered ${seconds.toFixed(1)} s after the start; ${run.databases ?? 0} databases accept sessions.`;
}
