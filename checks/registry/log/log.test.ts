/** The pure judgement; `registry.test.ts` of the family applies real logs. */
import { describe, expect, it } from 'vitest';
import type { StaticEvidence } from '../static-pass.js';
import check, { evaluateLogs } from './index.js';

const base = {
  ...{ primarySequence: 8, secondarySequence: 7, writtenAt: '1', major: 1, minor: 5, type: 0, rootCell: 32, binsBytes: 4096 },
  ...{ sectorBytes: 512, sumFits: true },
};

function evidence(changes: Partial<StaticEvidence> = {}): StaticEvidence {
  const running = { path: '/SYSTEM', volume: 'v', wellKnown: true, sizeBytes: 8192, base, baseFromLog: false, dirty: true, logs: [] };
  return { ...running, applied: { pages: 2, bytes: 8192, from: 8, to: 9 }, missingBytes: 0, tree: null, problems: { counts: {}, examples: [] }, ...changes };
}

describe(check.id, () => {
  it('passes what the logs cover, with what they bring', () => {
    expect(evaluateLogs(evidence())).toMatchObject({
      outcome: 'pass',
      instanceState: 'recoverable',
      consistency: { level: 'crash' },
      recovery: { bytes: 8192 },
    });
    expect(evaluateLogs(evidence({ dirty: false, applied: null }))).toMatchObject({ outcome: 'pass', instanceState: 'clean' });
  });

  it('fails what they do not', () => {
    expect(evaluateLogs(evidence({ applied: null }))).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    expect(evaluateLogs(evidence({ applied: { pages: 2, bytes: 8192, from: 10, to: 12 } }))).toMatchObject({ outcome: 'fail', instanceState: 'non-atomic' });
  });
});
