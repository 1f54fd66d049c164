/** Logs built from the published formats; and logs that are anything at all. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderFiles } from '../../../src/bytes/folder-files.js';
import { FormatError } from '../../../src/errors.js';
import { writeFiles } from '../../testing/write-files.js';
import { BAD, findMtrEnd, type MtrVisitor, readVarint, SHORT, varintBytes, verifyMtr, visitMtr } from '../format/mini-transaction.js';
import { blockLog, checkpointRecord, record, ringLog, ringMtr } from '../testing/build-log.js';
import { readLog } from './read-log.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapproof-redo-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(files: Record<string, Buffer>) {
  writeFiles(folder, files);
  const instance = { id: 'i', engine: 'innodb', version: null, location: { volume: 'v', path: '/' }, links: [], facts: {} };
  return readLog({ files: new FolderFiles({ v: folder }), instance, historyBytes: 1e9, signal: new AbortController().signal, progress: () => {} });
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
    const { files, lsnOf } = blockLog(plan({ format: 1, creator: 'MySQL 5.7.44', files: 2, fileBytes: 2048 + 512 * 4, checkpointAt: 100 }));
    const { facts: log } = await facts({ ib_logfile0: files[0] as Buffer, ib_logfile1: files[1] as Buffer });
    expect(log).toMatchObject({ checkpoint: lsnOf(100), end: lsnOf(plan().payload.length), exactEnd: false, pagesKnown: false, beyond: null });
  });

  it('of MySQL 8.0.30 lie in a folder of their own', async () => {
    const { files, lsnOf } = blockLog(plan({ format: 6, creator: 'MySQL 8.0.36', files: 2, fileBytes: 2048 + 512 * 4, checkpointAt: 100 }));
    const { facts: log } = await facts({ '#innodb_redo/#ib_redo7': files[0] as Buffer, '#innodb_redo/#ib_redo8': files[1] as Buffer });
    expect(log).toMatchObject({ checkpoint: lsnOf(100), end: lsnOf(plan().payload.length) });
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

const nobody: MtrVisitor = { write: () => {}, init: () => {}, free: () => {}, trim: () => {}, file: () => {}, checkpoint: () => {} };

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
