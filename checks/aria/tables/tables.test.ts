import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { pageProof, parseControl, parseTableHead } from '../format/aria.js';
import { emptyAriaPages } from '../page-verifier.js';
import type { AriaEvidence } from '../read-tables.js';
import check, { evaluateAria } from './index.js';

const control = { blockBytes: 8192, checkpointFile: 1, checkpointOffset: 5000, lastLogFile: 1, recoveryFailures: 0 };

function evidence(changes: Partial<AriaEvidence> = {}): AriaEvidence {
  const sound: AriaEvidence = {
    ...{ control: { state: 'ok', control }, logs: [{ number: 1, sizeBytes: 8192 }], tables: 3, halves: [], damagedHeads: [], unreadable: [] },
    ...{ withoutChecksums: { count: 0, examples: [] }, pages: { ...emptyAriaPages(), pages: 10, proven: 9, bare: 1 } },
  };
  return { ...sound, ...changes };
}

const codes = (changes: Partial<AriaEvidence>) => {
  const judgement = evaluateAria(evidence(changes));
  return [judgement.outcome, judgement.instanceState, judgement.findings.map(({ code }) => code)];
};

describe(check.id, () => {
  it('passes what is sound', () => {
    expect(codes({})).toEqual(['pass', 'clean', []]);
  });

  it('fails damaged pages, a missing control file, a missing or short log', () => {
    const pages = emptyAriaPages();
    pages.kinds.checksum = { count: 1, examples: [{ file: 'a.MAD', block: 2 }] };
    expect(codes({ pages })).toEqual(['fail', 'damaged', ['aria.page.checksum', 'aria.page.checksum.page']]);
    expect(codes({ control: { state: 'missing', why: 'x' } })).toEqual(['fail', 'damaged', ['aria.control.missing']]);
    expect(codes({ logs: [] })).toEqual(['fail', 'damaged', ['aria.log.missing']]);
    expect(codes({ logs: [{ number: 1, sizeBytes: 4999 }] })).toEqual(['fail', 'damaged', ['aria.log.short']]);
    expect(codes({ damagedHeads: ['a.MAI'] })).toEqual(['fail', 'damaged', ['aria.table.head']]);
  });

  it('never passes over tables without checksums', () => {
    expect(evaluateAria(evidence({ withoutChecksums: { count: 1, examples: ['a'] } }))).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
  });
});

describe('the files of Aria', () => {
  it('a page proves its own bytes and number', () => {
    const data = Buffer.alloc(1024, 7);
    data.writeUInt32LE(crc32(data.subarray(0, 1020), 5), 1020);
    expect([pageProof(data, 5, false), pageProof(data, 6, false)]).toEqual(['good', 'bad']);
    data[3] = 8;
    expect(pageProof(data, 5, false)).toBe('bad');
    const index = Buffer.alloc(1024);
    index.writeUInt16BE(300, 15);
    index.writeUInt32LE(crc32(index.subarray(0, 300), 2), 1020);
    expect([pageProof(index, 2, true), pageProof(index, 3, true)]).toEqual(['good', 'bad']);
  });

  it('whatever stands there, nothing but FormatError is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(100), (noise, number) => {
        for (const [magic, parse] of [
          [[0xfe, 0xfe, 0x0c, 1], parseControl],
          [[0xfe, 0xfe, 9, 3], parseTableHead],
        ] as const) {
          try {
            parse(Buffer.from([...magic, ...noise]));
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        }
        if (noise.length >= 64) pageProof(noise, number, true);
      }),
    );
  });
});
