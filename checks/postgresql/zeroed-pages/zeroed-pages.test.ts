import { describe, expect, it } from 'vitest';
import { instanceState } from '../log-versus-pages/instance-state.js';
import { emptyLost, LOST_KINDS } from '../pages/zeroed-facts.js';
import { clusterEvidence, type EvidenceChanges } from '../testing/evidence.js';
import check, { evaluateZeroed } from './index.js';

const judge = (changes: EvidenceChanges = {}) => evaluateZeroed(clusterEvidence(changes));

describe(check.id, () => {
  it('passes zero pages of which nothing says that they held anything', () => {
    expect(judge()).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', untested: [] });
    expect(judge({ zeroed: { pages: 30, relations: 2, indexes: 3 } })).toMatchObject({
      outcome: 'pass',
      summary: expect.stringContaining('30 pages of 2 relations'),
    });
  });

  it.each(LOST_KINDS)('fails a zero page that held something (%s), and says where it is', (kind) => {
    const lost = emptyLost();
    lost[kind] = { count: 12, examples: [{ file: 'base/5/16384', block: 77, index: 'base/5/16390', from: 3 }] };
    const judgement = judge({ zeroed: { pages: 12, relations: 1, lost } });
    expect(judgement).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    expect(judgement.summary).toContain('Block 77 of base/5/16384 is all zero');
    expect(judgement.summary).toContain('12 in all');
    expect(judgement.findings[0]).toMatchObject({ severity: 'critical', where: { file: 'base/5/16384', block: 77 } });
    expect(instanceState(clusterEvidence({ zeroed: { lost } })).state).toBe('damaged');
  });

  it('does not pass what it could not look at', () => {
    expect(judge({ zeroed: { leftOut: 9 } })).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
    expect(judge({ zeroed: { unread: 'the log is broken' } })).toMatchObject({
      instanceState: 'unknown',
      untested: [{ why: 'the log is broken', holdsData: true }],
    });
    const { zeroed: _gone, ...older } = clusterEvidence();
    expect(evaluateZeroed(older).untested).toMatchObject([{ holdsData: true }]);
  });
});
