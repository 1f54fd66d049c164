/** The pure judgement; `oracle.test.ts` of the family judges whole databases. */
import { describe, expect, it } from 'vitest';
import { evidence, file, log } from '../testing/evidence.js';
import check, { evaluateRedo } from './index.js';

describe(check.id, () => {
  it('passes where the redo goes on from the checkpoints', () => {
    expect(evaluateRedo(evidence())).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', recovery: { needed: true, bytes: 90 * 512 } });
    expect(evaluateRedo(evidence({ dataFiles: [file({ fuzzy: false })], redo: [] }))).toMatchObject({ outcome: 'pass', instanceState: 'clean' });
  });

  it('does not list thousands of missing sequences one by one', () => {
    const judged = evaluateRedo(evidence({ dataFiles: [file({ sequence: 1 })], redo: [log(4_000_000_000)] }));
    expect(judged.outcome).toBe('fail');
    expect(judged.findings.length).toBeLessThan(30);
  });

  it('takes the better member of a group', () => {
    const broken = { valid: 3, hole: null, damaged: 5, torn: null, sumless: 1 };
    expect(evaluateRedo(evidence({ redo: [log(7), log(7, { path: '/b.log', content: broken })] }))).toMatchObject({ outcome: 'pass', findings: [] });
    expect(evaluateRedo(evidence({ redo: [log(7, { content: broken })] }))).toMatchObject({ outcome: 'fail' });
  });

  it('does not judge redo without checksums', () => {
    const content = { valid: 2, hole: null, damaged: 5, torn: null, sumless: 90 };
    expect(evaluateRedo(evidence({ redo: [log(7, { content })] }))).toMatchObject({
      outcome: 'pass',
      instanceState: 'unknown',
      untested: [{ holdsData: true }],
    });
  });
});
