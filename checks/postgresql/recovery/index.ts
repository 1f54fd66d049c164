/** The guest's own engine recovers the cluster on the overlay. Evidence, not the verdict: it starts on skewed clusters too. */
import { defineCheck } from '../../../src/check.js';
import type { Finding, Judgement } from '../../../src/types.js';
import type { EngineRun } from '../engine/parse.js';
import { ENGINE_TIMEOUT_MS, runEngine } from '../engine/run.js';
import { finding, notPostgres } from '../words.js';

export default defineCheck<EngineRun, Record<string, never>>({
  id: 'postgresql/recovery',
  title: "The guest's own PostgreSQL recovers the cluster, answers, and stops in order",
  failureTitle: "The guest's own PostgreSQL cannot bring the cluster back",
  description: 'Starts the PostgreSQL of the guest on the overlay, without network, measures its recovery, opens a session and stops it.',
  stage: 'recovery',
  depth: 'recovery',
  targetKind: 'instance',
  lab: 'appliance',
  timeoutMs: ENGINE_TIMEOUT_MS,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},
  skipReason: notPostgres,
  collect: runEngine,
  evaluate: evaluateRecovery,
});

/** Errors the server reports about data; others (a missing library, say) are no statement about the backup. */
const DAMAGE =
  /PANIC|could not read block|invalid page|checksum|could not open file|could not locate|unexpected pageaddr|corrupt|could not find redo|invalid record|xlog flush request|no valid checkpoint/i;

export function evaluateRecovery(run: EngineRun): Judgement {
  const started = run.answered && run.problem === null;
  const damage = run.errors.filter((line) => DAMAGE.test(line));
  const failed = !started || damage.length > 0;
  const seconds = run.startSeconds ?? 0;
  return {
    outcome: failed ? 'fail' : 'pass',
    summary: failed ? failure(run, damage) : success(run, seconds),
    findings: [...damage, ...(started ? [] : run.errors)].slice(0, 5).map(toFinding),
    ...(failed ? { advice: ADVICE } : {}),
    ...(started ? { recovery: { needed: run.redoStart !== null, seconds: run.redoStart === null ? 0 : seconds, bytes: 0 } } : {}),
    tested: [{ what: 'recovery by the engine', how: `${run.engine}, the guest's own, started in the appliance on the overlay` }],
    untested: [],
  };
}

const ADVICE = 'Restore this database from an older restore point, or from its own backup; the server log lines above say what it stumbled over.';

function success(run: EngineRun, seconds: number): string {
  const redo = run.redoStart === null ? 'It needed no recovery' : `It replayed its log from ${run.redoStart} to ${run.redoEnd ?? 'its end'}`;
  return `${redo} and answered ${seconds.toFixed(1)} s after the start; ${run.databases ?? 0} databases accept sessions.`;
}

function failure(run: EngineRun, damage: string[]): string {
  const first = damage[0] ?? run.errors[0] ?? run.problem ?? 'its log says nothing';
  return run.answered ? `PostgreSQL started, but it reports damage: ${first}` : `PostgreSQL does not start on this backup: ${first}`;
}

function toFinding(line: string): Finding {
  return finding('recovery.log', 'critical', line);
}
