/** Check `mssql/page-checksums`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Judgement, UntestedItem } from '../../../src/types.js';
import { notMssql } from '../applies.js';
import type { PageFacts, PageKind } from '../page-facts.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { count, DAMAGE_ADVICE, exemption, nameOf, soundState, unreadFiles } from '../words.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'mssql/page-checksums',
  title: 'Every page of the SQL Server database that is in use is intact and in its place',
  failureTitle: 'Pages of the SQL Server database are damaged, lost or in the wrong place',
  description:
    'Verifies checksum, own number and allocation of every page of all data files of a SQL Server database. Its log holds no images of pages, so recovery repairs none of them.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notMssql,
  collect: staticPass,
  evaluate: evaluatePages,
});

const DAMAGE: Partial<Record<PageKind, string>> = {
  sum: 'does not fit its own checksum',
  misplaced: 'is a whole page, but one that belongs elsewhere',
  header: 'does not begin with the header of a page of this file',
  zeroed: 'is allocated and has been for long, but holds only zeroes',
};

export function evaluatePages(evidence: StaticEvidence): Judgement {
  const exempt = exemption(evidence);
  if (exempt) return exempt;
  const { pages } = evidence;
  const problems = new Problems();
  noteFiles(problems, evidence);
  const encrypted = pages !== null && looksEncrypted(pages);
  if (pages) notePages(problems, pages, encrypted);
  const used = pages?.used ?? 0;
  return judgeProblems({
    reports: [problems.report()],
    soundState: soundState(evidence),
    passSummary: `${count(used, 'page')} in use of ${count(evidence.dataFiles.length, 'data file')} were judged, and none is damaged.`,
    advice: DAMAGE_ADVICE,
    what: nameOf(evidence),
    tested: [
      { what: `pages of ${nameOf(evidence)}`, how: `checksum and own number of the ${used} pages in use; ${pages?.summed ?? 0} carried a fitting checksum` },
    ],
    untested: [...unreadFiles(evidence), ...(pages ? openQuestions(evidence, pages, encrypted) : [])],
  });
}

function noteFiles(problems: Problems, { path, boot, dataFiles, recognised }: StaticEvidence): void {
  if (recognised && dataFiles.some(({ fileId }) => fileId === 1) && !boot?.sumFits) {
    problems.damaged('mssql.boot-page', `The boot page of ${path} is damaged: the server cannot open the database.`, { file: path, page: 9 });
  }
  for (const file of dataFiles) {
    if (!file.headerIntact) problems.damaged('mssql.file-header', `The header page of ${file.path} is damaged.`, { file: file.path, page: 0 });
    const { allocation } = file;
    for (const { page, type } of allocation?.damaged ?? []) {
      problems.damaged('mssql.allocation', `Page ${page} of ${file.path}, a ${type} page that says which pages are in use, is damaged.`, {
        file: file.path,
        page,
      });
    }
    if (allocation?.beyondEnd === null || allocation?.beyondEnd === undefined) continue;
    const message = `${file.path} ends before page ${allocation.beyondEnd}, which is in use: the file is cut off.`;
    problems.damaged('mssql.file.short', message, { file: file.path, page: allocation.beyondEnd, sizeBytes: file.sizeBytes });
  }
}

function notePages(problems: Problems, pages: PageFacts, encrypted: boolean): void {
  for (const [kind, what] of Object.entries(DAMAGE) as [PageKind, string][]) {
    const { count: total, examples } = pages.kinds[kind];
    if (kind === 'sum' && encrypted) continue;
    for (let i = 0; i < total && i < examples.length; i++) {
      const { file, page, lsn } = examples[i] ?? { file: '', page: 0, lsn: '' };
      const rest = i === 0 && total > 1 ? ` (one of ${total} such pages)` : '';
      problems.damaged(`mssql.page.${kind}`, `Page ${page} of ${file} ${what}${rest}.`, { file, page, lsn });
    }
  }
}

/** Whole files whose every sum is wrong while every page knows its place are not torn: something else lies over them. */
function looksEncrypted({ kinds, summed }: PageFacts): boolean {
  return kinds.sum.count >= 16 && kinds.sum.count > summed;
}

function openQuestions({ path }: StaticEvidence, pages: PageFacts, encrypted: boolean): UntestedItem[] {
  const items: UntestedItem[] = [];
  const ask = (n: number, why: string, holdsData: boolean) => {
    if (n > 0) items.push({ what: `${count(n, 'page')} of ${path}`, why, holdsData });
  };
  if (encrypted)
    ask(pages.kinds.sum.count, 'most checksums do not fit although the pages are in their places: encrypted (TDE), or another kind of checksum', true);
  ask(pages.kinds.torn.count, 'they are protected by torn page detection, and neither known form of it fits', true);
  ask(pages.kinds.pending.count, 'they are allocated but still zeroes: only recovery by SQL Server tells whether its log brings them', true);
  ask(pages.kinds.uncertain.count, 'they are damaged, free as captured, and changed after the checkpoint: only recovery tells whether they are in use', true);
  ask(pages.unprotected + pages.tornBits, 'they carry no checksum, so bit rot inside them cannot be seen', false);
  return items;
}
