/** What is chosen: the same listing, records and seed choose the same, in whatever order they come. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MachineRule, SelectRule } from '../../src/drill/policy/types.js';
import { type SelectionInput, selectItems } from '../../src/drill/select.js';
import type { Candidate } from '../../src/drill/sources/index.js';
import { DEFAULT_POLICY } from '../../src/policy/index.js';

const NOW = new Date('2026-11-21T00:00:00Z');

function rule(changes: Partial<MachineRule> = {}): MachineRule {
  return { match: ['*'], everySeconds: null, rtoSeconds: null, rpoSeconds: null, require: [], tags: {}, retired: false, policy: DEFAULT_POLICY, ...changes };
}

function point(machine: string, day: number): Candidate {
  const takenAt = new Date(Date.UTC(2026, 10, day)).toISOString();
  return { machine, takenAt, orderMs: Date.parse(takenAt), path: `/b/${machine}/${day}`, unreadable: null };
}

function choose(candidates: Candidate[], select: Partial<SelectRule>, more: Partial<SelectionInput> = {}) {
  const complete: SelectRule = { how: 'latest', count: null, seed: null, forSeconds: null, ...select };
  return selectItems({ candidates, rules: [rule()], select: complete, seed: 's', verified: new Set(), lastProven: new Map(), now: NOW, ...more });
}

const POINTS = [point('web', 10), point('web', 20), point('db', 19), point('db', 12), point('mail', 1)];

describe('the choice', () => {
  it('latest of each machine, those first that wait longest', () => {
    const lastProven = new Map([
      ['web', '2026-11-19T00:00:00Z'],
      ['db', '2026-11-18T00:00:00Z'],
      ['mail', null],
    ]);
    const { items } = choose(POINTS, {}, { lastProven });
    expect(items.map(({ path }) => path)).toEqual(['/b/mail/1', '/b/db/19', '/b/web/20']);
    expect(items[0]?.selection).toEqual({ how: 'latest', seed: null, population: 5, chosen: 3 });
    expect(items.map(({ newestAgeSeconds }) => newestAgeSeconds)).toEqual([20 * 86_400, 2 * 86_400, 86_400]);
  });

  it('unverified leaves out what records speak of', () => {
    const { items } = choose(POINTS, { how: 'unverified', forSeconds: 86_400 }, { verified: new Set(['/b/web/20', '/b/db/12', '/b/mail/1']) });
    expect(items.map(({ path }) => path)).toEqual(['/b/db/19', '/b/web/10']);
  });

  it('machines without a rule are named, retired ones are left alone', () => {
    const rules = [rule({ match: ['mail'], retired: true }), rule({ match: ['w*'] })];
    const { items, unmatched } = choose(POINTS, {}, { rules });
    expect(items.map(({ machine }) => machine)).toEqual(['web']);
    expect(unmatched).toEqual(['db']);
  });

  it('random: the seed repeats it, and another seed gives another', () => {
    const many = Array.from({ length: 20 }, (_, day) => point('web', day + 1));
    const draw = (seed: string): string[] => choose(many, { how: 'random', count: 5 }, { seed }).items.map(({ path }) => path);
    expect(draw('a')).toEqual(draw('a'));
    expect(draw('a')).not.toEqual(draw('b'));
    expect(choose(many, { how: 'random', count: 5 }, { seed: 'a' }).items[0]?.selection).toEqual({ how: 'random', seed: 'a', population: 20, chosen: 5 });
  });

  it('does not depend on the order of the listing', () => {
    const points = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 20 })), { selector: (one) => one.join(), maxLength: 20 });
    const how = fc.constantFrom<SelectRule['how']>('latest', 'all', 'random', 'unverified');
    fc.assert(
      fc.property(points, how, fc.integer(), (pairs, how, turn) => {
        const listed = pairs.map(([machine, day]) => point(machine, day));
        const turned = [...listed].sort((a, b) => ((a.orderMs ^ turn) % 7) - ((b.orderMs ^ turn) % 7));
        expect(choose(turned, { how, count: 6 }).items).toEqual(choose(listed, { how, count: 6 }).items);
      }),
    );
  });
});
