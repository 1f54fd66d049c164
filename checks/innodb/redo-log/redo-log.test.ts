import { describe, expect, it } from 'vitest';
import { type EvidenceChanges, instanceEvidence } from '../testing/evidence.js';
import check, { evaluateLog } from './index.js';

const judge = (changes: EvidenceChanges = {}) => evaluateLog(instanceEvidence(changes));
const codes = (changes: EvidenceChanges) => judge(changes).findings.map(({ code }) => code);

describe(check.id, () => {
  it('passes a log that must be replayed, and one that must not', () => {
    expect(judge()).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', recovery: { needed: true, seconds: null, bytes: 1000 } });
    expect(judge({ log: { cleanShutdown: true } })).toMatchObject({ instanceState: 'clean', recovery: { needed: false, bytes: 0 } });
  });

  it('fails a hole, as a lost tail', () => {
    expect(judge({ log: { beyond: { first: 7000, last: 8000, records: 4 } } })).toMatchObject({ outcome: 'fail', instanceState: 'lost-tail' });
  });

  it('fails a log that does not reach its checkpoint', () => {
    expect(codes({ log: { end: 5399 } })).toEqual(['innodb.log.checkpoint-missing']);
    expect(judge({ log: { checkpointSeen: false } })).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
  });

  it('says what of the log could not be read or proven', () => {
    expect(judge({ log: { lostAt: 5500 } })).toMatchObject({ outcome: 'pass', untested: [{ what: 'records of the redo log from 5500 on', holdsData: false }] });
    expect(judge({ log: { withoutChecksum: 3 } })).toMatchObject({ outcome: 'pass', untested: [{ what: 'bit rot in the redo log', holdsData: false }] });
  });

  it('fails contradictions', () => {
    expect(codes({ log: { contradictions: 1 } })).toEqual(['innodb.log.contradiction']);
  });

  it('fails a missing or damaged log; leaves an unknown one untested', () => {
    expect(judge({ log: { state: 'missing', why: 'x' } })).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    expect(judge({ log: { state: 'damaged', why: 'x' } })).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    expect(judge({ log: { state: 'unknown', why: 'x' } })).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
    expect(judge({ instance: { kind: 'tables' }, log: { state: 'missing', why: 'x' } })).toMatchObject({ outcome: 'pass', untested: [{ holdsData: true }] });
  });
});
