/** Check `wiredtiger/checkpoint`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { InstanceState, Judgement, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { notWiredTiger } from '../applies.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';

const ADVICE =
  'Take this database from an earlier restore point that passed, and capture data files and journal at one instant. Do not run mongod --repair on the only copy.';

export default defineStaticCheck<StaticEvidence>({
  id: 'wiredtiger/checkpoint',
  title: 'Every block of the newest checkpoint is the one that its parent names, and the journal goes on from there',
  failureTitle: 'Blocks of the WiredTiger checkpoint, or its journal, are damaged, lost or of another instant',
  description:
    'Walks all trees of a WiredTiger (MongoDB) database from the turtle file on. Each pointer repeats the checksum of its block, so that lost, stale and swapped blocks are found; blocks that no checkpoint reaches are free and not judged.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notWiredTiger,
  collect: staticPass,
  evaluate: evaluateCheckpoint,
});

/** Log buffers are written in any order within what is under way. */
const IN_FLIGHT_BYTES = 1024 * 1024;

export function evaluateCheckpoint(evidence: StaticEvidence): Judgement {
  const { folder, walked, files, journal, lockHeld } = evidence;
  const problems = new Problems();
  noteJournal(problems, evidence);
  if (lockHeld === false) noteMissing(problems, evidence);
  const state = soundState(evidence);
  const bytes = state === 'recoverable' ? (journal?.bytes ?? 0) : 0;
  const why = state === 'clean' ? `${folder} was shut down` : `${folder} was running: ${bytes} bytes of journal follow its checkpoint`;
  const known = state === 'clean' || state === 'recoverable';
  return judgeProblems({
    reports: [problems.report(), evidence.problems],
    soundState: state,
    passSummary: `All ${count(walked.blocks, 'block')} of the newest checkpoint of ${count(files ?? 0, 'file')} in ${folder} are in place; ${why}.`,
    advice: ADVICE,
    what: `WiredTiger database ${folder}`,
    ...(known
      ? { consistency: { level: state === 'clean' ? 'application' : 'crash', why }, recovery: { needed: state !== 'clean', seconds: null, bytes } }
      : {}),
    tested: files === null ? [] : [{ what: `WiredTiger database ${folder}`, how: howTested(evidence) }],
    untested: untestedOf(evidence),
  });
}

/** Without a lock file nothing tells whether it was running; without a journal it comes back as of its checkpoint. */
function soundState({ lockHeld, journal, logLsn }: StaticEvidence): InstanceState {
  if (lockHeld === false) return 'clean';
  if (!logLsn) return lockHeld ? 'lost-tail' : 'unknown';
  return lockHeld || journal?.start === 'found' ? 'recoverable' : 'unknown';
}

function noteJournal(problems: Problems, { folder, journal, logLsn, lockHeld }: StaticEvidence): void {
  if (lockHeld === false || !logLsn) return;
  const where = { folder, logFile: logLsn.file, offset: logLsn.offset };
  if (lockHeld && (!journal || journal.start === 'missing')) {
    const message = `The journal from file ${logLsn.file} on, which the checkpoint in ${folder} needs, is not there: what was committed since is lost.`;
    problems.add({ code: 'wiredtiger.journal.missing', severity: 'critical', state: 'lost-tail', message, where });
  }
  if (!journal?.beyond) return;
  const { records, spanBytes } = journal.beyond;
  const hole = spanBytes > IN_FLIGHT_BYTES;
  const message = `Behind the end of the journal of ${folder} lie ${records} whole records: ${hole ? 'it has a hole, and what follows is lost' : 'they were under way, or there is a hole'}.`;
  problems.add({
    code: hole ? 'wiredtiger.journal.hole' : 'wiredtiger.journal.end-doubtful',
    severity: hole ? 'critical' : 'warning',
    state: hole ? 'lost-tail' : null,
    message,
    where,
  });
}

function noteMissing(problems: Problems, { folder, missing }: StaticEvidence): void {
  for (const file of missing.examples) {
    problems.damaged('wiredtiger.missing', `${file} is listed in the metadata of ${folder}, and is not there (one of ${missing.count}).`, { folder, file });
  }
}

function howTested({ walked, journal, files }: StaticEvidence): string {
  const log = journal ? `; checksums of ${count(journal.records, 'journal record')}` : '';
  return `walked ${count(files ?? 0, 'file')} from the turtle: checksum of ${count(walked.blocks, 'block')} (${walked.bytes} bytes), each against what points to it${log}`;
}

function untestedOf({ folder, missing, unknown, lockHeld, journal }: StaticEvidence): UntestedItem[] {
  const items: UntestedItem[] = unknown.map(({ file, why }) => ({ what: `${file} in ${folder}, below what was reached`, why, holdsData: true }));
  if (lockHeld !== false && missing.count > 0) {
    const why = 'they are listed at the checkpoint and not there: dropped since, which the journal would say, or lost';
    items.push({ what: `${missing.count} files of ${folder}, such as ${missing.examples[0] ?? ''}`, why, holdsData: true });
  }
  if (lockHeld === null && journal?.start !== 'found') {
    items.push({ what: `journal of ${folder}`, why: 'it is not there, and without a lock file nothing tells whether it is needed', holdsData: true });
  }
  return items;
}
