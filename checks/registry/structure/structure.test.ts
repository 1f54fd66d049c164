/** The pure judgement; `registry.test.ts` of the family damages real bytes. */
import { describe, expect, it } from 'vitest';
import type { StaticEvidence } from '../static-pass.js';
import check, { evaluateStructure } from './index.js';

const base = {
  ...{ primarySequence: 7, secondarySequence: 7, writtenAt: '1', major: 1, minor: 5, type: 0, rootCell: 32, binsBytes: 4096 },
  ...{ sectorBytes: 512, sumFits: true },
};
const tree = { keys: 3, values: 2, reachedBytes: 800, bins: 1, cells: 9, binsBytes: 4096, allocatedBytes: 800 };

function evidence(changes: Partial<StaticEvidence> = {}): StaticEvidence {
  const sound = { path: '/SYSTEM', volume: 'v', wellKnown: true, sizeBytes: 8192, base, baseFromLog: false, dirty: false, logs: [], applied: null };
  return { ...sound, missingBytes: 0, tree, problems: { counts: {}, examples: [] }, ...changes };
}

describe(check.id, () => {
  it('passes a hive without problems and says what was walked', () => {
    expect(evaluateStructure(evidence())).toMatchObject({ outcome: 'pass', instanceState: 'clean', tested: [{ how: expect.stringContaining('9 cells') }] });
    expect(evaluateStructure(evidence({ dirty: true }))).toMatchObject({ outcome: 'pass', instanceState: 'recoverable' });
  });

  it('fails one that is gone, cut off, or without base block', () => {
    expect(evaluateStructure(evidence({ sizeBytes: null, base: null, tree: null })).findings[0]?.code).toBe('registry.unreadable');
    expect(evaluateStructure(evidence({ missingBytes: 4096 }))).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    expect(evaluateStructure(evidence({ base: null, tree: null })).findings[0]?.code).toBe('registry.base-block');
  });

  it('leaves one that is too large untested', () => {
    expect(evaluateStructure(evidence({ tree: null }))).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
  });
});
