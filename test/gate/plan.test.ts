import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byMachine, newestProven, type PlannedPoint, type PlanOptions, planRetention, type RetainPoint, removalOrder } from '../../src/gate/retain/plan.js';
import { isoWeek, NO_RULES, type RetentionRules } from '../../src/gate/retain/rules.js';
import { NOW } from './world.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

function point(id: string, changes: Partial<RetainPoint> = {}): RetainPoint {
  return { id, path: `/b/${id}`, machine: 'db1', takenAt: daysAgo(1), proven: false, proof: '', needs: [], doubts: [], needsUnknown: 'no', ...changes };
}

function daysAgo(days: number): string {
  return new Date(NOW.getTime() - days * DAY_MS).toISOString();
}

function plan(points: RetainPoint[], rules: Partial<RetentionRules> = {}, doubts: string[] = []): PlannedPoint[] {
  return planRetention(points, { rules: { ...NO_RULES, ...rules }, now: NOW, doubts });
}

const going = (planned: PlannedPoint[]): string[] => planned.filter(({ goes }) => goes).map(({ point: { id } }) => id);

describe('what may go', () => {
  const chain = [point('old', { takenAt: daysAgo(9) }), point('good', { takenAt: daysAgo(5), proven: true }), point('new', { takenAt: daysAgo(1) })];

  it('is only what is older than the newest proven one', () => {
    expect(going(plan(chain))).toEqual(['old']);
    expect(plan(chain).map(({ why }) => why[0])).toEqual([
      'It is older than the newest proven restore point of db1, and no rule keeps it.',
      'It is the newest proven one of db1.',
      expect.stringMatching(/^It is not older than the newest proven one of db1, which was taken 2026-11-22/),
    ]);
  });
  it('is nothing when nothing is proven', () => {
    expect(going(plan(chain.map((one) => ({ ...one, proven: false }))))).toEqual([]);
  });
  it('is nothing that a rule keeps', () => {
    expect(going(plan(chain, { last: 2 }))).toEqual(['old']);
    expect(going(plan(chain, { last: 3 }))).toEqual([]);
    expect(going(plan(chain, { withinMs: 7 * DAY_MS }))).toEqual(['old']);
    expect(going(plan(chain, { withinMs: 8 * DAY_MS }))).toEqual([]);
    expect(going(plan(chain, { monthly: 1 }))).toEqual(['old']);
    expect(going(plan(chain, { weekly: 3 }))).toEqual(['old']);
    expect(going(plan(chain, { daily: 3 }))).toEqual([]);
  });
  it('gives a bad backup no place of a good one', () => {
    const day = [
      point('good-1', { takenAt: daysAgo(3.2), proven: true }),
      point('bad', { takenAt: daysAgo(3.1) }),
      point('good-2', { takenAt: daysAgo(1), proven: true }),
    ];
    expect(going(plan(day, { daily: 2 }))).toEqual([]);
    expect(going(plan(day, { daily: 1 }))).toEqual(['good-1', 'bad']);
  });
  it('is nothing that something that stays is backed by, through any number of others and machines', () => {
    const linked = [
      point('base', { takenAt: daysAgo(9), machine: 'template' }),
      point('template-new', { takenAt: daysAgo(2), machine: 'template', proven: true }),
      point('middle', { takenAt: daysAgo(8), needs: ['base'] }),
      point('top', { takenAt: daysAgo(1), proven: true, needs: ['middle'] }),
      point('free', { takenAt: daysAgo(8.5) }),
    ];
    expect(going(plan(linked))).toEqual(['free']);
    expect(plan(linked)[0]?.why).toEqual(['/b/middle stays, and needs its files.']);
  });
  it.each<[string, Partial<RetainPoint>]>([
    ['its time is not known', { takenAt: null }],
    ['its time is no instant', { takenAt: 'yesterday' }],
    ['it comes from the future', { takenAt: daysAgo(-1) }],
    ['it cannot be read', { doubts: ['disk0 cannot be read.'] }],
  ])('is nothing in doubt: %s', (_what, changes) => {
    expect(going(plan([point('x', { takenAt: daysAgo(9), ...changes }), point('good', { proven: true })]))).toEqual([]);
  });
  it.each<[string, Partial<RetainPoint>]>([
    ['of unknown time', { takenAt: null }],
    ['from the future', { takenAt: daysAgo(-1) }],
    ['in doubt', { doubts: ['It changed.'] }],
  ])('is nothing because of a proven one %s', (_what, changes) => {
    expect(going(plan([point('x', { takenAt: daysAgo(9) }), point('good', { proven: true, ...changes })]))).toEqual([]);
  });
  it('is nothing while a clock is wrong', () => {
    expect(going(plan(chain, {}, ['The ledger comes from the future.']))).toEqual([]);
  });
  it('knows the weeks of ISO 8601', () => {
    expect(['2026-11-27', '2027-01-01', '2027-01-04', '2024-12-30', '2020-12-31'].map((day) => isoWeek(new Date(`${day}T12:00:00Z`)))).toEqual([
      '2026-W48',
      '2026-W53',
      '2027-W01',
      '2025-W01',
      '2020-W53',
    ]);
  });
});

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
const instant = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 24 * 60 }).map((hours) => new Date(NOW.getTime() - hours * HOUR_MS).toISOString()) },
  { weight: 1, arbitrary: fc.constantFrom(null, 'no time', daysAgo(-3), daysAgo(400)) },
);
const anyPoint = (id: string): fc.Arbitrary<RetainPoint> =>
  fc.record({
    id: fc.constant(id),
    path: fc.constant(`/b/${id}`),
    machine: fc.constantFrom('db1', 'web1'),
    takenAt: instant,
    proven: fc.boolean(),
    proof: fc.constant(''),
    needs: fc.subarray(IDS, { maxLength: 2 }),
    doubts: fc.oneof({ weight: 6, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: fc.constant<string[]>(['doubt']) }),
    needsUnknown: fc.oneof(
      { weight: 20, arbitrary: fc.constant('no' as const) },
      { weight: 1, arbitrary: fc.constantFrom('machine' as const, 'all' as const) },
    ),
  });
