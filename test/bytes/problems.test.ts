import { describe, expect, it } from 'vitest';
import { judgeProblems, Problems, worstState } from '../../src/bytes/problems.js';

const base = { soundState: 'clean' as const, passSummary: 'fine', advice: 'none', what: 'the store', tested: [], untested: [] };
const warning = { code: 'x.y', severity: 'warning' as const, message: 'a warning', where: {}, state: null };

describe('a judgement of problems', () => {
  it('passes with warnings, and fails with anything critical, however many warnings of the same code came first', () => {
    const problems = new Problems();
    for (let i = 0; i < 1000; i++) problems.add(warning);
    expect(judgeProblems({ ...base, reports: [problems.report()] })).toMatchObject({ outcome: 'pass', summary: 'fine', instanceState: 'clean' });
    problems.damaged('x.y', 'It is broken.', { page: 3 });
    const judged = judgeProblems({ ...base, reports: [problems.report()] });
    expect(judged).toMatchObject({ outcome: 'fail', summary: 'the store: It is broken.', instanceState: 'damaged' });
    expect(judged.findings).toHaveLength(7);
    expect(judged.findings.at(-1)?.message).toBe('There are 995 more findings of this kind.');
  });

  it('keeps its size whatever is found', () => {
    const problems = new Problems();
    for (let i = 0; i < 100_000; i++) problems.damaged('x.y', 'z'.repeat(5000), { page: i });
    expect(JSON.stringify(problems.report()).length).toBeLessThan(3000);
  });

  it('is unknown where something with data was not looked at, unless something worse is proven', () => {
    const untested = [{ what: 'a', why: 'b', holdsData: true }];
    expect(judgeProblems({ ...base, untested, reports: [] })).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
    const problems = new Problems();
    problems.damaged('x', 'y', {});
    expect(judgeProblems({ ...base, untested, reports: [problems.report()] })).toMatchObject({ instanceState: 'damaged' });
  });
});

it('the worst state wins', () => {
  expect(worstState([])).toBe('clean');
  expect(worstState(['clean', 'lost-tail', 'recoverable'])).toBe('lost-tail');
  expect(worstState(['damaged', 'non-atomic', 'unknown'])).toBe('damaged');
});
