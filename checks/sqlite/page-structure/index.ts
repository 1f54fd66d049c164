/** Check `sqlite/page-structure`: see README.md beside this file. */
import { defineStaticCheck } from '../../../src/check.js';
import type { CoverageItem, Finding, Judgement, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { notSqlite } from '../applies.js';
import type { Defect } from '../defects.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';

const ADVICE =
  'Do not rely on this restore point for this database. Take the database from an earlier restore point that passed, or save what can be read with "sqlite3 FILE .recover".';

export default defineStaticCheck<StaticEvidence>({
  id: 'sqlite/page-structure',
  title: 'Every page of the SQLite database belongs to exactly one table, index or free list, and is well-formed',
  failureTitle: 'Pages of the SQLite database are damaged, missing or in the wrong place',
  description:
    'Walks every b-tree, overflow chain, free list and pointer map of the database as SQLite would see it after applying its log, without running SQLite. SQLite pages carry no checksum, so this is what finds lost, stale, swapped and overwritten pages.',
  timeoutMs: 30 * 60_000,
  skipReason: notSqlite,
  collect: staticPass,
  evaluate: judge,
});

function judge(evidence: StaticEvidence): Judgement {
  if (evidence.fileBytes === null) return absent(evidence);
  const findings = evidence.problems.examples.map((problem) => findingOf(problem, evidence));
  const total = Object.values(evidence.problems.counts).reduce((sum, count) => sum + count, 0);
  if (total > 0) {
    const summary = `${evidence.path} is damaged: ${count(total, 'problem')} in its pages, the first: ${findings[0]?.message ?? 'see the findings'}`;
    return {
      outcome: 'fail',
      summary,
      findings,
      advice: ADVICE,
      consistency: { level: 'none', why: summary },
      instanceState: 'damaged',
      tested: tested(evidence),
      untested: untested(evidence),
    };
  }
  const instanceState = needsLog(evidence) ? 'recoverable' : 'clean';
  return { outcome: 'pass', summary: passSummary(evidence), findings, instanceState, tested: tested(evidence), untested: untested(evidence) };
}

function needsLog({ wal, journal }: StaticEvidence): boolean {
  return (wal?.committedFrames ?? 0) > 0 || journal?.rolledBack === true;
}

function absent({ path, volume }: StaticEvidence): Judgement {
  const message = `${path} was found as a SQLite database, but it can no longer be read as a file.`;
  const findings: Finding[] = [{ code: 'sqlite.file.unreadable', severity: 'critical', message, where: { volume, file: path } }];
  const untestedItem = { what: `SQLite database ${path}`, why: 'its file could not be read', holdsData: true };
  return { outcome: 'fail', summary: message, findings, advice: ADVICE, instanceState: 'unknown', tested: [], untested: [untestedItem] };
}

function findingOf({ code, page, tree, what }: Defect, { path, volume }: StaticEvidence): Finding {
  const place = tree === '' ? '' : ` (${tree})`;
  return { code, severity: 'critical', message: `Page ${page}${place} ${what}.`, where: { volume, file: path, page, ...(tree === '' ? {} : { tree }) } };
}

function passSummary({ path, pages, walk }: StaticEvidence): string {
  if (!pages || pages.pageCount === 0 || !walk) return `${path} is an empty database.`;
  const log =
    pages.fromWal > 0
      ? `, ${pages.fromWal} of them from its write-ahead log`
      : pages.fromJournal > 0
        ? `, ${pages.fromJournal} of them from its rollback journal`
        : '';
  return `All ${pages.pageCount} pages of ${path} are in place and well-formed${log}.`;
}

function tested({ path, pages, walk }: StaticEvidence): CoverageItem[] {
  if (!pages || !walk) return [{ what: `SQLite database ${path}`, how: 'read its header' }];
  const bytes = pages.pageCount * pages.pageSize;
  const how = `walked ${walk.trees} trees with ${walk.entries} entries over ${pages.pageCount} pages (${bytes} bytes), ${walk.overflowPages} overflow and ${walk.freePages} free pages among them; key order compared in all tables and ${walk.comparedIndexes} of ${walk.comparedIndexes + walk.uncomparedIndexes} indexes`;
  return [{ what: `SQLite database ${path}`, how }];
}

function untested({ path, walk }: StaticEvidence): UntestedItem[] {
  if (walk?.pointerMap !== 'too large to compare') return [];
  return [{ what: `pointer map of ${path}`, why: 'it is too large to be held in memory', holdsData: false }];
}
