/** Check `oracle/redo`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Judgement } from '../../../src/types.js';
import { notOracle } from '../applies.js';
import { judgedFiles, type StaticEvidence, staticPass } from '../static-pass.js';
import { isOpen, nameOf, SKEW_ADVICE, soundState, unjudged } from '../words.js';
import { noteClosed, noteRedo } from './chain.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'oracle/redo',
  title: 'The Oracle data files were closed, or the redo logs go on from their checkpoints without a gap',
  failureTitle: 'Oracle data files and redo logs do not fit together',
  description:
    'Compares the checkpoints of all data files of an Oracle database with the redo logs that are there: sequences without holes, blocks whole, and nothing in the files that is newer than all redo (R1).',
  timeoutMs: 6 * 3_600_000,
  skipReason: notOracle,
  collect: staticPass,
  evaluate: evaluateRedo,
});

export function evaluateRedo(evidence: StaticEvidence): Judgement {
  const problems = new Problems();
  const open = isOpen(evidence);
  const untested = [...unjudged(evidence), ...(open ? noteRedo(problems, evidence) : noteClosed(evidence))];
  if (evidence.controlFiles.length === 0) {
    untested.push({ what: `control file of ${nameOf(evidence)}`, why: 'none was found: the database cannot be opened without one', holdsData: true });
  }
  const files = judgedFiles(evidence);
  const why = open ? `${nameOf(evidence)} was open; its redo logs go on from its checkpoints` : `${nameOf(evidence)} was closed; it needs no redo`;
  const decided = untested.every(({ holdsData }) => !holdsData);
  return judgeProblems({
    reports: [problems.report()],
    soundState: soundState(evidence),
    passSummary: decided ? `${why}.` : `Not all of ${nameOf(evidence)} could be judged: ${untested[0]?.why}.`,
    advice: SKEW_ADVICE,
    what: nameOf(evidence),
    ...(decided ? { consistency: { level: open ? ('crash' as const) : ('application' as const), why } } : {}),
    recovery: { needed: open, seconds: null, bytes: redoBytes(evidence) },
    tested:
      files.length > 0 ? [{ what: `checkpoints and redo of ${nameOf(evidence)}`, how: `${files.length} data files, ${evidence.redo.length} redo logs` }] : [],
    untested,
  });
}

/** Members of a group hold the same: each sequence counts once. */
function redoBytes({ redo }: StaticEvidence): number {
  const bySequence = new Map(redo.flatMap((log) => (log.content ? [[`${log.thread} ${log.sequence}`, log.content.valid * log.blockBytes] as const] : [])));
  return [...bySequence.values()].reduce((sum, bytes) => sum + bytes, 0);
}
