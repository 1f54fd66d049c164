/** Logs built from the published formats; and logs that are anything at all. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/bytes/crc32c.js';
import { FolderFiles } from '../../../src/bytes/folder-files.js';
import { FormatError } from '../../../src/errors.js';
import { writeFiles } from '../../testing/write-files.js';
import { BAD, findMtrEnd, type MtrVisitor, readVarint, SHORT, varintBytes, verifyMtr, visitMtr } from '../format/mini-transaction.js';
import { blockLog, checkpoint57, checkpointRecord, group57, record, record57, ringLog, ringMtr } from '../testing/build-log.js';
import { readLog } from './read-log.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapproof-redo-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(files: Record<string, Buffer>) {
  writeFiles(folder, files);
  const instance = { id: 'i', engine: 'innodb', version: null, location: { volume: 'v', path: '/' }, links: [], facts: {} };
  return readLog({
    files: new FolderFiles({ v: folder }),
    instance,
    historyBytes: 1e9,
    logicalBytes: 16384,
    signal: new AbortController().signal,
    progress: () => {},
  });
}

async function facts(files: Record<string, Buffer>) {
  const { report, knowledge } = await read(files);
  if (report.log.state !== 'ok') throw new Error(report.log.why);
  return { facts: report.log.facts, knowledge };
}

const mtr = (...records: Buffer[]) => Buffer.concat([...records, Buffer.from([0])]);

describe('the log of MariaDB 10.8', () => {
  const FIRST = 20480;
  const history = Buffer.concat(Array.from({ length: 50 }, (_, i) => ringMtr([record('write', 5, i)], 1)));
  const freed = ringMtr([record('free', 5, 3)], 1);
  const replayed = Buffer.concat([ringMtr([record('init', 5, 60)], 1), ringMtr([record('write', 5, 7)], 1)]);
  const checkpointLsn = FIRST + history.length + freed.length;
  const checkpoint = { lsn: checkpointLsn, endLsn: checkpointLsn + replayed.length };
  const payload = Buffer.concat([history, freed, replayed, ringMtr([checkpointRecord(checkpointLsn)], 1)]);

  it('is followed to its end, and read back', async () => {
    const { facts: log, knowledge } = await facts({ ib_logfile0: ringLog(FIRST, 65536, payload, checkpoint) });
    expect(log).toMatchObject({ end: FIRST + payload.length, records: 3, checkpointSeen: true, beyond: null, historyFrom: FIRST, historyRecords: 51 });
    const at = (page: number) => knowledge.table.find(knowledge.spaces.find(5), page);
    expect(knowledge.table.requiredLsn(at(0))).toBe(FIRST + ringMtr([record('write', 5, 0)], 1).length);
    expect(knowledge.table.requiredLsn(at(3))).toBe(0);
    expect(knowledge.table.isRestored(at(60))).toBe(true);
    expect(knowledge.table.isRestored(at(7))).toBe(false);
  });

  it('that was only shut down is clean', async () => {
    const end = Buffer.concat([history, ringMtr([checkpointRecord(FIRST + history.length)], 1)]);
    const lsn = FIRST + history.length;
    expect((await facts({ ib_logfile0: ringLog(FIRST, 65536, end, { lsn, endLsn: lsn }) })).facts.cleanShutdown).toBe(true);
  });

  it('that ends before its checkpoint says so, and one with a hole too', async () => {
    const log = ringLog(FIRST, 65536, payload, checkpoint);
    log.fill(0, 12288 + checkpoint.lsn - FIRST + 2, 12288 + checkpoint.lsn - FIRST + 40);
    expect((await facts({ ib_logfile0: log })).facts).toMatchObject({ end: checkpoint.lsn, checkpointSeen: false });
    const long = Buffer.concat([payload, ...Array.from({ length: 2000 }, (_, i) => ringMtr([record('write', 5, i % 100)], 1))]);
    const holed = ringLog(FIRST, 65536, long, checkpoint);
    holed.fill(0, 12288 + payload.length, 12288 + payload.length + 600);
    expect((await facts({ ib_logfile0: holed })).facts.beyond?.records).toBeGreaterThan(100);
  });

  it('of which old bytes of the same lap follow in the last block is whole', async () => {
    const old = Buffer.concat([payload, Buffer.alloc(8), ...Array.from({ length: 20 }, (_, i) => ringMtr([record('write', 5, i)], 1))]);
    expect((await facts({ ib_logfile0: ringLog(FIRST, 65536, old, checkpoint) })).facts.beyond).toBe(null);
  });
});

describe('logs made of blocks', () => {
  const records = Array.from({ length: 300 }, (_, i) => mtr(record('write', 5, i % 100), record('init', 6, i % 50)));
  const plan = (changes: object = {}) => {
    const before = Buffer.concat(records);
    const checkpointLsnAt = before.length;
    const after = mtr(record('init', 5, 99));
    const base = { format: 0x50485953, creator: 'MariaDB 10.5.23', files: 1, fileBytes: 2048 + 64 * 512, startLsn: 8192, checkpointAt: checkpointLsnAt };
    const checkpointEndAt = before.length + after.length;
    const lsn = 8192 + Math.floor(checkpointLsnAt / 496) * 512 + 12 + (checkpointLsnAt % 496);
    return { ...base, checkpointEndAt, payload: Buffer.concat([before, after, mtr(checkpointRecord(lsn))]), ...changes };
  };

  it('of MariaDB 10.5 are followed, and read back', async () => {
    const { files, lsnOf } = blockLog(plan());
    const { facts: log, knowledge } = await facts({ ib_logfile0: files[0] as Buffer });
    expect(log).toMatchObject({ checkpoint: lsnOf(plan().checkpointAt), checkpointSeen: true, end: lsnOf(plan().payload.length), records: 2, beyond: null });
    expect(log.historyRecords).toBeGreaterThan(250);
    const at = (page: number) => knowledge.table.find(knowledge.spaces.find(5), page);
    const last = records.slice(0, 299).reduce((sum, bytes) => sum + bytes.length, 0);
    expect(knowledge.table.requiredLsn(at(98))).toBe(lsnOf(last));
    expect(knowledge.table.isRestored(at(99))).toBe(true);
  });

  it('of MySQL are followed over several files, to the block', async () => {
    const { files, lsnOf } = blockLog(plan({ format: 3, creator: 'MySQL 8.0.18', files: 2, fileBytes: 2048 + 512 * 4, checkpointAt: 100 }));
    const { facts: log } = await facts({ ib_logfile0: files[0] as Buffer, ib_logfile1: files[1] as Buffer });
    expect(log).toMatchObject({ checkpoint: lsnOf(100), end: lsnOf(plan().payload.length), exactEnd: false, pagesKnown: false, beyond: null });
  });

  it('of MySQL 8.0.30 lie in a folder of their own', async () => {
    const { files, lsnOf } = blockLog(plan({ format: 6, creator: 'MySQL 8.0.36', files: 2, fileBytes: 2048 + 512 * 4, checkpointAt: 100 }));
    const { facts: log } = await facts({ '#innodb_redo/#ib_redo7': files[0] as Buffer, '#innodb_redo/#ib_redo8': files[1] as Buffer });
    expect(log).toMatchObject({ checkpoint: lsnOf(100), end: lsnOf(plan().payload.length) });
  });

  describe('of MySQL 5.7', () => {
    const string = (page: number) => record57(30, 7, page, [0, 60, 0, 40, ...Array(40).fill(9)]);
    const groups = Array.from({ length: 200 }, (_, i) => (i % 2 ? group57(string(i)) : group57(string(i), record57(59, 8, i))));
    const starts = (of: Buffer[]) => of.map((_, i) => of.slice(0, i).reduce((sum, bytes) => sum + bytes.length, 0));
    const log57 = (after: (lsn: number) => Buffer[], before = groups, changes: object = {}) => {
      const checkpointAt = Buffer.concat(before).length;
      const base = { format: 1, creator: 'MySQL 5.7.44', files: 2, fileBytes: 2048 + 512 * 40, startLsn: 8192, checkpointAt, checkpointEndAt: checkpointAt };
      const { lsnOf } = blockLog({ ...base, payload: Buffer.concat(before) });
      const all = [...before, ...after(lsnOf(checkpointAt))];
      const { files } = blockLog({ ...base, ...changes, payload: Buffer.concat(all), starts: starts(all) });
      return { files: { ib_logfile0: files[0] as Buffer, ib_logfile1: files[1] as Buffer }, lsnOf, checkpointAt };
    };
    const marked = (lsn: number) => [checkpoint57(lsn)];

    it('are followed record by record, and read back to their beginning', async () => {
      const { files, lsnOf, checkpointAt } = log57((lsn) => [group57(string(300)), checkpoint57(lsn), group57(record57(59, 9, 1))]);
      const { facts: log, knowledge } = await facts(files);
      expect(log).toMatchObject({
        checkpoint: lsnOf(checkpointAt),
        checkpointSeen: true,
        cleanShutdown: false,
        exactEnd: true,
        everyRecord: true,
        lostAt: null,
      });
      expect(log).toMatchObject({ records: 3, historyRecords: 200, historyFrom: lsnOf(0), pagesKnown: false, withoutChecksum: 0 });
      const required = (space: number, page: number) => knowledge.table.requiredLsn(knowledge.table.find(knowledge.spaces.find(space), page));
      const endOf = (i: number) => lsnOf(starts(groups)[i + 1] ?? checkpointAt);
      expect([required(7, 5), required(7, 6), required(8, 6), required(8, 7)]).toEqual([endOf(5), endOf(6), endOf(6), 0]);
      expect([...knowledge.changedSince]).toEqual([9]);
    });

    it('that lack the record of their checkpoint are not usable, unless nothing follows it', async () => {
      expect((await facts(log57(() => [group57(string(300))]).files)).facts).toMatchObject({ checkpointSeen: false, cleanShutdown: false });
      expect((await facts(log57(() => []).files)).facts).toMatchObject({ checkpointSeen: true, cleanShutdown: true });
    });

    it('require nothing of what was freed, truncated or dropped since', async () => {
      const freed = group57(record57(1, 8, 0, [0, 150 + 24, 0b01010101]));
      const { files } = log57(marked, [
        ...groups,
        freed,
        group57(record57(60, 7, 0, Array(8).fill(0))),
        group57(record57(35, 11, 0, [0, 2, 65, 0])),
        group57(string(4)),
      ]);
      const { knowledge } = await facts(files);
      const required = (space: number, page: number) => knowledge.table.requiredLsn(knowledge.table.find(knowledge.spaces.find(space), page));
      expect([required(8, 2), required(7, 3)]).toEqual([0, 0]);
      expect([required(8, 4) > 0, required(7, 4) > 0]).toEqual([true, true]);
      expect([...knowledge.dropped]).toEqual([11]);
    });

    it('with records of no known form are read no further, and require nothing', async () => {
      const strange = Buffer.from([0x80 | 100, 1, 2, 3]);
      expect((await facts(log57((lsn) => [strange, ...marked(lsn)]).files)).facts).toMatchObject({
        lostAt: expect.any(Number),
        checkpointSeen: true,
        historyRecords: 200,
      });
      expect((await facts(log57(marked, [...groups, strange, ...groups]).files)).facts).toMatchObject({ lostAt: null, historyRecords: 0 });
    });

    it('that were misread, as the headers of blocks tell, require nothing', async () => {
      const { files } = log57(marked);
      const first = files.ib_logfile0 as Buffer;
      first.writeUInt16BE(first.readUInt16BE(2048 + 512 * 3 + 6) + 1, 2048 + 512 * 3 + 6);
      first.writeUInt32BE(crc32c(first, 2048 + 512 * 3, 2048 + 512 * 3 + 508), 2048 + 512 * 3 + 508);
      expect((await facts(files)).facts).toMatchObject({ historyRecords: 0 });
    });

    it('written without checksums are followed, and counted', async () => {
      const { files, lsnOf } = log57(marked);
      for (let at = 2048; at < (files.ib_logfile0 as Buffer).length; at += 512) (files.ib_logfile0 as Buffer).writeUInt32BE(0xdeadbeef, at + 508);
      expect((await facts(files)).facts).toMatchObject({ checkpointSeen: true, historyFrom: lsnOf(0), withoutChecksum: expect.any(Number) });
    });

    it('of MariaDB 10.2, which has records of its own, are not read', async () => {
      expect((await facts(log57(marked, groups, { creator: 'MariaDB 10.2.44' }).files)).facts).toMatchObject({ everyRecord: false, historyRecords: 0 });
    });
  });

  it('of which numbers are beyond any log are refused', async () => {
    const { files } = blockLog(plan({ format: 1, creator: 'MySQL 5.7.44', checkpointAt: 100 }));
    const log = files[0] as Buffer;
    for (const at of [512, 1536]) {
      log.fill(0x77, at, at + 16);
      log.writeUInt32BE(crc32c(log, at, at + 508), at + 508);
    }
    expect((await read({ ib_logfile0: log })).report.log).toMatchObject({ state: 'damaged', why: expect.stringContaining('no valid checkpoint') });
  });

  it('that are encrypted whole are unknown', async () => {
    const { files } = blockLog(plan({ format: 0xd0485953 }));
    expect((await read({ ib_logfile0: files[0] as Buffer })).report.log).toMatchObject({ state: 'unknown', why: expect.stringContaining('encrypted') });
  });

  it('with a hole say so', async () => {
    const { files } = blockLog(plan({ format: 1, creator: 'MySQL 5.7.44', checkpointAt: 100 }));
    (files[0] as Buffer).fill(0, 2048 + 512, 2048 + 1024);
    expect((await facts({ ib_logfile0: files[0] as Buffer })).facts.beyond?.records).toBe(4);
  });

  it('that are of no use say why', async () => {
    expect((await read({})).report.log).toMatchObject({ state: 'missing' });
    expect((await read({ ib_logfile0: Buffer.alloc(40000) })).report.log).toMatchObject({ state: 'damaged' });
    const old = Buffer.alloc(40000);
    old.writeUInt32BE(104, 0);
    expect((await read({ ib_logfile0: old })).report.log).toMatchObject({ state: 'unknown' });
  });
});

const nobody: MtrVisitor = { write: () => {}, init: () => {}, free: () => {}, release: () => {}, trim: () => {}, file: () => {}, checkpoint: () => {} };

describe('anything at all', () => {
  it('as a mini-transaction is read within its bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), fc.boolean(), (bytes, start, encrypted) => {
        const at = Math.min(start, bytes.length);
        const end = findMtrEnd(bytes, at, bytes.length);
        if (end === SHORT || end === BAD) return;
        expect(end).toBeGreaterThan(at);
        expect(end).toBeLessThan(bytes.length);
        verifyMtr(bytes, at, end, bytes.length, 8);
        visitMtr(bytes, at, end, encrypted, nobody);
      }),
      { numRuns: 2000 },
    );
  });

  it('a varint has the length its first byte says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
        expect(readVarint(bytes, 0)).toBeGreaterThanOrEqual(0);
        expect(varintBytes(bytes[0] as number)).toBeLessThanOrEqual(6);
      }),
    );
  });

  it('as a log of any format ends in time, and throws nothing but FormatError', async () => {
    const format = fc.constantFrom(0x50687973, 0x50485953, 1, 4, 5, 6, 0xd0687973, 0xd0485953);
    await fc.assert(
      fc.asyncProperty(format, fc.uint8Array({ minLength: 100, maxLength: 4000 }), fc.nat(3), async (number, noise, shape) => {
        const whole =
          number % 2 === 1 && shape > 0 ? ringLog(20480, 16384, Buffer.from(noise), { lsn: 20480, endLsn: 20480 + shape }) : Buffer.alloc(14000, noise);
        if (shape === 0) whole.writeUInt32BE(number, 0);
        await read({ ib_logfile0: whole }).catch((error) => expect(error).toBeInstanceOf(FormatError));
      }),
      { numRuns: 60 },
    );
  });
});
