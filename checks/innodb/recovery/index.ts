/** MariaDB recovers the instance: the guest's own on the overlay, else the host's on a copy. Evidence, not the verdict: it starts on skewed tables too. */
import { type RecoveryStory, recoveryCheck } from '../../../src/engines/recovery.js';
import type { InstanceState } from '../../../src/types.js';
import type { EngineRun } from '../engine/parse.js';
import { ENGINE_TIMEOUT_MS, runEngine } from '../engine/run.js';
import { kindOf } from '../engine/server-log.js';
import { finding, LOG_ADVICE, notInnodb } from '../words.js';

const recovery = recoveryCheck<EngineRun>({
  family: 'innodb',
  name: 'MariaDB',
  title: 'MariaDB recovers the instance and answers',
  failureTitle: 'MariaDB cannot bring the instance back',
  description:
    "Starts the guest's own MariaDB on the overlay, else the host's of the same series on a copy, without network, accounts, events and replication, measures its recovery, and reads its log.",
  advice: LOG_ADVICE,
  timeoutMs: ENGINE_TIMEOUT_MS,
  skipReason: notInnodb,
  run: runEngine,
  tell,
});

export default recovery.check;
export const { tried, evaluate: evaluateRecovery } = recovery;

function tell(run: EngineRun): RecoveryStory {
  const damage = complaints(run);
  const needed = run.recovery !== null;
  return {
    ...{ up: run.up, stopped: run.stopped, damage, place: placeReason(run), version: run.engine, use: run.use, lastWords: null },
    others: run.errors.filter((line) => !damage.includes(line)),
    state: stateOf(run, damage),
    recovery: { needed, seconds: needed ? (run.startSeconds ?? 0) : 0, bytes: replayedBytes(run) },
    success: success(run),
    findings: run.prepared ? [finding('recovery.prepared', 'warning', PREPARED)] : [],
  };
}

const PREPARED = 'Transactions were prepared and not decided: here they were rolled back; at a real start the binary log decides, so restore it with the data.';

function placeReason(run: EngineRun): string | null {
  if (run.problem !== null) return run.problem;
  if (run.slow) return 'it was still starting when the time was up';
  return run.errors.find((line) => kindOf(line) === 'place') ?? null;
}

/** Lines about the data. */
export function complaints(run: EngineRun): string[] {
  return [...run.errors, ...run.lateErrors].filter((line) => ['damage', 'skew'].includes(kindOf(line)));
}

function stateOf(run: EngineRun, damage: string[]): InstanceState {
  if (!run.up || damage.length > 0) return damage.some((line) => kindOf(line) === 'skew') ? 'non-atomic' : 'damaged';
  return run.recovery ? 'recoverable' : 'clean';
}

/** LSNs of InnoDB count bytes of its log. */
function replayedBytes({ recovery }: EngineRun): number {
  const bytes = Number(recovery?.to ?? 0) - Number(recovery?.from ?? 0);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : 0;
}

function success(run: EngineRun): string {
  const redo = run.recovery ? `It replayed its log from LSN ${run.recovery.from} to ${run.recovery.to ?? 'its end'}` : 'It needed no recovery';
  return `${redo} and answered ${(run.startSeconds ?? 0).toFixed(1)} s after the start.`;
}
