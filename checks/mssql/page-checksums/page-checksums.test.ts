import { describe, expect, it } from 'vitest';
import { type EvidenceChanges, evidence } from '../testing/evidence.js';
import check, { evaluatePages } from './index.js';

const judge = (changes: EvidenceChanges = {}) => evaluatePages(evidence(changes));

describe(check.id, () => {
  it('passes a database that was running, and one that was shut down', () => {
    expect(judge()).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', untested: [] });
    expect(judge({ clean: true })).toMatchObject({ outcome: 'pass', instanceState: 'clean' });
  });

  it.each(['sum', 'misplaced', 'header', 'zeroed'] as const)('fails on pages of kind %s and names the page', (kind) => {
    const judgement = judge({ kinds: { [kind]: 2 } });
    expect(judgement).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    expect(judgement.findings[0]).toMatchObject({ code: `mssql.page.${kind}`, where: { file: '/sales.mdf', page: 33 } });
  });

  it.each(['torn', 'pending', 'uncertain'] as const)('does not pass over pages of kind %s: they are untested data', (kind) => {
    const judgement = judge({ kinds: { [kind]: 2 } });
    expect(judgement).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
    expect(judgement.untested).toMatchObject([{ holdsData: true }]);
  });

  it('does not call an encrypted database damaged, nor sound', () => {
    const judgement = judge({ kinds: { sum: 79 }, changes: {} });
    expect(judgement.outcome).toBe('fail');
    const source = evidence({ kinds: { sum: 79 } });
    if (source.pages) source.pages.summed = 1;
    expect(evaluatePages(source)).toMatchObject({
      outcome: 'pass',
      instanceState: 'unknown',
      untested: [{ holdsData: true, why: expect.stringContaining('TDE') }],
    });
  });

  it('fails on damaged headers, maps and short files', () => {
    const source = evidence();
    const [file] = source.dataFiles;
    if (!file) throw new Error('no file');
    const withFile = (changes: object) => evaluatePages({ ...source, dataFiles: [{ ...file, ...changes }] });
    expect(withFile({ headerIntact: false }).findings[0]?.code).toBe('mssql.file-header');
    expect(withFile({ allocation: { damaged: [{ page: 2, type: 'GAM' }], damagedCount: 1, beyondEnd: null } }).findings[0]?.code).toBe('mssql.allocation');
    expect(withFile({ allocation: { damaged: [], damagedCount: 0, beyondEnd: 640 } }).findings[0]?.code).toBe('mssql.file.short');
    expect(evaluatePages({ ...source, boot: null }).findings[0]?.code).toBe('mssql.boot-page');
    expect(withFile({ allocation: null }).untested).toMatchObject([{ holdsData: true }]);
  });

  it('leaves unknown versions and unknown files untested, and tempdb aside', () => {
    expect(judge({ version: 539 })).toMatchObject({ outcome: 'pass', instanceState: 'unknown', untested: [{ holdsData: true }] });
    expect(judge({ changes: { recognised: false, boot: null, pages: null } })).toMatchObject({ instanceState: 'unknown', untested: [{ holdsData: true }] });
    expect(judge({ name: 'tempdb', kinds: { sum: 3 } })).toMatchObject({ outcome: 'pass', untested: [] });
  });
});
