/** What SQLite never writes: the checks end, say what is wrong, and their evidence stays small. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Check } from '../../src/check.js';
import { judgeMade } from '../testing/judge-made.js';
import { MadeGuest } from '../testing/made-guest.js';
import { sqliteFinder } from './finder.js';
import pageStructure from './page-structure/index.js';
import wal from './wal/index.js';

const CHECKS = [pageStructure, wal] as Check[];

let folder: string;
let guest: MadeGuest;
let whole: Buffer;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapproof-bad-'));
  guest = new MadeGuest(join(folder, 'store'));
  const database = new Database(join(folder, 'made.db'));
  database.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t (b) VALUES (hex(zeroblob(3000)))');
  database.close();
  whole = readFileSync(join(folder, 'made.db'));
});
afterEach(() => {
  guest.close();
  rmSync(folder, { recursive: true });
});

const judge = () => judgeMade(guest, sqliteFinder, CHECKS);
const put = (path: string, bytes: Buffer, sizeBytes = bytes.length) => guest.file(path, sizeBytes, [{ offset: 0, bytes }]);

function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(whole);
  change(bytes);
  return bytes;
}

it('10,000 databases: each is judged, their files are asked for once', async () => {
  for (let i = 0; i < 10_000; i++) put(`/var/lib/app/${i % 100}/${i}.db`, whole);
  const result = await judge();
  expect(result.instances).toBe(10_000);
  expect(result.judgements.every(({ outcome }) => outcome === 'pass')).toBe(true);
  expect(result.evidence).toBeLessThan(10_000);
  expect(guest.mapped).toBeLessThanOrEqual(60_000);
});

describe('absurd numbers', () => {
  it.each([
    ['four billion pages', (bytes) => void bytes.writeUInt32BE(0xffffffff, bytes.writeUInt32BE(bytes.readUInt32BE(24), 92) - 96 + 28)],
    ['a free list that points at itself', (bytes) => void bytes.writeUInt32BE(0xffffffff, bytes.writeUInt32BE(1, 32))],
    ['every cell pointer', (bytes) => void bytes.fill(0xff, 100, 200)],
    ['little-endian numbers', (bytes) => void bytes.subarray(16, 96).swap16()],
    ['only its first page left', (bytes) => void bytes.fill(0, 4096)],
  ] as [string, (bytes: Buffer) => void][])('%s', async (_what, change) => {
    put('/a.db', changed(change));
    const result = await judge();
    expect(result.nothingWhole).toBe(true);
    expect(result.evidence).toBeLessThan(20_000);
  });

  it('a file of 16 TiB that is one hole behind its first pages', async () => {
    put('/a.db', whole, 2 ** 44);
    expect((await judge()).evidence).toBeLessThan(20_000);
  });

  it.each([0x377f0682, 0x377f0683, 0x82067f37])('a write-ahead log of magic %i and a terabyte of nothing', async (magic) => {
    const log = Buffer.alloc(32);
    for (const [i, value] of [magic, 3007000, 4096].entries()) log.writeUInt32BE(value, 4 * i);
    put('/a.db', whole);
    put('/a.db-wal', log, 2 ** 40);
    expect((await judge()).evidence).toBeLessThan(20_000);
  });

  it('a journal that promises two billion records', async () => {
    const journal = Buffer.alloc(512);
    Buffer.from('d9d505f920a163d7', 'hex').copy(journal);
    for (const [i, value] of [0x7fffffff, 7, 2, 512, 4096].entries()) journal.writeUInt32BE(value, 8 + 4 * i);
    put('/a.db', whole);
    put('/a.db-journal', journal, 2 ** 40);
    expect((await judge()).evidence).toBeLessThan(20_000);
  });
});

it.each(['a.db', '/etc/passwd', '../../../../etc/passwd'])('links: database and log lead to %s and are not followed', async (target) => {
  put('/b.db', whole);
  guest.link('/a.db', target).link('/b.db-wal', target).link('/b.db-journal', target);
  const result = await judge();
  expect(result.instances).toBe(1);
  expect(JSON.stringify(result.judgements)).not.toContain('root:');
});
