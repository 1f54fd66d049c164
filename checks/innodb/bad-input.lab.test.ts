/** What no healthy server writes: the checks end, say what is wrong, and cost no more than a healthy instance of that size would. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Check } from '../../src/check.js';
import { judgeMade } from '../testing/judge-made.js';
import { MadeGuest } from '../testing/made-guest.js';
import { innodbFinder } from './find.js';
import logVersusPages from './log-versus-pages/index.js';
import pageChecksums from './page-checksums/index.js';
import redoLog from './redo-log/index.js';
import { checkpointRecord, record, ringLog, ringMtr } from './testing/build-log.js';

const CHECKS = [redoLog, pageChecksums, logVersusPages] as Check[];
const FIRST = 12288;
const MIB = 1 << 20;
const FULL_CRC32 = 0x15;

let folder: string;
let guest: MadeGuest;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapproof-bad-'));
  guest = new MadeGuest(join(folder, 'store'));
});
afterEach(() => {
  guest.close();
  rmSync(folder, { recursive: true });
});

/** Page 0 with its header, every extent in use, and without its checksum: it is told as damaged. */
function header(space: number, sizePages: number, flags = FULL_CRC32, freeLimit = sizePages): Buffer {
  const bytes = Buffer.alloc(150 + 256 * 40);
  for (let extent = 0; extent < 256; extent++) bytes.writeUInt32BE(4, 150 + extent * 40 + 20);
  bytes.writeUInt16BE(8, 24);
  bytes.writeUInt32BE(1, 20);
  bytes.writeUInt32BE(space, 34);
  for (const [i, value] of [space, 0, sizePages, freeLimit, flags].entries()) bytes.writeUInt32BE(value, 38 + 4 * i);
  return bytes;
}

/** A server's folder with a log whose bytes after the first records are `rest`. */
function server(rest: Buffer, capacity = rest.length + 4096): void {
  const first = ringMtr([checkpointRecord(FIRST), record('write', 7, 3)], 1);
  const log = ringLog(FIRST, capacity, Buffer.concat([first, rest]).subarray(0, capacity), { lsn: FIRST, endLsn: FIRST });
  guest.file('/data/ib_logfile0', log.length, [{ offset: 0, bytes: log }]);
  guest.file('/data/ibdata1', 12 * MIB, [{ offset: 0, bytes: header(0, 768) }]).file('/data/mysql/user.frm', 100);
}

const table = (name: string, space: number, sizeBytes = 6 * 16384, bytes = header(space, 6)) =>
  guest.file(`/data/shop/${name}.ibd`, sizeBytes, [{ offset: 0, bytes }]);

const judge = () => judgeMade(guest, innodbFinder, CHECKS);

describe('a log of which the rest is', () => {
  const short = Buffer.from([0x31, 7]); // a record of two bytes: the longest way to an end there is
  it.each([
    ['one value', Buffer.alloc(8 * MIB, 0xff)],
    ['records without an end', Buffer.alloc(8 * MIB, short)],
    ['records with an end whose CRC is wrong', Buffer.alloc(8 * MIB, Buffer.concat([Buffer.alloc(65536, short), Buffer.alloc(8)]))],
    ['zeroes', Buffer.alloc(8 * MIB)],
  ])('%s is searched once', async (_what, rest) => {
    server(rest);
    const result = await judge();
    expect(result.instances).toBe(1);
    expect(result.nothingWhole).toBe(true);
    expect(result.evidence).toBeLessThan(100_000);
  });
});

it.each([0, 1])('half of the files are gone (those that are %i of 2)', async (which) => {
  server(Buffer.alloc(MIB));
  for (let i = 1; i <= 200; i++) table(`t${i}`, i);
  for (const [i, path] of guest.paths.entries()) if (i % 2 === which && path.includes('.ibd')) guest.remove(path);
  if (which === 1) guest.remove('/data/ib_logfile0');
  const result = await judge();
  expect(result.nothingWhole).toBe(true);
  expect(result.evidence).toBeLessThan(100_000);
});

it('10,000 tables and 20,000 pieces of the system tablespace are listed once', async () => {
  server(Buffer.alloc(MIB));
  for (let i = 1; i <= 10_000; i++) table(`t${i}`, i, 100);
  for (let i = 2; i <= 20_000; i++) guest.file(`/data/ibdata${i}`, 100);
  const result = await judge();
  expect(result.nothingWhole).toBe(true);
  expect(result.evidence).toBeLessThan(100_000);
});

it('10,000 folders that each could be a server, one in the other or beside it, are bounded', async () => {
  for (let i = 0; i < 10_000; i++) guest.file(`/backup/${i}/ibdata1`, 0);
  guest.file('/backup/ibdata1', 0);
  const { instances } = await guest.find(innodbFinder);
  expect(instances.length).toBeLessThanOrEqual(10_001);
});

describe('absurd numbers in the header of a tablespace', () => {
  const huge = 0xffffffff;
  it.each([
    ['every size', header(7, huge, FULL_CRC32, huge)],
    ['flags of no form', header(7, 6, huge)],
    ['pages of 1 KiB', header(7, huge, 0x2 | 0xc0)],
    ['the largest pages', header(7, huge, 0x17, huge)],
    ['little-endian', Buffer.from(header(7, 6)).swap16()],
    ['nothing but ones', Buffer.alloc(150, 0xff)],
  ])('%s', async (_what, bytes) => {
    server(Buffer.alloc(MIB));
    table('orders', 7, 6 * 16384 + 100, bytes);
    const result = await judge();
    expect(result.judgements.some(({ outcome }) => outcome === 'fail')).toBe(true);
  });
});

it.each(['ib_logfile0', '../../../../../../etc/passwd', '/etc/passwd', 'ibdata1'])(
  'links: log, system tablespace and a table lead to %s and are not followed',
  async (target) => {
    guest.link('/data/ib_logfile0', target).link('/data/ibdata1', target).link('/data/shop/orders.ibd', target);
    guest.file('/data/mysql/user.frm', 100).file('/data/aria_log_control', 52);
    table('items', 8);
    guest.file('/data/shop/linked.isl', 11, [{ offset: 0, bytes: Buffer.from('/etc/passwd') }]);
    const result = await judge();
    expect(result.nothingWhole).toBe(true);
    expect(JSON.stringify(result.judgements)).not.toContain('root:');
  },
);
