import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckContext, ExpectationTarget } from '../../../src/check.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { DatabaseInstance, SqlAnswer, SqlExpectation } from '../../../src/types.js';
import check, { type SqlEvidence } from './index.js';

const answer = (rows: SqlAnswer['rows'], changes: Partial<SqlAnswer> = {}): SqlAnswer => ({
  ...{ rows, rowCount: rows.length, truncated: false, error: null, seconds: 0.1, how: "psql of the guest's own PostgreSQL 15" },
  ...changes,
});
const expecting = (changes: Partial<SqlExpectation>): SqlExpectation => ({
  engine: 'postgresql',
  database: 'shop',
  query: 'select count(*) from orders',
  ...changes,
});
const evidence = (changes: Partial<SqlExpectation>, given: SqlAnswer | null, more: Partial<SqlEvidence> = {}): SqlEvidence => ({
  ...{ expectation: expecting(changes), instance: 'postgresql disk0:/pg', missing: null, answer: given },
  ...more,
});
const judge = (changes: Partial<SqlExpectation>, given: SqlAnswer | null, more: Partial<SqlEvidence> = {}) =>
  check.evaluate(JSON.parse(JSON.stringify(evidence(changes, given, more))), {});

describe(check.id, () => {
  it.each([
    [{ equals: 5 }, '5', 'pass'],
    [{ equals: 5 }, '5.0', 'pass'],
    [{ equals: 5 }, '6', 'fail'],
    [{ equals: 5 }, 'five', 'fail'],
    [{ equals: '5' }, '5.0', 'fail'],
    [{ equals: "it's" }, "it's", 'pass'],
    [{ equals: true }, 't', 'pass'],
    [{ equals: true }, '1', 'pass'],
    [{ equals: false }, 't', 'fail'],
    [{ equals: null }, null, 'pass'],
    [{ equals: null }, '', 'fail'],
    [{ equals: '' }, null, 'fail'],
    [{ atLeast: 3 }, '3', 'pass'],
    [{ atLeast: 3 }, '2.99', 'fail'],
    [{ atLeast: 3 }, null, 'fail'],
    [{ atLeast: 3 }, 'NaN', 'fail'],
    [{ atLeast: 3 }, 'Infinity', 'fail'],
    [{ atLeast: 3 }, '', 'fail'],
    [{ atLeast: 3 }, '0x10', 'fail'],
    [{ atLeast: -1, atMost: 1 }, '-0.5', 'pass'],
    [{ atMost: 1 }, '1e3', 'fail'],
  ] as [Partial<SqlExpectation>, string | null, string][])('%j of %j is a %s', (expectation, value, outcome) => {
    expect(judge(expectation, answer([[value]])).outcome).toBe(outcome);
  });

  it('counts rows', () => {
    expect(judge({ rows: 0 }, answer([])).outcome).toBe('pass');
    expect(judge({ rows: 0 }, answer([['x']]))).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('1 rows, expected 0') });
    expect(judge({ rows: 2 }, answer([['x'], ['y']])).outcome).toBe('pass');
  });

  it('fails where one value is expected and there are none, several rows, or several columns', () => {
    for (const rows of [[], [['1'], ['1']], [['1', '1']]]) expect(judge({ equals: 1 }, answer(rows)).outcome).toBe('fail');
  });

  it('fails when what it asks about is not there, or the database reports damage', () => {
    const absent = answer([], { error: { kind: 'absent', text: 'relation "orders" does not exist' } });
    expect(judge({ atLeast: 0 }, absent)).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('relation "orders" does not exist') });
    const damaged = answer([], { error: { kind: 'damage', text: 'invalid page' } });
    expect(judge({ rows: 0 }, damaged)).toMatchObject({ outcome: 'fail', advice: expect.stringMatching(/\S/) });
    const gone = judge({ rows: 0 }, null, { instance: null, missing: 'there is no postgresql database in this restore point' });
    expect(gone).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('there is no postgresql database') });
  });

  it('keeps the query and what it gave', () => {
    const { findings, tested } = judge({ atLeast: 1, name: 'orders' }, answer([['700']]));
    const where = { instance: 'postgresql disk0:/pg', database: 'shop', query: 'select count(*) from orders', expected: 'at least 1', result: '[["700"]]' };
    expect(findings).toMatchObject([{ code: 'application.sql.true', severity: 'info', where }]);
    expect(tested[0]).toMatchObject({ what: expect.stringContaining('orders'), how: expect.stringContaining('psql of') });
  });

  it('says nothing of state and consistency: those are about the capture, not about what is in the data', () => {
    for (const judgement of [judge({ equals: 1 }, answer([['1']])), judge({ equals: 1 }, answer([['2']]))]) {
      expect(judgement.instanceState).toBeUndefined();
      expect(judgement.consistency).toBeUndefined();
    }
  });

  it('never throws and stays small, whatever a guest answers', () => {
    const value = fc.option(fc.string({ unit: 'binary', maxLength: 3000 }));
    const anything = fc.record({
      rows: fc.array(fc.array(value, { maxLength: 3 }), { maxLength: 4 }),
      rowCount: fc.nat(),
      bound: fc.constantFrom('equals', 'atLeast', 'rows'),
    });
    fc.assert(
      fc.property(anything, ({ rows, rowCount, bound }) => {
        const judged = judge({ [bound]: 1 }, answer(rows, { rowCount }));
        expect(['pass', 'fail']).toContain(judged.outcome);
        expect(JSON.stringify(judged).length).toBeLessThan(40_000);
      }),
    );
  });
});

