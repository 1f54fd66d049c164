/** What a drill adds up to: nothing that was not tested reads as a pass, and a control that passes voids all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ControlResult, DrillItem, OverdueMachine } from '../../src/documents.js';
import { defaultSlots, MemoryBudget, needMiB } from '../../src/drill/budget.js';
import { CONTROLS, type Control } from '../../src/drill/controls/make.js';
import { judgeControl } from '../../src/drill/controls/run.js';
import { withHeartbeat } from '../../src/drill/heartbeat.js';
import { objectivesOf } from '../../src/drill/objectives.js';
import type { MachineRule } from '../../src/drill/policy/types.js';
import { type DrillFacts, foldDrill } from '../../src/drill/verdict.js';
import { DEFAULT_POLICY } from '../../src/policy/index.js';
import type { CheckResult, VerificationRecord } from '../../src/types.js';
import type { WayResult } from '../../src/ways.js';
import { sampleRecord } from '../sample-record.js';

const ITEM: DrillItem = {
  machine: 'web',
  restorePoint: 'p',
  path: '/b/web',
  takenAt: null,
  depth: 'recovery',
  state: 'verified',
  recordId: 'r',
  verdict: 'passed',
  why: [],
  selection: { how: 'latest', seed: null, population: 1, chosen: 1 },
  rto: null,
  rpo: null,
};
const REJECTED: ControlResult = { name: 'bad', damage: 'bytes', recordId: 'r', verdict: 'failed', rejected: true, expected: 'failed', why: '' };
const SOUND: ControlResult = { ...REJECTED, name: 'sound', verdict: 'passed', rejected: false, expected: 'passed' };

function fold(changes: Partial<DrillFacts>) {
  return foldDrill({ items: [ITEM], overdue: [], controls: [], withControls: false, problems: [], ...changes });
}

describe('the verdict of a drill', () => {
  it.each<[string, Partial<DrillFacts>, string]>([
    ['all passed', {}, 'passed'],
    ['one failed', { items: [ITEM, { ...ITEM, verdict: 'failed' }] }, 'failed'],
    ['one inconclusive', { items: [ITEM, { ...ITEM, verdict: 'inconclusive' }] }, 'inconclusive'],
    ['one not reached', { items: [ITEM, { ...ITEM, state: 'not-reached', verdict: null }] }, 'inconclusive'],
    ['one unreadable', { items: [ITEM, { ...ITEM, state: 'unreadable', verdict: null }] }, 'inconclusive'],
    ['nothing at all', { items: [] }, 'inconclusive'],
    ['a source that was not listed', { problems: ['gone'] }, 'inconclusive'],
    ['too slow', { items: [{ ...ITEM, rto: { limitSeconds: 1, measuredSeconds: 2, met: false } }] }, 'failed'],
    ['not measured', { items: [{ ...ITEM, rto: { limitSeconds: 1, measuredSeconds: null, met: null } }] }, 'inconclusive'],
    ['too old', { items: [{ ...ITEM, rpo: { limitSeconds: 1, measuredSeconds: 2, met: false } }] }, 'failed'],
    ['overdue', { overdue: [{ machine: 'x', lastProvenAt: null, dueEverySeconds: 60 }] }, 'failed'],
    ['controls as they should be', { withControls: true, controls: [SOUND, REJECTED] }, 'passed'],
    ['controls that were never verified', { withControls: true }, 'inconclusive'],
    ['a control that could not be made', { withControls: true, controls: [SOUND, { ...REJECTED, verdict: null, rejected: false }] }, 'inconclusive'],
    ['a control that failed for something else', { withControls: true, controls: [SOUND, { ...REJECTED, rejected: false }] }, 'inconclusive'],
    ['a bad control that passed', { withControls: true, controls: [SOUND, { ...REJECTED, verdict: 'passed', rejected: false }] }, 'void'],
    ['a sound control that failed', { withControls: true, controls: [{ ...SOUND, verdict: 'failed', rejected: true }, REJECTED] }, 'void'],
  ])('%s', (_what, changes, verdict) => {
    const folded = fold(changes);
    expect(folded.verdict).toBe(verdict);
    expect(folded.reasons.length).toBeGreaterThan(0);
  });

  it('passes only when every item passed and nothing is overdue', () => {
    const item = fc.record({
      state: fc.constantFrom<DrillItem['state']>('verified', 'still-valid', 'not-reached', 'unreadable'),
      verdict: fc.constantFrom<DrillItem['verdict']>('passed', 'failed', 'inconclusive', null),
    });
    const overdue = fc.array(fc.constant<OverdueMachine>({ machine: 'x', lastProvenAt: null, dueEverySeconds: 60 }), { maxLength: 1 });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), overdue, (items, late) => {
        const { verdict } = fold({ items: items.map((one) => ({ ...ITEM, ...one })), overdue: late });
        const sound = items.length > 0 && late.length === 0 && items.every((one) => one.verdict === 'passed' && /verified|still-valid/.test(one.state));
        if (verdict === 'passed') expect(sound).toBe(true);
      }),
    );
  });
});

describe('objectives', () => {
  const rule: MachineRule = {
    match: ['*'],
    everySeconds: null,
    rtoSeconds: 60,
    rpoSeconds: 3600,
    require: [],
    tags: {},
    retired: false,
    policy: DEFAULT_POLICY,
  };
  const way = (secondsToService: number | null, accelerator: WayResult['accelerator']): WayResult => ({
    way: 'boot',
    verdict: 'passed',
    state: 'alive' as WayResult['state'],
    why: '',
    secondsToService,
    guestSecondsToService: null,
    accelerator,
  });
  const record = (changes: Partial<VerificationRecord>): VerificationRecord => ({ ...sampleRecord('r'), ...changes });

  it.each<[string, Partial<VerificationRecord>, boolean | null]>([
    ['a fast start', { ways: [way(30, 'kvm')] }, true],
    ['a slow start', { ways: [way(90, 'kvm')] }, false],
    ['an emulated start that is fast enough', { ways: [way(30, 'tcg')] }, true],
    ['an emulated start that is not says nothing of a real one', { ways: [way(90, 'tcg')] }, null],
    ['no start', { ways: [] }, null],
    ['a start that came to nothing', { ways: [way(null, 'kvm')] }, null],
    ['no start, and a recovery that alone takes too long', { ways: [], recovery: { needed: true, seconds: 61, bytes: 1 } }, false],
  ])('%s', (_what, changes, met) => {
    const { rto, why } = objectivesOf(rule, record(changes), 60);
    expect(rto?.met).toBe(met);
    expect(why).toHaveLength(met === true ? 0 : 1);
  });

  it('the age of the newest restore point', () => {
    const ways = [way(1, 'kvm')];
    expect([60, 7200, null].map((age) => objectivesOf(rule, record({ ways }), age).rpo?.met)).toEqual([true, false, null]);
  });

  it('required checks have to have passed', () => {
    const checks = [{ id: 'sqlite/pages', outcome: 'skip' } as CheckResult];
    const required = { ...rule, rtoSeconds: null, require: ['sqlite'] };
    const { why } = objectivesOf(required, record({ checks }), 60);
    expect(why).toEqual(['The policy requires sqlite: no such check passed.']);
    expect(fold({ items: [{ ...ITEM, why }] }).verdict).toBe('inconclusive');
    expect(objectivesOf(required, record({ checks: [{ ...checks[0], outcome: 'pass' } as CheckResult] }), 60).why).toEqual([]);
  });
});

describe('a control', () => {
  const control = CONTROLS.find(({ name }) => name === 'redis-value') as Control;
  const failing = (code: string): CheckResult => ({ outcome: 'fail', findings: [{ code }] }) as CheckResult;

  it('is rejected for its own damage, or not at all', () => {
    const judge = (verdict: VerificationRecord['verdict'], code: string) => judgeControl(control, { ...sampleRecord('r'), verdict, checks: [failing(code)] });
    expect(judge('failed', 'redis.rdb.checksum').rejected).toBe(true);
    expect(judge('failed', 'image.truncated')).toMatchObject({ rejected: false, why: expect.stringMatching(/not for its own damage \(image.truncated\)/) });
    expect(judge('inconclusive', 'redis.rdb.checksum').rejected).toBe(false);
    expect(judge('passed', '')).toMatchObject({ rejected: false, verdict: 'passed' });
  });
});

it('slow work says that it is at work, until it ends', async () => {
  const lines: string[] = [];
  const words = (minutes: number): string => `at work for ${minutes} min`;
  await withHeartbeat({ everyMs: 10, words, say: (line) => lines.push(line) }, () => new Promise((done) => setTimeout(done, 100)));
  const said = lines.length;
  await new Promise((done) => setTimeout(done, 50));
  expect([said > 1, lines.length, lines[0]]).toEqual([true, said, 'at work for 0 min']);
});

describe('memory', () => {
  it('decides how many run at once, with the processors', () => {
    expect([defaultSlots(16_000, 2048, 16), defaultSlots(4096, 2048, 16), defaultSlots(512, 2048, 16), defaultSlots(64_000, 2048, 2)]).toEqual([7, 2, 1, 1]);
    expect(needMiB({ ...DEFAULT_POLICY, depth: 'boot' }, 8192) - needMiB(DEFAULT_POLICY, 8192)).toBe(8192);
  });

  it('is never given out twice, nobody starves, and what is too large runs alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 20 }), async (needs) => {
        const budget = new MemoryBudget(100);
        let used = 0;
        let done = 0;
        await Promise.all(
          needs.map((need) =>
            budget.with(need, async () => {
              used += Math.min(need, 100);
              expect(used).toBeLessThanOrEqual(100);
              await new Promise((go) => setImmediate(go));
              used -= Math.min(need, 100);
              done++;
            }),
          ),
        );
        expect(done).toBe(needs.length);
      }),
      { numRuns: 30 },
    );
  });
});
