import { describe, expect, it } from 'vitest';
import { type EvidenceChanges, instanceEvidence } from '../testing/evidence.js';
import check, { evaluateReconciliation } from './index.js';

const judge = (changes: EvidenceChanges = {}) => evaluateReconciliation(instanceEvidence(changes));

describe(check.id, () => {
  it('passes what fits together, and says how it is to be recovered', () => {
    expect(judge()).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', untested: [] });
    expect(judge({ log: { cleanShutdown: true } }).instanceState).toBe('clean');
  });

  it('fails pages newer than the log (R1)', () => {
    expect(judge({ kinds: { newer: 3 } })).toMatchObject({ outcome: 'fail', instanceState: 'non-atomic' });
    expect(judge({ kinds: { newer: 3 }, log: { beyond: { first: 1, last: 2, records: 2 } } }).instanceState).toBe('damaged');
  });

  it('fails pages older than the log (R2): skewed, or single lost writes', () => {
    expect(judge({ kinds: { stale: 30 } })).toMatchObject({ outcome: 'fail', instanceState: 'non-atomic' });
    const lost = judge({ kinds: { stale: 1 } });
    expect(lost).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    expect(lost.summary).toContain('Writes to the tablespaces were lost');
  });

  it('cannot judge pages of tables that were perhaps just dropped', () => {
    const doubtful = judge({ kinds: { doubtful: 2 } });
    expect(doubtful).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
    expect(doubtful.findings.map(({ severity }) => severity)).toContain('warning');
  });

  it('says what of the log was read: all, or a sample', () => {
    const [, all] = judge({ log: { pagesKnown: false, everyRecord: true } }).tested;
    const sample = judge({ log: { pagesKnown: false } });
    expect(all?.how).toContain('mini-transactions');
    expect(sample.tested[1]?.how).toContain('one of each block');
    expect(judge({ log: { pagesKnown: false, everyRecord: true } }).untested).toEqual([]);
  });

  it.each([
    [{ kinds: { checksum: 1 } }, 'damaged'],
    [{ kinds: { hidden: 1 } }, 'unknown'],
    [{ log: { beyond: { first: 1, last: 2, records: 2 } } }, 'lost-tail'],
    [{ log: { overflowed: true } }, 'unknown'],
    [{ log: { state: 'missing', why: 'x' } }, 'damaged'],
    [{ log: { state: 'unknown', why: 'x' } }, 'unknown'],
    [{ instance: { kind: 'part' }, log: { state: 'missing', why: 'x' } }, 'unknown'],
  ] satisfies [EvidenceChanges, string][])('of %j the instance is %s', (changes, state) => {
    expect(judge(changes).instanceState).toBe(state);
  });

  it('says which rule could not be tested', () => {
    expect(judge({ log: { pagesKnown: false } }).untested).toHaveLength(1);
    expect(judge({ log: { historyFrom: 5000 } }).untested).toHaveLength(1);
    expect(judge({ log: { state: 'missing', why: 'x' } }).untested).toMatchObject([{ holdsData: true }]);
  });
});
