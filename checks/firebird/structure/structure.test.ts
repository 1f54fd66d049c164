/** The pure judgement, and the parsers on hostile bytes; `firebird.lab.test.ts` of the family judges real databases. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/source.js';
import { FormatError } from '../../../src/errors.js';
import { parseIndexPage } from '../format/index-page.js';
import { type DatabaseHeader, geometryOf, inventoryPage, parseHeader } from '../format/page.js';
import { parseBlob, parseRecord, unpack, unpackedLength } from '../format/record.js';
import type { StaticEvidence } from '../static-pass.js';
import { walkDatabase } from '../walk-database.js';
import check, { evaluateStructure } from './index.js';

const header: DatabaseHeader = {
  ...{ pageBytes: 4096, odsMajor: 12, odsMinor: 0, pagesRelation: 3, oldestActive: 1, nextTransaction: 9, shadow: false },
  ...{ forcedWrites: true, readOnly: false, encrypted: false, backup: 'normal', multiFile: false },
};
const walk = { relations: 1, dataPages: 2, records: 3, blobPages: 0, indexes: 1, indexPages: 1, pages: 9, pageBytes: 4096, activeTransactions: 0 };

function evidence(changes: Partial<StaticEvidence> = {}): StaticEvidence {
  const sound = { path: '/a.fdb', volume: 'v', sizeBytes: 40960, header, headerProblem: null, hasDelta: false };
  return { ...sound, walk, problems: { counts: {}, examples: [] }, ...changes };
}

describe(check.id, () => {
  it('passes a database with and without open transactions', () => {
    expect(evaluateStructure(evidence())).toMatchObject({ outcome: 'pass', instanceState: 'clean', consistency: { level: 'application' } });
    const open = evaluateStructure(evidence({ walk: { ...walk, activeTransactions: 2 } }));
    expect(open).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', consistency: { level: 'crash' }, recovery: { needed: false } });
  });

  it('leaves open what forced writes off, encryption and other versions leave open', () => {
    for (const change of [{ forcedWrites: false }, { encrypted: true }, { multiFile: true }, { odsMajor: 13 }, { backup: 'merge' as const }]) {
      const judgement = evaluateStructure(evidence({ header: { ...header, ...change }, hasDelta: true }));
      expect(judgement).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
      expect(judgement.untested[0]).toMatchObject({ holdsData: true });
      expect(judgement.consistency).toBe(change.encrypted || change.multiFile || change.odsMajor ? judgement.consistency : undefined);
    }
  });

  it('fails what cannot be read', () => {
    expect(evaluateStructure(evidence({ sizeBytes: null, header: null, walk: null }))).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
  });
});

describe('the formats', () => {
  it('have inventory pages where the engine puts them', () => {
    const geometry = geometryOf(8192);
    expect(geometry).toMatchObject({ perInventory: 65312, perPointer: 1632 });
    expect([0, 1, 2].map((index) => inventoryPage(index, geometry))).toEqual([1, 65311, 130623]);
  });

  it('unpack runs and literals, and notice a run over the end', () => {
    const segment = Buffer.from([0xfd, 0x41, 2, 0x42, 0x43, 0]);
    expect(unpackedLength(segment, 0)).toBe(5);
    expect(unpack(segment, 0, 4).toString('latin1')).toBe('AAAB');
    expect(unpackedLength(Buffer.from([5, 1, 2]), 0)).toBe(-1);
  });

  it('read the nodes of an index page', () => {
    const page = Buffer.alloc(4096);
    // A key "ab", one "ad" that shares its first byte, and the mark of the end of the level.
    const nodes = Buffer.from([0x01, 0x00, 0, 2, 0x61, 0x62, 0x02 | (5 << 5), 0x00, 1, 0x64, 1 << 5]);
    nodes.copy(page, 39);
    page.writeUInt16LE(39 + nodes.length, 30);
    expect(parseIndexPage(page)).toMatchObject({ keys: 2, level: 0, endsLevel: true, firstKey: Buffer.from('ab'), lastKey: Buffer.from('ad') });
    page[39 + 9] = 0x61;
    expect(parseIndexPage(page)).toContain('out of order');
  });

  it('survive hostile bytes', async () => {
    const bytes = (maxLength: number) => fc.uint8Array({ maxLength, size: 'max' }).map((array) => Buffer.from(array));
    await fc.assert(
      fc.asyncProperty(bytes(2000), async (input) => {
        try {
          parseHeader(input);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
        parseRecord(input);
        parseBlob(input);
        unpackedLength(input, 0);
        unpack(input, 0, 100);
        const file = Buffer.alloc(8 * 4096);
        for (let page = 0; page < 8; page++) input.copy(file, page * 4096 + 24, 0, Math.min(input.length, 4000));
        const types = [1, 2, 3, 4, 5, 6, 7, 8];
        for (const [page, type] of types.entries()) {
          file[page * 4096] = type;
          file.writeUInt32LE(page, page * 4096 + 12);
        }
        parseIndexPage(file.subarray(6 * 4096, 7 * 4096));
        const { facts } = await walkDatabase(new BufferSource(file), header, 'f', new AbortController().signal, () => undefined);
        expect(facts.dataPages).toBeLessThanOrEqual(8);
      }),
      { numRuns: 200 },
    );
  });
});
