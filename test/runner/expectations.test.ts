import { describe, expect, it } from 'vitest';
import type { Check, ExpectationTarget } from '../../src/check.js';
import { NotTestedError } from '../../src/errors.js';
import { expectationTargets, questionsOf, unreachedExpectations } from '../../src/runner/expectations.js';
import { runStage } from '../../src/runner/run-checks.js';
import { foldVerdict } from '../../src/runner/verdict.js';
import type { Expectation, Policy, SqlExpectation } from '../../src/types.js';
import { memoryLabs } from '../labs/memory.js';
import { database, inspection, result } from './arbitrary.js';

const sql = (changes: Partial<SqlExpectation> = {}): SqlExpectation => ({ engine: 'sqlite', query: 'select count(*)\n from t', atLeast: 1, ...changes });
const ONE = inspection({ databases: [database('sqlite disk0/p1:/a.db')] });
const TWO = inspection({ databases: [database('sqlite disk0/p1:/a.db'), { ...database('sqlite disk1:/b.db'), location: { volume: 'disk1', path: '/b.db' } }] });
const targetsOf = (expectations: Expectation[], found = ONE) => expectationTargets(expectations, found);

describe('an expectation', () => {
  it('has a name of its own, whatever others say', () => {
    const ids = targetsOf([sql(), sql(), { file: '/x' }, sql({ name: 'y'.repeat(200) })]).map(({ id }) => id);
    expect(ids.slice(0, 3)).toEqual(['expectation 1 (select count(*) from t)', 'expectation 2 (select count(*) from t)', 'expectation 3 (/x)']);
    expect(ids[3]?.length).toBeLessThan(120);
  });

  it('is about the only instance of its engine, or the one that is named by id or path', () => {
    const instance = (changes: Partial<SqlExpectation>, found = TWO) => targetsOf([sql(changes)], found)[0]?.instance;
    expect(instance({}, ONE)).toMatchObject({ id: 'sqlite disk0/p1:/a.db' });
    expect(instance({ instance: '/b.db' })).toMatchObject({ id: 'sqlite disk1:/b.db' });
    expect(instance({ instance: 'sqlite disk0/p1:/a.db' })).toMatchObject({ id: 'sqlite disk0/p1:/a.db' });
    expect(instance({})).toMatchObject({ missing: expect.stringContaining('there are 2 that could be meant'), sure: false });
    expect(instance({ instance: '/c.db' })).toMatchObject({ missing: expect.stringContaining('no sqlite database /c.db'), sure: true });
    expect(instance({ engine: 'postgresql' })).toMatchObject({ missing: 'there is no postgresql database in this restore point', sure: true });
    const family = inspection({ databases: [{ ...database('innodb disk0/p1:/m'), engine: 'innodb', facts: { family: 'mariadb' } }] });
    for (const engine of ['mariadb', 'innodb']) expect(instance({ engine }, family)).toMatchObject({ id: 'innodb disk0/p1:/m' });
    expect(instance({ engine: 'mysql' }, family)).toMatchObject({ missing: expect.stringContaining('no mysql database') });
    const dark = inspection({ untested: [{ what: 'volume disk1', why: 'encrypted', holdsData: true }] });
    expect(instance({}, dark)).toMatchObject({ sure: false });
  });

  it('is a question only where there is somebody to ask', () => {
    const targets = targetsOf([sql({ database: 'main', timeoutSeconds: 5 }), sql({ engine: 'postgresql' }), { file: '/x' }]);
    expect(questionsOf(targets)).toEqual([
      { id: targets[0]?.id, instance: 'sqlite disk0/p1:/a.db', database: 'main', query: 'select count(*)\n from t', timeoutSeconds: 5 },
    ]);
  });
});

const CHECK = {
  ...{ id: 'application/sql', stage: 'recovery', depth: 'recovery', targetKind: 'expectation', timeoutMs: 5000, optionsSchema: {}, defaultOptions: {} },
  ...{
    title: '',
    failureTitle: '',
    description: '',
    lab: 'none',
    skipReason: (target: ExpectationTarget) => ('file' in target.expectation ? 'no query' : null),
  },
} as unknown as Check;
const POLICY = { depth: 'recovery', only: [], skip: [], engine: 'auto', allowedFolders: [], options: {}, expect: [] } as unknown as Policy;

async function verdictOf(check: Partial<Check>, policy: Partial<Policy> = {}) {
  const context = { restorePoint: {} as never, inspection: ONE, labs: memoryLabs(), progress: () => undefined, signal: new AbortController().signal };
  const once = <T>(_key: string, work: () => Promise<T>) => work();
  const checks = await runStage({
    ...{ stage: 'recovery', checks: [{ ...CHECK, ...check }], targets: targetsOf([sql(), { file: '/x' }]), policy: { ...POLICY, ...policy }, concurrency: 1 },
    ...{ blockedBy: null, context: { ...context, once } },
  });
  const sound = result({ target: 'sqlite disk0/p1:/a.db', instanceState: 'clean' });
  return { checks, ...foldVerdict({ checks: [...checks, sound], inspection: ONE, declared: 'unknown', extraUntested: [] }) };
}

describe('what could not be asked', () => {
  it('never passes: an error, nothing that could be tried, or a depth that does not reach it', async () => {
    const refuses = (error: Error) => ({ collect: () => Promise.reject(error) });
    expect(await verdictOf(refuses(new Error('down')))).toMatchObject({ verdict: 'inconclusive', checks: [{ outcome: 'error' }] });
    expect(await verdictOf(refuses(new NotTestedError({ code: 'x', message: 'none' })))).toMatchObject({
      verdict: 'inconclusive',
      checks: [{ outcome: 'skip' }],
    });
    expect(await verdictOf({}, { depth: 'static' })).toMatchObject({ verdict: 'inconclusive', checks: [{ outcome: 'skip' }] });
  });

  it('is said and does not matter where the policy leaves it out by name', async () => {
    const left = await verdictOf({}, { skip: ['application'] });
    expect(left).toMatchObject({ verdict: 'passed', coverage: { untested: [{ why: 'left out by the policy', holdsData: false }] } });
    expect(await verdictOf({}, { only: ['sqlite'] })).toMatchObject({ verdict: 'passed' });
  });

  it('is listed when the run did not come to it', () => {
    const expectations = [sql(), { file: '/x' }];
    const reached = [result({ target: targetsOf(expectations)[0]?.id ?? '' })];
    expect(unreachedExpectations(expectations, reached)).toMatchObject([{ what: 'expectation 2 (/x)', holdsData: true }]);
  });

  it('changes nothing of the state of the database, and of the consistency', async () => {
    const judgement = { outcome: 'fail' as const, summary: 'not true', findings: [], tested: [], untested: [] };
    const failed = await verdictOf({ collect: async () => null, evaluate: () => judgement });
    expect(failed).toMatchObject({ verdict: 'failed', instances: [{ state: 'clean' }], consistency: { observed: 'unknown' } });
  });
});
