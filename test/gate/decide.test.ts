import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Candidate } from '../../src/gate/assess.js';
import { decide } from '../../src/gate/decide.js';
import { toRequirements } from '../../src/gate/requirements.js';
import { depthReaches } from '../../src/runner/run-checks.js';
import type { Depth, VerdictWord } from '../../src/types.js';
import { NOW, recordAbout } from './world.js';

const FILES = [{ role: 'disk' as const, path: 'root.raw', format: 'raw', sizeBytes: 1, sha256: 'a'.repeat(64) }];
const DEPTHS: Depth[] = ['static', 'recovery', 'boot', 'resume', 'full'];

interface Made {
  verdict: VerdictWord;
  depth: Depth;
  ageHours: number;
  control: boolean;
  broken: boolean;
  isVoid: boolean;
  rejected: boolean;
}

const made: fc.Arbitrary<Made> = fc.record({
  verdict: fc.constantFrom<VerdictWord>('passed', 'passed', 'failed', 'inconclusive'),
  depth: fc.constantFrom(...DEPTHS),
  ageHours: fc.integer({ min: -2, max: 30 }),
  control: fc.constantFrom(false, false, false, true),
  broken: fc.constantFrom(...Array.from({ length: 20 }, (_, n) => n === 0)),
  isVoid: fc.constantFrom(false, false, false, true),
  rejected: fc.constantFrom(false, false, false, true),
});

function candidate({ verdict, depth, ageHours, control, broken, isVoid, rejected }: Made, index: number): Candidate {
  const startedAt = new Date(NOW.getTime() - ageHours * 3_600_000).toISOString();
  const document = recordAbout(FILES, {
    verdict: { verdict },
    startedAt,
    machine: control ? 'control:torn' : 'db1',
    policy: { depth, sha256: 'c'.repeat(64) },
  });
  const entry = { seq: 100 - index, recordId: document.id, recordSha256: '', previousHash: '', previousRecordId: '', appendedAt: startedAt, entryHash: '' };
  return {
    stored: { entry, document },
    broken: broken ? ['It was changed.'] : [],
    drillVerdict: isVoid ? 'void' : null,
    rejected: rejected ? 'A. Reviewer' : null,
    unsigned: null,
  };
}

const requirements = toRequirements({ maxAge: '24h' });
const answerOf = (all: Made[]): ReturnType<typeof decide> => decide(all.map(candidate), requirements, NOW);

describe('any set of records about the same bytes', () => {
  const always = (holds: (all: Made[]) => void): void => fc.assert(fc.property(fc.array(made, { maxLength: 6 }), holds), { numRuns: 1000 });

  it('is proven sometimes, and only by a record that passed, is young and counts', () => {
    const answers = fc.sample(fc.array(made, { maxLength: 6 }), 300).map((all) => answerOf(all).answer);
    expect(new Set(answers)).toEqual(new Set(['proven', 'missing', 'failed', 'inconclusive', 'broken']));
    always((all) => {
      const { answer, record, missing } = answerOf(all);
      expect(answer === 'proven').toBe(missing.length === 0);
      if (answer !== 'proven') return;
      const by = all[100 - (record?.entry.seq ?? 0)];
      expect(by).toMatchObject({ verdict: 'passed', control: false, broken: false, isVoid: false, rejected: false });
      expect(by && by.ageHours >= 0 && by.ageHours <= 24).toBe(true);
    });
  });
  it('is never proven over a failure that no later pass of its depth refutes, nor on a broken chain', () => {
    always((all) => {
      if (answerOf(all).answer !== 'proven') return;
      const counting = all.filter(({ control }) => !control);
      expect(counting.some(({ broken }) => broken)).toBe(false);
      counting.forEach((one, index) => {
        if (one.verdict !== 'failed') return;
        const later = counting.slice(0, index).filter((pass) => pass.verdict === 'passed' && !pass.isVoid && !pass.rejected);
        expect(later.some((pass) => depthReaches(pass.depth, one.depth))).toBe(true);
      });
    });
  });
  it('answers the same with any controls among them', () => {
    fc.assert(
      fc.property(fc.array(made, { maxLength: 5 }), made, fc.nat(5), (all, control, at) => {
        const more = [...all.slice(0, at), { ...control, control: true }, ...all.slice(at)];
        expect(answerOf(more).answer).toBe(answerOf(all).answer);
      }),
    );
  });
});
