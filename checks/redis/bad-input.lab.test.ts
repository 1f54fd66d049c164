/** What no healthy server writes: the checks end, say what is wrong, and their evidence stays small. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Check } from '../../src/check.js';
import { judgeMade } from '../testing/judge-made.js';
import { MadeGuest } from '../testing/made-guest.js';
import aof from './aof/index.js';
import { redisFinder } from './finder.js';
import rdb from './rdb/index.js';

const CHECKS = [rdb, aof] as Check[];
const WHOLE = Buffer.concat([Buffer.from('REDIS0011'), Buffer.from([0xfe, 0, 0, 1, 0x6b, 1, 0x76, 0xff]), Buffer.alloc(8)]);

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

const judge = () => judgeMade(guest, redisFinder, CHECKS);
const put = (path: string, bytes: Buffer, sizeBytes = bytes.length) => guest.file(path, sizeBytes, [{ offset: 0, bytes }]);
const withBody = (...bytes: number[]) => Buffer.concat([Buffer.from('REDIS0011'), Buffer.from([0xfe, 0, ...bytes])]);

it('10,000 RDB files in one folder: a part is judged, the rest is said', async () => {
  for (let i = 0; i < 10_000; i++) put(`/var/lib/redis/dump${i}.rdb`, WHOLE);
  const result = await judge();
  expect(result.instances).toBe(1);
  expect(JSON.stringify(result.judgements[0]?.untested)).toContain('9800 further');
  expect(result.evidence).toBeLessThan(500_000);
});

it('1,000 folders with an RDB file each are 1,000 instances, each judged', async () => {
  for (let i = 0; i < 1000; i++) put(`/srv/${i}/dump.rdb`, WHOLE);
  const result = await judge();
  expect(result.instances).toBe(1000);
  expect(result.evidence).toBeLessThan(5000);
});

it('10,000 manifests in one folder do not make evidence grow', async () => {
  const named = Buffer.from(Array.from({ length: 300 }, (_, i) => `file gone.${i + 1}.incr.aof seq ${i + 1} type i\n`).join(''));
  for (let i = 0; i < 10_000; i++) put(`/data/appendonlydir/a${i}.aof.manifest`, named);
  const result = await judge();
  expect(result.nothingWhole).toBe(true);
  expect(result.evidence).toBeLessThan(1_000_000);
});

describe('absurd lengths', () => {
  const huge = [0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
  it.each([
    ['a key', withBody(0, ...huge)],
    ['a list', withBody(1, 1, 0x6b, ...huge)],
    ['a hash', withBody(4, 1, 0x6b, ...huge)],
    ['a compressed string', withBody(0, 0xc3, ...huge, ...huge)],
    ['a number of the other byte order', withBody(0, 0x80, 1, 0, 0, 0, 0x6b)],
    ['a version', Buffer.from('REDIS9999')],
  ])('of %s', async (_what, bytes) => {
    put('/data/dump.rdb', bytes, 1 << 20);
    expect((await judge()).nothingWhole).toBe(true);
  });

  it.each(['*2147483647\r\n$1\r\nA\r\n', '*1\r\n$1099511627776\r\n', '*1\r\n$-1\r\n', '*99999999999999999999\r\n'])('of a command: %j', async (text) => {
    put('/data/appendonly.aof', Buffer.from(text), 1 << 20);
    expect((await judge()).judgements.some(({ findings }) => findings.length > 0)).toBe(true);
  });
});

it.each([0, 1])('half of the parts are gone (those that are %i of 2)', async (which) => {
  const parts = Array.from({ length: 50 }, (_, i) => i + 1);
  put('/data/appendonlydir/a.aof.manifest', Buffer.from(parts.map((i) => `file a.${i}.incr.aof seq ${i} type i\n`).join('')));
  for (const i of parts) if (i % 2 === which) put(`/data/appendonlydir/a.${i}.incr.aof`, Buffer.from('*1\r\n$4\r\nPING\r\n'));
  expect((await judge()).judgements.some(({ outcome }) => outcome === 'fail')).toBe(true);
});

it.each(['dump.rdb', '/etc/passwd', '../../../../etc/passwd'])('links to %s are not followed', async (target) => {
  guest.link('/data/dump.rdb', target).link('/data/appendonlydir/a.1.incr.aof', target);
  put('/data/appendonlydir/a.aof.manifest', Buffer.from('file a.1.incr.aof seq 1 type i\n'));
  const result = await judge();
  expect(result.nothingWhole).toBe(true);
  expect(JSON.stringify(result.judgements)).not.toContain('root:');
});
