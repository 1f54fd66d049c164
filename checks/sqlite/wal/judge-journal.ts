/** What the facts about a rollback journal mean. Pure. */
import type { Finding, Severity } from '../../../src/types.js';
import type { StaticEvidence } from '../static-pass.js';

export function journalFindings(evidence: StaticEvidence): Finding[] {
  const { journal, path, volume } = evidence;
  if (!journal?.hot) return [];
  const finding = (code: string, severity: Severity, message: string, where: Record<string, string | number> = {}): Finding => {
    return { code, severity, message, where: { volume, file: `${path}-journal`, ...where } };
  };
  if (journal.superJournalExists === false) {
    return [
      finding('sqlite.journal.committed', 'info', `The rollback journal of ${path} belongs to a transaction that was committed; SQLite will discard it.`),
    ];
  }
  if (!journal.rolledBack) return [];
  const hot = finding(
    'sqlite.journal.hot',
    'info',
    `${path} was captured inside a transaction; SQLite will undo it with the rollback journal when it opens the database.`,
  );
  const lost = journal.recordsBehindHole > 0 || journal.records < journal.promisedRecords;
  if (!lost) return [hot];
  const where = { promised: journal.promisedRecords, whole: journal.records, behindHole: journal.recordsBehindHole };
  const what = `The rollback journal of ${path} is not whole (${journal.records} of ${journal.promisedRecords} pages can be put back)`;
  if (journal.changedPages === 0 && journal.recordsBehindHole === 0) {
    return [hot, finding('sqlite.journal.unfinished', 'info', `${what}, but the database had not been changed yet.`, where)];
  }
  return [
    finding(
      'sqlite.journal.hole',
      'critical',
      `${what}, and the database had already been changed: half a transaction stays in it, and SQLite will not notice.`,
      where,
    ),
  ];
}