describe('what was not answered', () => {
  const instance = { id: 'postgresql disk0:/pg' } as DatabaseInstance;
  const collect = (changes: Partial<SqlExpectation>, given: SqlAnswer | Error, at: ExpectationTarget['instance'] = instance) => {
    const target: ExpectationTarget = { kind: 'expectation', id: 'e', expectation: expecting(changes), instance: at };
    const questions = [{ id: 'e', instance: instance.id, database: null, query: 'q', timeoutSeconds: 1 }];
    const ask = async () => {
      if (given instanceof Error) throw given;
      return given;
    };
    return check.collect(target, { questions, ask } as unknown as CheckContext<Record<string, never>>);
  };
  const several = Array.from({ length: 20 }, () => ['x']);

  it.each([
    ['a time limit', { equals: 1 }, answer([], { error: { kind: 'timeout', text: 'more than 60 s' } }), /did not finish in time/],
    ['a wrong statement', { equals: 1 }, answer([], { error: { kind: 'statement', text: 'syntax error' } }), /syntax error/],
    ['no engine', { equals: 1 }, new NotTestedError({ code: 'x', message: 'Recovery was not tried: none.' }), /Recovery was not tried/],
    ['a value too large to read', { equals: 'x' }, answer([['x']], { truncated: true }), /too large/],
    ['too many rows to count', { rows: 1_000_000 }, answer(several, { truncated: true, rowCount: 5000 }), /too large/],
  ] as [string, Partial<SqlExpectation>, SqlAnswer | Error, RegExp][])('is neither true nor false: %s', async (_name, expectation, given, why) => {
    const error = await collect(expectation, given).catch((caught) => caught);
    expect(error).toBeInstanceOf(LabError);
    expect(error.message).toMatch(why);
  });

  it('is decided all the same where what came is too much already', async () => {
    const cut = answer(several, { truncated: true, rowCount: 5000 });
    expect(check.evaluate(await collect({ rows: 0 }, cut), {}).outcome).toBe('fail');
    expect(check.evaluate(await collect({ equals: 1 }, cut), {}).outcome).toBe('fail');
  });

  it('is a failure only when the database is surely not there', async () => {
    expect(check.evaluate(await collect({ rows: 0 }, answer([]), { missing: 'there is none', sure: true }), {}).outcome).toBe('fail');
    await expect(collect({ rows: 0 }, answer([]), { missing: 'there is none', sure: false })).rejects.toThrow(/there is none/);
  });
});
