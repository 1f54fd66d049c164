import { describe, expect, it } from 'vitest';
import { clusterEvidence, type EvidenceChanges } from '../testing/evidence.js';
import check, { evaluateHead } from './index.js';

const judge = (changes: EvidenceChanges = {}) => evaluateHead(clusterEvidence(changes).head);
const codes = (changes: EvidenceChanges) => judge(changes).findings.map(({ code, severity }) => `${code.split('.').slice(-2).join('.')} ${severity}`);

describe(check.id, () => {
  it('calls a running server filesystem-consistent and a stopped one application-consistent', () => {
    expect(judge()).toMatchObject({ outcome: 'pass', consistency: { level: 'filesystem' } });
    expect(judge({ control: { state: 'shut down' } })).toMatchObject({ outcome: 'pass', consistency: { level: 'application' } });
  });

  it('does not believe a shutdown that a backup label contradicts', () => {
    const backupLabel = { redo: 1, checkpoint: 2, timeline: 1, endRequired: true };
    expect(judge({ control: { state: 'shut down' }, head: { backupLabel } }).consistency?.level).toBe('filesystem');
  });

  it('fails on a redo of zero and warns of settings that weaken the log', () => {
    expect(judge({ control: { redo: 0 } })).toMatchObject({ outcome: 'fail' });
    expect(codes({ head: { fsyncOff: true } })).toContain('control.fsync-off warning');
    expect(codes({ control: { fullPageWrites: false } })).toContain('control.full-page-writes warning');
    expect(codes({})).toEqual(['control.state info']);
  });
});
