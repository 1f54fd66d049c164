/** Rule R2 in the log of MySQL 8, built from the published format. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressed, firstChange, isKnownType } from '../format/mysql-record.js';
import { mysqlInteger, mysqlRecord } from '../testing/build-log.js';
import { LogKnowledge } from './knowledge.js';
import { type HistoryBlock, sampleHistory } from './sample-history.js';

describe('a record of MySQL', () => {
  it('names tablespace and page, that of the dictionary too', () => {
    expect(firstChange(mysqlRecord(7, 300))).toEqual({ space: 7, page: 300 });
    expect(firstChange(mysqlRecord(0xfffffffe, 4))).toEqual({ space: 0xfffffffe, page: 4 });
    expect(firstChange(mysqlRecord(0, 0, 35))).toBe('none');
    expect(firstChange(mysqlRecord(7, 300, 100))).toBeNull();
    expect(firstChange(mysqlRecord(7, 300).subarray(0, 3))).toBeNull();
  });

  it('holds integers in one to five bytes', () => {
    const forms: [number[], number][] = [
      [[0x7f], 0x7f],
      [[0x80, 0x80], 0x80],
      [[0xc1, 0x02, 0x03], 0x10203],
      [[0xe1, 2, 3, 4], 0x1020304],
      [[0xf0, 0xfe, 2, 3, 4], 0xfe020304],
      [[0xfb, 0xfe], 0xfffffffe],
      [[0xfd, 0, 1], 0xffff0001],
      [[0xfe, 1, 2, 3], 0xff010203],
    ];
    for (const [bytes, value] of forms) expect(compressed(Uint8Array.from(bytes), 0)).toEqual({ value, next: bytes.length });
    for (const value of [0, 127, 128, 16383, 0xfffffffe]) expect(compressed(mysqlInteger(value), 0)?.value).toBe(value);
    expect(compressed(Uint8Array.from([0xf3, 1, 2, 3, 4]), 0)).toBeNull();
  });

  it('of any bytes is read within its bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const change = firstChange(bytes);
        if (change && change !== 'none') expect(Math.max(change.space, change.page)).toBeLessThan(2 ** 32);
        isKnownType(bytes[0] ?? 0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('history', () => {
  const CHECKPOINT = 512 * 30;
  const sample = async (blockAt: (lsn: number) => HistoryBlock | null) => {
    const knowledge = new LogKnowledge(CHECKPOINT, null);
    const found = await sampleHistory(512 * 10, CHECKPOINT, async (lsn) => blockAt(lsn), knowledge, new AbortController().signal);
    const required = (page: number) => knowledge.table.requiredLsn(knowledge.table.find(knowledge.spaces.find(5), page));
    return { found, required };
  };
  const group = (lsn: number, page: number, type = 30): HistoryBlock => ({ group: mysqlRecord(5, page, type), lsn: lsn + 12 });

  it('requires of a page what began before another group did, and nothing of the last one', async () => {
    const { found, required } = await sample((lsn) => group(lsn, lsn / 512));
    expect(found).toEqual({ from: 512 * 10 + 12, changes: 19 });
    expect(required(20)).toBe(512 * 20 + 12);
    expect(required(29)).toBe(0);
  });

  it('leaves out what is followed by a gap, and records that change no page', async () => {
    const { found, required } = await sample((lsn) => (lsn === 512 * 15 ? null : group(lsn, lsn / 512, lsn === 512 * 20 ? 35 : 30)));
    expect([14, 20, 21].map(required)).toEqual([0, 0, 512 * 21 + 12]);
    expect(found.changes).toBe(16);
  });

  it('of another form than is known requires nothing', async () => {
    const { found, required } = await sample((lsn) => group(lsn, lsn / 512, lsn % 1024 === 0 ? 100 : 30));
    expect(found).toEqual({ from: CHECKPOINT, changes: 0 });
    expect(required(21)).toBe(0);
  });
});
