import { describe, expect, it } from 'vitest';
import { clusterEvidence, type EvidenceChanges } from '../testing/evidence.js';
import check, { evaluateLog } from './index.js';

const judge = (changes: EvidenceChanges = {}) => evaluateLog(clusterEvidence(changes));

describe(check.id, () => {
  it('measures what must be replayed', () => {
    expect(judge().recovery).toEqual({ needed: true, seconds: null, bytes: 0x2100000 - 0x2000028 });
    expect(judge({ control: { state: 'shut down' }, log: { records: 1 } }).recovery).toEqual({ needed: false, seconds: null, bytes: 0 });
  });

  it('names the segment that is missing at redo', () => {
    const judgement = judge({ log: { records: 0, stop: 'zeroes' } });
    expect(judgement.outcome).toBe('fail');
    expect(judgement.summary).toContain('000000010000000000000002');
  });

  it('fails a log whose end is overwritten with zeroes', () => {
    const judgement = judge({ log: { zeroed: { from: 0x2102000, pages: 3 } } });
    expect(judgement).toMatchObject({ outcome: 'fail', instanceState: 'lost-tail', summary: expect.stringContaining('3 pages from 0/2102000') });
    const shutDown = judge({ control: { state: 'shut down' }, log: { records: 1, zeroed: { from: 0x2102000, pages: 3 } } });
    expect(shutDown).toMatchObject({ outcome: 'pass', instanceState: 'clean', findings: [{ severity: 'warning' }] });
  });

  it('says where the hole is and how much lies beyond it', () => {
    const { summary, advice } = judge({ log: { beyond: { first: 0x2200000, last: 0x2300000, records: 9 } } });
    expect(summary).toContain('0/2100000: 9 intact records');
    expect(advice).toBeTruthy();
  });
});
