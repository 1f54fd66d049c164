import { describe, expect, it } from 'vitest';
import { clusterEvidence, type EvidenceChanges } from '../testing/evidence.js';
import check, { evaluateReconciliation } from './index.js';

const judge = (changes: EvidenceChanges = {}) => evaluateReconciliation(clusterEvidence(changes));

describe(check.id, () => {
  it('passes pages and log of one instant', () => {
    expect(judge()).toMatchObject({ outcome: 'pass', untested: [] });
  });

  it('tells data newer than the log from data older than it', () => {
    expect(judge({ kinds: { newer: 1 } })).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('newer than') });
    expect(judge({ kinds: { stale: 1 } })).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('older than') });
  });

  it('does not pass a cluster whose log names more blocks than it could hold', () => {
    expect(judge({ log: { overflowed: true } }).untested.some((item) => item.holdsData)).toBe(true);
  });
});
