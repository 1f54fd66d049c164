import { describe, expect, it } from 'vitest';
import { type EvidenceChanges, evidence } from '../testing/evidence.js';
import check, { evaluateLog } from './index.js';

const judge = (changes: EvidenceChanges = {}) => evaluateLog(evidence(changes));

describe(check.id, () => {
  it('passes a database that was running, with what recovery costs', () => {
    expect(judge()).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', consistency: { level: 'crash' }, recovery: { needed: true, bytes: 14336 } });
  });

  it('passes a database that was shut down as application-consistent, also without its log', () => {
    expect(judge({ clean: true })).toMatchObject({
      outcome: 'pass',
      instanceState: 'clean',
      consistency: { level: 'application' },
      recovery: { needed: false },
    });
    expect(judge({ clean: true, log: null })).toMatchObject({ outcome: 'pass', instanceState: 'clean' });
  });

  it.each([
    ['mssql.log.missing', 'damaged', { log: null }],
    ['mssql.page.newer-than-log', 'non-atomic', { kinds: { newer: 3 } }],
    ['mssql.checkpoint.beyond', 'non-atomic', { log: { checkpoint: 'beyond' } }],
    ['mssql.checkpoint.overwritten', 'non-atomic', { log: { checkpoint: 'overwritten' } }],
    ['mssql.checkpoint.damaged', 'damaged', { log: { checkpoint: 'damaged' } }],
    ['mssql.log.empty', 'damaged', { log: { end: null } }],
    ['mssql.log.vlf', 'damaged', { log: { problems: [{ code: 'mssql.log.vlf', message: 'a header is damaged', file: '/l', offset: 8192 }] } }],
    ['mssql.file.missing', 'damaged', { files: [3] }],
  ] as [string, string, EvidenceChanges][])('fails with %s', (code, state, changes) => {
    const judgement = judge(changes);
    expect(judgement.outcome).toBe('fail');
    expect(judgement.findings.map((finding) => finding.code)).toContain(code);
    expect(['unknown', state]).toContain(judgement.instanceState);
    if (judgement.instanceState !== state) throw new Error(`${code}: ${judgement.instanceState}`);
  });

  it('calls a gap a hole when it is too long for blocks under way, or pages are newer', () => {
    expect(judge({ log: { beyond: { blocks: 9, spanBytes: 5 << 20 } } })).toMatchObject({ outcome: 'fail', instanceState: 'lost-tail' });
    expect(judge({ log: { beyond: { blocks: 9, spanBytes: 5000 } }, kinds: { newer: 1 } }).findings.map(({ code }) => code)).toContain('mssql.log.hole');
    const doubtful = judge({ log: { beyond: { blocks: 9, spanBytes: 5000 } } });
    expect(doubtful).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', findings: [{ code: 'mssql.log.end-doubtful', severity: 'warning' }] });
  });

  it('says when it cannot know where recovery begins', () => {
    const source = evidence({ version: 661, log: { checkpoint: 'unknown' } });
    expect(evaluateLog(source)).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
  });
});
