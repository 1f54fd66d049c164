import { describe, expect, it } from 'vitest';
import { clusterEvidence, type EvidenceChanges } from '../testing/evidence.js';
import check, { evaluatePages } from './index.js';

const judge = (changes: EvidenceChanges = {}) => evaluatePages(clusterEvidence(changes));

describe(check.id, () => {
  it('fails on damage and names the file and block', () => {
    const judgement = judge({ kinds: { checksum: 2 } });
    expect(judgement.outcome).toBe('fail');
    expect(judgement.findings.map((finding) => finding.where)).toContainEqual(expect.objectContaining({ file: 'base/5/16384', block: 3 }));
  });

  it('passes torn pages that the log repairs, and damaged maps', () => {
    expect(judge({ kinds: { restored: 2 } })).toMatchObject({ outcome: 'pass' });
    const maps = judge({ kinds: { derived: 1 } });
    expect(maps.outcome).toBe('pass');
    expect(maps.findings.map((finding) => finding.severity)).toContain('warning');
  });

  it('says what a cluster without checksums leaves untested', () => {
    expect(judge({ control: { checksums: false } }).untested).toMatchObject([{ what: 'bit rot inside pages' }]);
    expect(judge().untested).toEqual([]);
  });
});
