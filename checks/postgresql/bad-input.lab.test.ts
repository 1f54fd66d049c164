/** What no healthy server writes: the checks end, say what is wrong, and cost no more than a healthy cluster of that size would. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Check } from '../../src/check.js';
import { judgeMade } from '../testing/judge-made.js';
import { MadeGuest } from '../testing/made-guest.js';
import controlFile from './control-file/index.js';
import { postgresqlFinder } from './find.js';
import { segmentName } from './format/names.js';
import logVersusPages from './log-versus-pages/index.js';
import pageChecksums from './page-checksums/index.js';
import { type ControlChoices, controlBytes, LogWriter } from './testing/build.js';
import walChain from './wal-chain/index.js';
import zeroedPages from './zeroed-pages/index.js';

const CHECKS = [controlFile, walChain, pageChecksums, logVersusPages, zeroedPages] as Check[];
const SEGMENT = 1 << 24;
const FIRST = 0x1_0000_0000;
const SYSTEM = 77n;
const GIB = 2 ** 30;

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

function cluster(choices: ControlChoices = {}): void {
  const control = controlBytes(1300, { redo: FIRST + 40, checkpoint: FIRST + 40, timeline: 1, systemId: SYSTEM, ...choices });
  guest.file('/data/PG_VERSION', 3, [{ offset: 0, bytes: Buffer.from('15\n') }]).file('/data/global/pg_control', 8192, [{ offset: 0, bytes: control }]);
  guest.folder('/data/base').folder('/data/pg_wal').folder('/data/pg_tblspc');
}

/** A segment that begins as it must; `records` go where the header ends. The rest is a hole. */
function segment(index: number, records = 0): void {
  const start = FIRST + index * SEGMENT;
  const log = new LogWriter(start, SYSTEM, SEGMENT, 8192);
  for (let i = 0; i < records; i++) log.record(0, 0x10, Buffer.alloc(88));
  guest.file(`/data/pg_wal/${segmentName(1, start, SEGMENT)}`, SEGMENT, [{ offset: 0, bytes: log.bytes.subarray(0, records > 0 ? 8192 : 40) }]);
}

const judge = () => judgeMade(guest, postgresqlFinder, CHECKS);

describe('a log of 100,000 segments (1.6 TB)', () => {
  const SEGMENTS = 100_000;

  it('of which nothing is valid is searched within bounds, and what was not searched is said', async () => {
    cluster();
    for (let i = 0; i < SEGMENTS; i++) segment(i);
    const result = await judge();
    expect(result.codes).toContain('postgresql.wal.redo-missing');
    expect(result.judgements.flatMap(({ untested }) => untested.map(({ what }) => what)).join()).toMatch(/log beyond/);
    expect(result.doneBytes).toBeLessThan(4 * GIB);
    expect(result.evidence).toBeLessThan(100_000);
  });

  it('with a hole behind the first, and valid log only in the last, is told as a hole', async () => {
    cluster();
    segment(0, 3);
    for (let i = 2; i < SEGMENTS - 1; i++) segment(i);
    segment(SEGMENTS - 1, 5);
    const result = await judge();
    expect(result.codes).toContain('postgresql.wal.hole');
    expect(result.doneBytes).toBeLessThan(4 * GIB);
  });
});

it('log before the checkpoint of which every page is damaged costs no more than reading it a few times', async () => {
  cluster({ redo: FIRST + 64 * SEGMENT + 40, checkpoint: FIRST + 64 * SEGMENT + 40 });
  for (let i = 0; i < 64; i++) segment(i);
  segment(64, 3);
  const result = await judge();
  expect(result.doneBytes).toBeLessThan(3 * GIB);
});

it.each([0, 1])('half of the files are gone (those that are %i of 2)', async (which) => {
  cluster();
  for (let i = 0; i < 20; i++) segment(i, 3);
  for (let i = 0; i < 200; i++) guest.file(`/data/base/5/${16384 + i}`, 8192);
  for (const [i, path] of guest.paths.entries()) if (i % 2 === which && path.includes('.') === false && path.split('/').length > 3) guest.remove(path);
  const result = await judge();
  expect(result.instances === 0 || result.nothingWhole).toBe(true);
});

it('a control file of the other byte order is told as such, and nothing is called whole', async () => {
  cluster();
  const control = controlBytes(1300);
  guest.file('/data/global/pg_control', 8192, [{ offset: 0, bytes: control.swap32() }]);
  const result = await judge();
  expect(JSON.stringify(result.judgements)).toContain('other byte order');
  expect(result.nothingWhole).toBe(true);
});

describe('absurd numbers in a control file whose CRC is right', () => {
  const sizes: [number, number, number, number][] = [
    [0, 0, 0, 0],
    [2 ** 31, 131072, 8192, SEGMENT],
    [8192, 0xffffffff, 8192, SEGMENT],
    [8192, 131072, 2 ** 31, SEGMENT],
    [8192, 131072, 8192, 0],
    [8192, 131072, 8192, 2 ** 31],
    [8192, 131072, 1024, 1 << 20],
  ];
  it.each(sizes)('sizes %i %i %i %i', async (...choice) => {
    cluster({ sizes: choice });
    for (let i = 0; i < 3; i++) segment(i, 3);
    expect((await judge()).nothingWhole).toBe(true);
  });

  it.each([0, 1, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER, 2 ** 63])('recovery starts at %i', async (redo) => {
    cluster({ redo, checkpoint: redo });
    for (let i = 0; i < 3; i++) segment(i, 3);
    expect((await judge()).nothingWhole).toBe(true);
  });
});

it('relation files of numbers beyond every limit are looked at as far as they are', async () => {
  cluster();
  segment(0, 3);
  for (const name of ['4294967295', '4294967295.4294967295', '16384.131072', '16384_fsm.7', 't99999_16384', '99999999999'])
    guest.file(`/data/base/5/${name}`, 100);
  const result = await judge();
  expect(result.codes).toContain('postgresql.page.partial');
});

describe('links', () => {
  it.each([
    ['a loop', 'pg_wal'],
    ['a loop of two', '../other'],
    ['a way out of the guest', '../../../../../../etc'],
    ['a path of the host', '/etc'],
  ])('pg_wal is %s', async (_what, target) => {
    cluster();
    guest.remove('/data/pg_wal');
    guest.link('/data/pg_wal', target).link('/other', '/data/pg_wal');
    expect((await judge()).codes).toContain('postgresql.wal.folder-missing');
  });

  it('a relation file is one: it is not followed', async () => {
    cluster();
    segment(0, 3);
    guest.link('/data/base/5/16384', '/etc/passwd').link('/data/pg_tblspc/16400', '/data/pg_tblspc/16400');
    const result = await judge();
    expect(JSON.stringify(result.judgements)).toContain('pg_tblspc/16400');
    expect(result.nothingWhole).toBe(true);
  });
});
