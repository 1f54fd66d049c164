/** Check `firebird/structure`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Judgement, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { notFirebird } from '../applies.js';
import { type StaticEvidence, staticPass, unknownReason } from '../static-pass.js';

const ADVICE =
  'Take this database from an earlier restore point that passed. Run "gfix -v -full" on a copy of the live database: if it finds the same, its storage loses writes.';

export default defineStaticCheck<StaticEvidence>({
  id: 'firebird/structure',
  title: 'Every page of the Firebird database that is in use is in its place, and what points to it was written after it',
  failureTitle: 'Pages of the Firebird database are damaged, lost or older than what points to them',
  description:
    'Walks pointer, data, blob and index pages of a Firebird database from its header. Firebird has no log: it writes pages in an order that makes the file whole at any instant, and this proves that it is.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notFirebird,
  collect: staticPass,
  evaluate: evaluateStructure,
});

export function evaluateStructure(evidence: StaticEvidence): Judgement {
  const { path, walk, header } = evidence;
  const problems = new Problems();
  noteHeader(problems, evidence);
  const active = walk?.activeTransactions ?? 0;
  const trusted = header !== null && walk !== null && header.forcedWrites && header.backup === 'normal';
  const why = active > 0 ? `${active} transactions of ${path} were open, and count as rolled back` : `no transaction of ${path} was open`;
  return judgeProblems({
    reports: [problems.report(), evidence.problems],
    soundState: active > 0 ? 'recoverable' : 'clean',
    passSummary: walk
      ? `${count(walk.dataPages, 'data page')} with ${count(walk.records, 'record')} and ${count(walk.indexes, 'index', 'indexes')} of ${path} are in order; ${why}.`
      : `${path} was not walked.`,
    advice: ADVICE,
    what: `Firebird database ${path}`,
    ...(trusted ? { consistency: { level: active > 0 ? 'crash' : 'application', why }, recovery: { needed: false, seconds: null, bytes: 0 } } : {}),
    tested: walk ? [{ what: `Firebird database ${path}`, how: howTested(evidence) }] : [],
    untested: untestedOf(evidence),
  });
}

function noteHeader(problems: Problems, { path, sizeBytes, header, headerProblem, hasDelta }: StaticEvidence): void {
  if (sizeBytes === null) problems.damaged('firebird.unreadable', `${path} cannot be read.`, { file: path });
  if (headerProblem) problems.damaged('firebird.header', `In ${path} ${headerProblem}.`, { file: path, page: 0 });
  if (!header || header.backup === 'normal' || hasDelta) return;
  const message = `${path} is locked for nbackup, so that changes go to its .delta file, and that is not beside it: they are lost unless it has another name.`;
  problems.add({ code: 'firebird.delta.missing', severity: 'warning', state: 'unknown', message, where: { file: path } });
}

function howTested({ walk }: StaticEvidence): string {
  if (!walk) return 'its header page';
  const pages = `${walk.dataPages} data, ${walk.blobPages} blob and ${walk.indexPages} index pages of ${walk.relations} relations`;
  return `walked ${pages}: type, own number, owner, page inventory, ${count(walk.records, 'record')} and the order of keys in ${count(walk.indexes, 'index', 'indexes')}`;
}

function untestedOf({ path, sizeBytes, header }: StaticEvidence): UntestedItem[] {
  if (!header) return [];
  const items: UntestedItem[] = [];
  const add = (what: string, why: string) => items.push({ what, why, holdsData: true });
  const reason = unknownReason(header, sizeBytes ?? 0);
  if (reason) add(`Firebird database ${path}`, reason);
  if (header.backup !== 'normal') add(`changes to ${path} since it was locked for nbackup`, 'they are in its .delta file, which is not judged');
  if (!header.forcedWrites && !header.readOnly) {
    add(
      `order of writes to ${path}`,
      'forced writes are off, so the system may have written pages in any order: a sound structure does not prove that nothing committed is lost',
    );
  }
  return items;
}
