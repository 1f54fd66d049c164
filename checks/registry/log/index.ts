/** Check `registry/log`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Judgement } from '../../../src/types.js';
import { notRegistry } from '../applies.js';
import type { LogFacts } from '../effective.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';

const ADVICE = 'Take this hive and its .LOG files from an earlier restore point that passed, all of one instant.';

export default defineStaticCheck<StaticEvidence>({
  id: 'registry/log',
  title: 'The registry hive was not being written, or its logs hold all that was being written',
  failureTitle: 'The registry hive was being written, and its logs do not cover it',
  description: 'A hive of a running Windows is usually marked as being written. Its logs, old or new kind, must then continue where the file stands.',
  timeoutMs: 30 * 60_000,
  skipReason: notRegistry,
  collect: staticPass,
  evaluate: evaluateLogs,
});

export function evaluateLogs(evidence: StaticEvidence): Judgement {
  const { path, dirty, applied } = evidence;
  const problems = new Problems();
  if (dirty && !applied) noteUncovered(problems, evidence);
  noteGap(problems, evidence);
  const bytes = applied?.bytes ?? 0;
  const covered = !dirty || applied !== null;
  const why = dirty ? `${path} was being written; its logs hold ${bytes} bytes for it` : `${path} was written completely`;
  return judgeProblems({
    reports: [problems.report()],
    soundState: !dirty ? 'clean' : covered ? 'recoverable' : 'unknown',
    passSummary: dirty ? `${why}.` : `${why}; nothing need be applied.`,
    advice: ADVICE,
    what: `Registry hive ${path}`,
    ...(covered ? { consistency: { level: dirty ? 'crash' : 'application', why }, recovery: { needed: dirty, seconds: null, bytes } } : {}),
    tested: [{ what: `logs of registry hive ${path}`, how: describeLogs(evidence.logs) }],
    untested:
      covered || evidence.wellKnown || hasLogs(evidence)
        ? []
        : [{ what: `registry hive ${path}`, why: 'it was being written and has no logs: a copy, or a hive that lost them', holdsData: true }],
  });
}

function hasLogs({ logs }: StaticEvidence): boolean {
  return logs.some(({ kind }) => kind !== 'empty');
}

function noteUncovered(problems: Problems, evidence: StaticEvidence): void {
  const { path, base } = evidence;
  const where = { file: path, sequence: base?.primarySequence ?? 0, secondSequence: base?.secondarySequence ?? 0 };
  // A copy somebody made of a hive in use has no logs beside it: it is told as untested.
  if (!evidence.wellKnown && !hasLogs(evidence)) return;
  const what = hasLogs(evidence) ? 'none of its logs continues from there' : 'it has no log';
  problems.damaged('registry.log.uncovered', `${path} was being written (its sequence numbers differ, or its base block is damaged), and ${what}.`, where);
}

/** The first entry that is applied should be the one at which the file stands. */
function noteGap(problems: Problems, { path, base, applied }: StaticEvidence): void {
  if (!base || applied?.from === undefined || applied.from === null || applied.from === base.primarySequence) return;
  const message = `The logs of ${path} go on at ${applied.from}, the file stands at ${base.primarySequence}: what was logged between is lost.`;
  problems.add({
    code: 'registry.log.gap',
    severity: 'critical',
    state: 'non-atomic',
    message,
    where: { file: path, from: base.primarySequence, to: applied.from },
  });
}

function describeLogs(logs: LogFacts[]): string {
  if (logs.length === 0) return 'sequence numbers and checksum of the base block; there is no log';
  const each = logs.map(({ path, kind, entries }) => `${path.split('/').at(-1)}: ${kind === 'entries' ? `${entries} entries` : kind}`);
  return `sequence numbers and checksum of the base block; ${each.join(', ')}`;
}
