import { describe, expect, it } from 'vitest';
import { type EvidenceChanges, instanceEvidence } from '../testing/evidence.js';
import check, { evaluatePages } from './index.js';

const judge = (changes: EvidenceChanges = {}) => evaluatePages(instanceEvidence(changes));

describe(check.id, () => {
  it.each(['checksum', 'identity', 'zeroed'] as const)('fails pages of kind %s and names the place', (kind) => {
    const judgement = judge({ kinds: { [kind]: 2 } });
    expect(judgement).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    expect(judgement.findings.map(({ where }) => where)).toContainEqual(expect.objectContaining({ file: 'shop/orders.ibd', block: 7 }));
  });

  it('passes pages that recovery replaces, as recoverable', () => {
    expect(judge({ kinds: { restored: 1, copied: 1 } })).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', untested: [] });
    expect(judge()).toMatchObject({ outcome: 'pass', instanceState: 'clean', untested: [] });
  });

  it('fails files that are missing or short', () => {
    expect(judge({ spaces: { systemFiles: 0 } }).findings.map(({ code }) => code)).toEqual(['innodb.file.system-missing']);
    expect(judge({ spaces: { missing: { count: 1, examples: [{ file: 'a.ibd', space: 3 }] } } }).outcome).toBe('fail');
    expect(judge({ spaces: { short: { count: 1, examples: [{ file: 'a.ibd', sizeBytes: 1, promisedBytes: 2 }] } } }).outcome).toBe('fail');
    expect(judge({ instance: { kind: 'tables' }, spaces: { systemFiles: 0 } }).outcome).toBe('pass');
  });

  it('never passes over what it could not see', () => {
    for (const changes of [
      { kinds: { hidden: 1 } },
      { spaces: { unreadable: { count: 1, examples: ['a.ibd'] } } },
      { spaces: { missingLinks: { count: 1, examples: ['a.ibd -> /x'] } } },
      { spaces: { tooManyFiles: true } },
      { instance: { otherEngines: 'Aria, MyRocks' } },
    ] satisfies EvidenceChanges[]) {
      const judgement = judge(changes);
      expect(judgement).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
      expect(judgement.untested.map(({ holdsData }) => holdsData)).toEqual([true]);
    }
    expect(judge({ instance: { otherEngines: 'Aria, MyISAM, CSV' } }).untested).toEqual([]);
    expect(judge({ kinds: { unproven: 3 } }).untested).toMatchObject([{ holdsData: false }]);
  });
});
