/** The pure judgement; `ese.test.ts` of the family damages whole databases. */
import { describe, expect, it } from 'vitest';
import { Problems } from '../../../src/bytes/problems.js';
import { evidence, header } from '../testing/evidence.js';
import check, { evaluateStructure } from './index.js';

describe(check.id, () => {
  it('passes trees that fit and says how many', () => {
    expect(evaluateStructure(evidence())).toMatchObject({ outcome: 'pass', instanceState: 'clean', tested: [{ how: expect.stringContaining('8 trees') }] });
  });

  it('fails with what the walk found', () => {
    const problems = new Problems();
    problems.damaged('ese.tree.twice', 'Page 3 belongs to two trees.', { page: 3 });
    expect(evaluateStructure(evidence({ treeProblems: problems.report() }))).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
  });

  it('says why it did not walk: open is normal, too large leaves data untested', () => {
    const open = evaluateStructure(evidence({ tree: null, header: { ...header, state: 2 } }));
    expect(open).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', untested: [{ holdsData: false }] });
    expect(evaluateStructure(evidence({ tree: null }))).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
  });
});
