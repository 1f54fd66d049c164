import { describe, expect, it } from 'vitest';
import { type RecoveryStory, recoveryCheck } from '../../src/engines/recovery.js';
import { LabError, NotTestedError } from '../../src/errors.js';

/** The run of this engine is its story. */
const { check, tried, evaluate } = recoveryCheck<RecoveryStory>({
  ...{ family: 'any', name: 'Any', title: 'It recovers', failureTitle: 'It does not', description: 'Any.', advice: 'Go back.', timeoutMs: 1 },
  ...{ skipReason: () => null, run: () => Promise.reject(new Error('not here')), tell: (story) => story },
});
const story = (changes: Partial<RecoveryStory> = {}): RecoveryStory => ({
  ...{ up: true, stopped: true, damage: [], others: [], place: null, lastWords: null, state: 'recoverable', success: 'It answered.', findings: [] },
  ...{ recovery: { needed: true, seconds: 2, bytes: 5 }, version: 'Any 1', use: { engine: 'guest', how: 'the own', why: 'Why.', copiedBytes: 0 } },
  ...changes,
});

describe('a recovery', () => {
  it('passes with its effort, and tells whose engine it was', () => {
    expect(check).toMatchObject({ id: 'any/recovery', stage: 'recovery', depth: 'recovery', targetKind: 'instance' });
    const judged = evaluate(story());
    expect(judged).toMatchObject({ outcome: 'pass', summary: 'It answered.', instanceState: 'recoverable', recovery: { seconds: 2, bytes: 5 } });
    expect(judged.findings).toMatchObject([{ code: 'any.recovery.engine', message: 'Recovered by the own. Why.' }]);
    expect(judged.advice).toBeUndefined();
  });

  it('fails for damage, up or down, and for not coming up', () => {
    expect(evaluate(story({ damage: ['bad page'] }))).toMatchObject({ outcome: 'fail', summary: 'Any started, but it reports damage: bad page' });
    const down = evaluate(story({ up: false, others: ['odd'], lastWords: 'bye' }));
    expect(down).toMatchObject({ outcome: 'fail', summary: 'Any does not start on this backup: odd', advice: 'Go back.' });
    expect(down.recovery).toBeUndefined();
    expect(evaluate(story({ up: false, lastWords: 'bye' })).summary).toContain('bye');
    expect(evaluate(story({ up: false })).summary).toContain('says nothing');
  });

  it('is not tried where the place is to blame: of the host untested, of the guest an error', () => {
    const place = { up: false, place: 'no memory' };
    expect(() => tried(story(place))).toThrow(LabError);
    const use = { engine: 'host', how: 'a copy', why: 'Why.', copiedBytes: 1 } as const;
    expect(() => tried(story({ ...place, use }))).toThrow(NotTestedError);
    // Damage is told whatever else is wrong, and what came up was tried.
    expect(tried(story({ ...place, damage: ['bad page'] })).damage).toHaveLength(1);
    expect(tried(story({ place: 'no memory' })).up).toBe(true);
  });

  it('warns of an engine that had to be ended', () => {
    expect(evaluate(story({ stopped: false })).findings.at(-1)).toMatchObject({ code: 'any.recovery.stop', severity: 'warning' });
  });
});