const points = fc.subarray(IDS).chain((ids) => fc.tuple(...ids.map(anyPoint)));
const options: fc.Arbitrary<PlanOptions> = fc.record({
  rules: fc.record({
    last: fc.nat(3),
    daily: fc.nat(3),
    weekly: fc.nat(3),
    monthly: fc.nat(2),
    yearly: fc.nat(2),
    withinMs: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 20 * DAY_MS })),
  }),
  now: fc.constant(NOW),
  doubts: fc.oneof({ weight: 9, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: fc.constant<string[]>(['The clock is wrong.']) }),
});

/** Every property is of a plan for any restore points and options. */
function always(holds: (planned: PlannedPoint[], given: RetainPoint[], with_: PlanOptions) => void): void {
  fc.assert(
    fc.property(points, options, (given, with_) => holds(planRetention(given, with_), given, with_)),
    { numRuns: 2000 },
  );
}

const momentOf = ({ takenAt }: RetainPoint): number => Date.parse(takenAt ?? '');

describe('any plan', () => {
  it('sometimes lets something go', () => {
    const seen = fc.sample(fc.tuple(points, options), 300).filter(([given, with_]) => planRetention(given, with_).some(({ goes }) => goes));
    expect(seen.length).toBeGreaterThan(20);
  });
  it('has every restore point once, with a reason', () => {
    always((planned, given) => {
      expect(planned.map(({ point: one }) => one)).toEqual(given);
      for (const { why } of planned) expect(why.length).toBeGreaterThan(0);
    });
  });
  it('lets nothing go without something newer that is proven, beyond doubt, and stays', () => {
    always((planned) => {
      for (const { point: gone, goes } of planned) {
        if (!goes) continue;
        const better = planned.filter(
          ({ point: other, goes: too }) =>
            !too && other.machine === gone.machine && other.proven && other.doubts.length === 0 && momentOf(other) > momentOf(gone),
        );
        expect(better.length).toBeGreaterThan(0);
      }
    });
  });
  it('keeps the newest proven one and all that is not older', () => {
    always((planned, given, { now }) => {
      for (const group of byMachine(given)) {
        const newest = newestProven(group, now);
        for (const { point: gone, goes } of planned) {
          if (!goes || gone.machine !== group[0]?.machine) continue;
          expect(newest).not.toBeNull();
          expect(newest === null || momentOf(gone) < momentOf(newest)).toBe(true);
        }
      }
    });
  });
  it('lets nothing go that is in doubt', () => {
    always((planned, _given, { doubts, now }) => {
      for (const { point: gone, goes } of planned) {
        if (!goes) continue;
        expect([doubts, gone.doubts]).toEqual([[], []]);
        expect(momentOf(gone)).toBeLessThanOrEqual(now.getTime() + 300_000);
      }
    });
  });
  it('keeps all that something that stays needs', () => {
    always((planned) => {
      const gone = new Set(going(planned));
      for (const { point: kept, goes } of planned) if (!goes) expect(kept.needs.filter((id) => id !== kept.id && gone.has(id))).toEqual([]);
    });
  });
  it('lets nothing go that something may need whose needs are not known', () => {
    always((planned, given) => {
      const everything = given.some(({ needsUnknown }) => needsUnknown === 'all');
      const machines = new Set(given.filter(({ needsUnknown }) => needsUnknown === 'machine').map(({ machine }) => machine));
      for (const { point: gone, goes } of planned) if (goes) expect(everything || machines.has(gone.machine)).toBe(false);
    });
  });
  it('keeps what the rules say: the last few, and one of each period', () => {
    always((planned, given, { rules, now }) => {
      const kept = new Set(planned.filter(({ goes }) => !goes).map(({ point: one }) => one));
      for (const group of byMachine(given)) {
        const dated = group.filter((one) => momentOf(one) <= now.getTime() + 300_000).sort((a, b) => momentOf(b) - momentOf(a));
        for (const one of dated.slice(0, rules.last))
          if (dated.filter((other) => momentOf(other) === momentOf(one)).length === 1) expect(kept.has(one)).toBe(true);
        const days = [...new Set(dated.map(({ takenAt }) => String(takenAt).slice(0, 10)))].slice(0, rules.daily);
        for (const day of days) expect(dated.some((one) => one.takenAt?.startsWith(day) && kept.has(one))).toBe(true);
        const years = [...new Set(dated.map(({ takenAt }) => String(takenAt).slice(0, 4)))].slice(0, rules.yearly);
        for (const year of years) expect(dated.some((one) => one.takenAt?.startsWith(year) && kept.has(one))).toBe(true);
      }
    });
  });
  it('does not depend on the order', () => {
    fc.assert(
      fc.property(points, options, fc.nat(1000), (given, with_, seed) => {
        const turned = [...given].sort((a, b) => ((a.id.charCodeAt(0) * 7919 + seed) % 97) - ((b.id.charCodeAt(0) * 7919 + seed) % 97));
        expect(going(planRetention(turned, with_)).sort()).toEqual(going(planRetention(given, with_)).sort());
      }),
    );
  });
  it('lets no more go under more rules', () => {
    fc.assert(
      fc.property(points, options, fc.constantFrom('last', 'daily', 'weekly', 'monthly', 'yearly'), (given, with_, rule) => {
        const more = { ...with_, rules: { ...with_.rules, [rule]: with_.rules[rule] + 1 } };
        const before = new Set(going(planRetention(given, with_)));
        expect(going(planRetention(given, more)).filter((id) => !before.has(id))).toEqual([]);
      }),
    );
  });
  it('removes nothing before what needs it, unless they need each other', () => {
    always((planned) => {
      const order = removalOrder(planned);
      expect(order.map(({ id }) => id).sort()).toEqual(going(planned).sort());
      const reaches = (from: RetainPoint, to: RetainPoint, seen = new Set<string>()): boolean =>
        from.needs.some((id) => {
          if (id === to.id) return true;
          const next = order.find((one) => one.id === id);
          return next !== undefined && !seen.has(id) && reaches(next, to, seen.add(id));
        });
      order.forEach((one, index) => {
        for (const later of order.slice(index + 1)) if (later.needs.includes(one.id)) expect(reaches(one, later)).toBe(true);
      });
    });
  });
});
