import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldInstances } from '../../src/runner/instances.js';
import type { CheckResult, InstanceState } from '../../src/types.js';
import { checkResult, DATABASE, database, inspection, result } from './arbitrary.js';

const STATES: InstanceState[] = ['damaged', 'non-atomic', 'lost-tail', 'unknown', 'recoverable', 'clean'];
const FOUND = inspection({ databases: [database(DATABASE)] });
const check = (changes: Partial<CheckResult>) => result({ target: DATABASE, stage: 'static', ...changes });
const fold = (...checks: CheckResult[]) => foldInstances(checks, FOUND)[0];

describe('the state of a database', () => {
  it.each(STATES.flatMap((one, i) => STATES.slice(i).map((other): [InstanceState, InstanceState] => [one, other])))(
    '%s beside %s is the first',
    (one, other) => {
      for (const pair of [
        [one, other],
        [other, one],
      ] as const) {
        expect(fold(...pair.map((instanceState) => check({ instanceState })))?.state).toBe(one);
      }
    },
  );

  it('tells why and where of what decides, and what the way back costs', () => {
    const where = { file: 'base/5/16384', block: 12 };
    const torn = check({
      ...{ outcome: 'fail', instanceState: 'damaged', summary: '1 page is damaged.', recovery: { needed: true, seconds: null, bytes: 900 } },
      findings: [
        { code: 'a.info', severity: 'info', message: 'first', where: { lsn: '0/1' } },
        { code: 'a.page', severity: 'critical', message: 'torn', where },
      ],
    });
    const recovered = check({ stage: 'recovery', instanceState: 'recoverable', summary: 'It started.', recovery: { needed: true, seconds: 2.5, bytes: 0 } });
    expect(fold(recovered, torn)).toEqual({
      id: DATABASE,
      engine: 'sqlite',
      state: 'damaged',
      why: '1 page is damaged.',
      where,
      recovery: { seconds: 2.5, bytes: 900 },
    });
  });

  it('is unknown when something required could not be judged, whatever good the others say', () => {
    const sound = check({ instanceState: 'recoverable' });
    expect(fold(sound, check({ outcome: 'error', summary: 'no memory' }))).toMatchObject({ state: 'unknown', why: expect.stringContaining('no memory') });
    const gap = [{ what: 'tablespace 1', why: 'it is not there', holdsData: true }];
    expect(fold(sound, check({ instanceState: 'clean', untested: gap }))).toMatchObject({
      state: 'unknown',
      why: 'tablespace 1 could not be judged: it is not there',
    });
    expect(fold(sound, check({ outcome: 'fail', summary: 'bad' }))).toMatchObject({ state: 'unknown', why: 'bad' });
  });

  it('does not suffer from what does not matter', () => {
    const sound = check({ instanceState: 'recoverable' });
    const gap = [{ what: 'bit rot', why: 'no checksums', holdsData: false }];
    const others = [
      check({ outcome: 'error', required: false }),
      check({ outcome: 'skip', instanceState: 'damaged' }),
      check({ untested: gap }),
      check({ target: 'sqlite disk0/p1:/other.db', instanceState: 'damaged', outcome: 'fail' }),
    ];
    expect(fold(sound, ...others)?.state).toBe('recoverable');
  });

  it('is unknown when nobody says anything, and for engines without checks', () => {
    expect(fold()).toMatchObject({ state: 'unknown', recovery: { seconds: null, bytes: 0 } });
    expect(fold(check({ outcome: 'skip' }))).toMatchObject({ state: 'unknown' });
    const seen = inspection({ unjudged: [{ engine: 'Cassandra', location: { volume: 'disk0/p1', path: '/data' } }] });
    expect(foldInstances([], seen)).toMatchObject([{ id: 'Cassandra disk0/p1:/data', engine: 'Cassandra', state: 'unknown', where: { file: '/data' } }]);
    expect(foldInstances([], null)).toEqual([]);
  });

  it('depends on no order and is never better than any check saw, for any input', () => {
    const checks = fc.array(checkResult, { maxLength: 6 });
    fc.assert(
      fc.property(
        checks.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          const folded = foldInstances(all, FOUND);
          expect(foldInstances(shuffled, FOUND)).toEqual(folded);
          const seen = all
            .filter(({ target, outcome }) => target === DATABASE && ['pass', 'fail'].includes(outcome))
            .flatMap(({ instanceState }) => instanceState ?? []);
          for (const state of seen) expect(STATES.indexOf(folded[0]?.state as InstanceState)).toBeLessThanOrEqual(STATES.indexOf(state));
        },
      ),
    );
  });
});
