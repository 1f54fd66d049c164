/** Redis or Valkey loads its files: the guest's own on the overlay, else the host's on a copy. Evidence beside the static judgement, never instead of it. */
import { type RecoveryStory, recoveryCheck } from '../../../src/engines/recovery.js';
import type { Finding, InstanceState } from '../../../src/types.js';
import { notRedis } from '../applies.js';
import type { EngineRun } from '../engine/parse.js';
import { ENGINE_TIMEOUT_MS, runEngine } from '../engine/run.js';
import { kindOf, type LineKind } from '../engine/server-log.js';

const recovery = recoveryCheck<EngineRun>({
  family: 'redis',
  name: 'Redis',
  title: 'Redis or Valkey loads its files and answers',
  failureTitle: 'Redis or Valkey does not load its files',
  description:
    "Starts the guest's own server on the overlay, else the host's of the same major version on a copy, without network, modules and saving, waits until everything is loaded, counts the keys and stops it.",
  advice:
    'Restore from an older restore point that passed. "redis-check-rdb FILE" and "redis-check-aof MANIFEST" on a copy show how far a file can be read; what --fix cuts off is lost.',
  timeoutMs: ENGINE_TIMEOUT_MS,
  skipReason: notRedis,
  run: runEngine,
  tell,
});

export default recovery.check;
export const { tried, evaluate: evaluateRecovery } = recovery;

function tell(run: EngineRun): RecoveryStory {
  const all = [...run.errors, ...run.lateErrors];
  const of = (kind: LineKind) => all.filter((line) => kindOf(line) === kind);
  const damage = [...of('damage'), ...of('refused')];
  // A memory that is too small ends a file early, too.
  const starved = all.some((line) => /failed allocating|out of memory/i.test(line));
  const isLog = run.load.kind === 'aof';
  return {
    ...{ up: run.up, stopped: run.stopped, version: run.engine, use: run.use, place: placeReason(run) },
    damage: starved && !run.up ? [] : damage,
    others: run.errors.filter((line) => !damage.includes(line)),
    lastWords: run.exitCode === null ? null : `it ended with exit code ${run.exitCode}`,
    state: stateOf(run, of),
    recovery: { needed: isLog, seconds: isLog ? secondsOf(run) : 0, bytes: isLog ? run.logBytes : 0 },
    success: success(run),
    findings: [...settingsFinding(run), ...tailFinding(of('tail'), run), ...toolFinding(run)],
  };
}

function placeReason(run: EngineRun): string | null {
  if (run.problem !== null) return run.problem;
  if (run.slow) return 'it was still loading when the time was up';
  // 128 and the number of SIGKILL: who takes too much memory is ended so.
  if (run.exitCode === 137)
    return 'it was ended from outside, as is done for lack of memory (the policy sets that of the appliance: limits.applianceMemoryMiB)';
  return run.errors.find((line) => kindOf(line) === 'place') ?? null;
}

function stateOf(run: EngineRun, of: (kind: LineKind) => string[]): InstanceState {
  if (of('damage').length > 0) return 'damaged';
  if (of('refused').length > 0 || (run.up && of('tail').length > 0)) return 'lost-tail';
  if (!run.up) return 'damaged';
  return run.load.kind === 'aof' && run.logBytes > 0 ? 'recoverable' : 'clean';
}

function secondsOf({ loadSeconds, startSeconds }: EngineRun): number {
  return loadSeconds ?? startSeconds ?? 0;
}

function success(run: EngineRun): string {
  const keys = run.keys.reduce((sum, one) => sum + one.keys, 0);
  const each = run.keys.slice(0, 5).map(({ database, keys: count }) => `${count} in database ${database}`);
  const what = run.load.kind === 'aof' ? `the append-only file ${run.load.file}` : `the RDB file ${run.load.file}`;
  const more = run.databases > 5 ? ', ...' : '';
  const expired = run.expired ? `; ${run.expired} keys had expired since` : '';
  return `It loaded ${what} in ${secondsOf(run).toFixed(1)} s and holds ${keys} keys${each.length > 0 ? ` (${each.join(', ')}${more})` : ''}${expired}.`;
}

function finding(code: string, severity: Finding['severity'], message: string): Finding {
  return { code: `redis.recovery.${code}`, severity, message, where: {} };
}

function settingsFinding({ warning }: EngineRun): Finding[] {
  return warning === null ? [] : [finding('settings', 'warning', warning)];
}

function tailFinding(lines: string[], { up }: EngineRun): Finding[] {
  if (lines.length === 0 || !up) return [];
  return [
    finding(
      'tail',
      'warning',
      `The server cut off the end of its log, which was not whole: ${lines.find((line) => /Truncating|Revert/i.test(line)) ?? lines[0]}`,
    ),
  ];
}

/** Its word is told and never decides: it complains of files that the server loads. */
function toolFinding({ tool, up }: EngineRun): Finding[] {
  if (!tool) return [];
  const said = tool.lines.at(-1) ?? 'it says nothing';
  if (tool.says === 'complains') return [finding('tool', up ? 'info' : 'warning', `${tool.name} complains: ${tool.lines[0] ?? said}`)];
  return [finding('tool', 'info', tool.says === 'sound' ? `${tool.name} finds the files sound.` : `${tool.name} came to no word: ${said}`)];
}
