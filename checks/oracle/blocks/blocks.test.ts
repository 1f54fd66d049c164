/** The pure judgement; `oracle.test.ts` of the family damages whole databases. */
import { describe, expect, it } from 'vitest';
import { emptyFacts } from '../block-verifier.js';
import { evidence, file } from '../testing/evidence.js';
import check, { evaluateBlocks } from './index.js';

describe(check.id, () => {
  it('passes whole blocks and counts them', () => {
    expect(evaluateBlocks(evidence())).toMatchObject({
      outcome: 'pass',
      instanceState: 'recoverable',
      summary: expect.stringContaining('12 formatted blocks'),
    });
  });

  it('fails on damage, of the header and of the length too', () => {
    const blocks = emptyFacts();
    blocks.tallies.sum = { count: 3, examples: [{ file: '/system01.dbf', block: 9 }] };
    expect(evaluateBlocks(evidence({ blocks }))).toMatchObject({ outcome: 'fail', findings: [{ code: 'oracle.block.sum', where: { block: 9 } }] });
    expect(evaluateBlocks(evidence({ dataFiles: [file({ sumFits: false })] })).findings[0]?.code).toBe('oracle.file-header');
    expect(evaluateBlocks(evidence({ dataFiles: [file({ sizeBytes: 8192 })] })).findings[0]?.code).toBe('oracle.file.short');
  });

  it('says of blocks without a checksum that bit rot in them is not seen, which leaves no data untested', () => {
    const blocks = { ...emptyFacts(), blocks: 5, unprotected: 5 };
    expect(evaluateBlocks(evidence({ blocks }))).toMatchObject({ outcome: 'pass', untested: [{ holdsData: false }] });
  });
});
