/** Check `ese/structure`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Judgement } from '../../../src/types.js';
import { notEse } from '../applies.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { CLEAN, DAMAGE_ADVICE, exemption, nameOf, soundState } from '../words.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'ese/structure',
  title: 'Every tree of the cleanly shut down ESE database leads to whole pages of its own',
  failureTitle: 'Trees of the ESE database do not fit together',
  description:
    'Walks the catalogue, all tables, indexes, long values and space trees of an ESE database that was shut down cleanly. Lost writes, pages of another instant and a file that is cut off show here.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notEse,
  collect: staticPass,
  evaluate: evaluateStructure,
});

export function evaluateStructure(evidence: StaticEvidence): Judgement {
  const exempt = exemption(evidence);
  if (exempt) return exempt;
  const { tree, path, header } = evidence;
  const problems = new Problems();
  if (!header) problems.damaged('ese.header', `${path} has no header that could be read.`, { file: path });
  const open = header !== null && header.state !== CLEAN;
  const why = open ? 'it was open: pages are written in any order then, and only its log makes them fit' : 'it is larger than can be walked';
  return judgeProblems({
    reports: [problems.report(), evidence.treeProblems],
    soundState: soundState(evidence),
    passSummary: tree ? `${tree.trees} trees of ${path} with ${tree.pages} pages fit together.` : `The trees of ${path} were not walked: ${why}.`,
    advice: DAMAGE_ADVICE,
    what: nameOf(evidence),
    tested: tree ? [{ what: `trees of ${nameOf(evidence)}`, how: `${tree.trees} trees walked from the catalogue, ${tree.pages} pages` }] : [],
    untested: tree || !header ? [] : [{ what: `trees of ${nameOf(evidence)}`, why, holdsData: !open }],
  });
}
