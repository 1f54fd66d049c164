/** Check `ese/pages`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Judgement, UntestedItem } from '../../../src/types.js';
import { notEse } from '../applies.js';
import type { PageFacts, PageKind } from '../page-facts.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { CLEAN, DAMAGE_ADVICE, exemption, nameOf, soundState } from '../words.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'ese/pages',
  title: 'Header and every written page of the ESE database are intact and in their place',
  failureTitle: 'Pages of the ESE database are damaged or in the wrong place',
  description:
    'Verifies header, its copy, and checksum, own number and tags of every page of an ESE database (ntds.dit, Exchange, Windows Search, ...). Its log holds no whole pages, so recovery repairs none of them.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notEse,
  collect: staticPass,
  evaluate: evaluatePages,
});

const DAMAGE: Partial<Record<PageKind, string>> = {
  damaged: 'does not fit its own checksum',
  misplaced: 'is a whole page, but the one of another number',
  tags: 'has tags that lead outside it',
};

export function evaluatePages(evidence: StaticEvidence): Judgement {
  const exempt = exemption(evidence);
  if (exempt) return exempt;
  const { pages } = evidence;
  const problems = new Problems();
  noteHeader(problems, evidence);
  if (pages) notePages(problems, evidence, pages);
  const written = pages ? pages.pages - pages.zeroes : 0;
  return judgeProblems({
    reports: [problems.report()],
    soundState: soundState(evidence),
    passSummary: `All ${written} pages of ${evidence.path} that were ever written are whole and in their places.`,
    advice: DAMAGE_ADVICE,
    what: nameOf(evidence),
    tested: pages
      ? [{ what: `pages of ${nameOf(evidence)}`, how: `checksum, own number and tags of ${written} pages; ${pages.zeroes} were never written` }]
      : [],
    untested: pages ? openQuestions(evidence, pages) : [],
  });
}

function noteHeader(problems: Problems, { path, sizeBytes, header, fromCopy }: StaticEvidence): void {
  const where = { file: path, offset: 0 };
  if (sizeBytes === null) problems.damaged('ese.unreadable', `${path} cannot be read.`, { file: path });
  else if (!header) problems.damaged('ese.header', `The header page of ${path} and its copy are both damaged: the database cannot be opened.`, where);
  if (!fromCopy) return;
  const message = `The header page of ${path} does not fit its checksum; its copy does, and the engine takes that.`;
  problems.add({ code: 'ese.header.copy', severity: 'warning', state: 'recoverable', message, where });
}

function notePages(problems: Problems, { path, header }: StaticEvidence, { tallies, maxDbtime }: PageFacts): void {
  for (const [kind, what] of Object.entries(DAMAGE) as [PageKind, string][]) {
    const { count, examples } = tallies[kind];
    for (const [i, example] of examples.slice(0, count).entries()) {
      const rest = i === 0 && count > 1 ? ` (one of ${count} such pages)` : '';
      problems.damaged(`ese.page.${kind}`, `Page ${example.block} of ${path} ${what}${rest}.`, { ...example });
    }
  }
  const tell = (kind: PageKind, message: (page: number) => string, repaired: boolean) => {
    for (const { block, file } of tallies[kind].examples) {
      const state = repaired ? 'recoverable' : null;
      problems.add({ code: `ese.page.${kind}`, severity: 'warning', state, message: message(block), where: { file, page: block } });
    }
  };
  tell(
    'one-bit',
    (page) => `One bit of page ${page} of ${path} is wrong; the engine corrects it when it reads the page, but its storage is not to be trusted.`,
    true,
  );
  tell('unused', (page) => `Page ${page} of ${path} is damaged or was never written; no tree leads to it.`, false);
  if (header?.state !== CLEAN || BigInt(maxDbtime) <= BigInt(header.dbtime)) return;
  // Seen in a sound database that Windows wrote: told, not judged.
  const message = `A page of ${path} was changed at time ${maxDbtime} of the database; its header knows of ${header.dbtime}.`;
  problems.add({ code: 'ese.dbtime', severity: 'info', state: null, message, where: { file: path } });
}

function openQuestions({ path }: StaticEvidence, { tallies, oldSum }: PageFacts): UntestedItem[] {
  const items: UntestedItem[] = [];
  const { count, examples } = tallies.beyond;
  if (count > 0) {
    const why = `from page ${examples[0]?.block ?? 0} on nothing sound follows: space that was never written, or damage of the end; only recovery tells`;
    items.push({ what: `${count} pages at the end of ${path}`, why, holdsData: true });
  }
  if (oldSum > 0) items.push({ what: `${oldSum} pages of ${path}`, why: 'their old checksum does not see everything', holdsData: false });
  return items;
}
