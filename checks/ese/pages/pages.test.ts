/** The pure judgement; `ese.test.ts` of the family damages whole databases. */
import { describe, expect, it } from 'vitest';
import { addPageFacts, emptyPageFacts, noteRun, settleTail } from '../page-facts.js';
import { evidence } from '../testing/evidence.js';
import check, { evaluatePages } from './index.js';

describe(check.id, () => {
  it('passes whole pages and counts them', () => {
    expect(evaluatePages(evidence())).toMatchObject({ outcome: 'pass', instanceState: 'clean', summary: expect.stringContaining('All 30 pages') });
  });

  it('fails on damage and counts what it does not list', () => {
    const pages = emptyPageFacts();
    pages.tallies.damaged = { count: 7, examples: [{ file: '/ntds.dit', block: 3 }] };
    const judged = evaluatePages(evidence({ pages }));
    expect(judged).toMatchObject({ outcome: 'fail', instanceState: 'damaged', findings: [{ where: { block: 3 } }] });
    expect(judged.summary).toContain('one of 7');
    expect(evaluatePages(evidence({ header: null, pages: null })).findings[0]?.code).toBe('ese.header');
    expect(evaluatePages(evidence({ sizeBytes: null, header: null, pages: null })).findings[0]?.code).toBe('ese.unreadable');
  });

  it('tells of a change later than the header, and judges nothing from it', () => {
    const pages = { ...emptyPageFacts(), maxDbtime: '501' };
    expect(evaluatePages(evidence({ pages }))).toMatchObject({ outcome: 'pass', instanceState: 'clean', findings: [{ code: 'ese.dbtime', severity: 'info' }] });
  });
});

describe('the end of a file', () => {
  it('is what lies behind the last sound page, over all batches', () => {
    const facts = emptyPageFacts();
    for (const [first, count] of [
      [10, 3],
      [40, 20],
    ] as const) {
      const batch = emptyPageFacts();
      for (let page = first; page < first + count; page++) noteRun(batch, page);
      batch.tallies.damaged = { count, examples: [{ file: 'f', block: first }] };
      addPageFacts(facts, { ...batch, lastSound: 39 });
    }
    settleTail(facts, 'f');
    expect(facts.tallies.damaged).toEqual({ count: 3, examples: [{ file: 'f', block: 10 }] });
    expect(facts.tallies.beyond).toEqual({ count: 20, examples: [{ file: 'f', block: 40 }] });
  });
});
