/** The pure judgement; `ese.test.ts` of the family judges whole log streams. */
import { describe, expect, it } from 'vitest';
import type { LogFileFacts } from '../log-read.js';
import { evidence, header } from '../testing/evidence.js';
import check, { evaluateLog } from './index.js';

const open = { ...header, state: 2, minRequired: 7, maxRequired: 8, maxCommitted: 8 };

function log(generation: number, changes: Partial<LogFileFacts> = {}): LogFileFacts {
  const kind = { sectorBytes: 4096, headerSectors: 1, sectors: 256, major: 8, minor: 4000, update: 5, signature: '', sumFits: true };
  const place = { path: `/logs/edb0000${generation}.log`, volume: 'v', sizeBytes: 1048576, segments: { valid: 9, hole: null, torn: null } };
  return { ...kind, ...place, generation, created: `t${generation}`, previousCreated: `t${generation - 1}`, ...changes };
}

const judge = (logs: LogFileFacts[], changes: Partial<typeof open> = {}) => evaluateLog(evidence({ header: { ...open, ...changes }, logs }));

describe(check.id, () => {
  it('needs no log after a clean shutdown, and all of them when it was open', () => {
    expect(evaluateLog(evidence())).toMatchObject({ outcome: 'pass', instanceState: 'clean', recovery: { needed: false, bytes: 0 } });
    expect(judge([log(6), log(7), log(8)])).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', recovery: { needed: true, bytes: 2097152 } });
    expect(judge([log(8)])).toMatchObject({ outcome: 'fail', instanceState: 'damaged', findings: [{ code: 'ese.log.missing', where: { generation: 7 } }] });
  });

  it('does not list thousands of missing files one by one', () => {
    const judged = judge([], { minRequired: 1, maxRequired: 2_000_000_000 });
    expect(judged.outcome).toBe('fail');
    expect(judged.findings.length).toBeLessThan(30);
  });

  it('takes the time of creation that the database names', () => {
    expect(judge([log(7), log(8)], { maxRequiredCreated: 'other' })).toMatchObject({ outcome: 'fail', instanceState: 'non-atomic' });
    expect(judge([log(7), log(8)], { maxRequiredCreated: 't8' })).toMatchObject({ outcome: 'pass' });
  });

  it('counts files that could not be read as untested', () => {
    const judged = evaluateLog(evidence({ header: open, logs: [log(7), log(8)], unreadable: ['/logs/edb00009.log'] }));
    expect(judged).toMatchObject({ instanceState: 'unknown', untested: [{ holdsData: true }] });
  });
});
