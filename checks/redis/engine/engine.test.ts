import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/source.js';
import { contextOver, treeOf } from '../../testing/folder-guest.js';
import { redisFinder } from '../finder.js';
import { readRdbHead } from '../format/rdb.js';
import { evaluateRecovery } from '../recovery/index.js';
import { redisEngine } from './description.js';
import { parseEngineRun } from './parse.js';
import { kindOf } from './server-log.js';
import { whatToLoad } from './what-to-load.js';

const folder = mkdtempSync(join(tmpdir(), 'snapproof-redis-engine-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let homes = 0;

const text = (value: string) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
const note = (name: string, value: string) => Buffer.concat([Buffer.of(250), text(name), text(value)]);
const head = (magic: string, ...notes: [string, string][]) =>
  Buffer.concat([Buffer.from(magic), ...notes.map(([name, value]) => note(name, value)), Buffer.of(255)]);
const REDIS7 = head('REDIS0010', ['redis-ver', '7.0.15'], ['redis-bits', '64']);

/** What would be loaded of a folder with these files. */
async function choiceOf(files: Record<string, string | Buffer>) {
  const home = join(folder, `home${homes++}`);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), content);
  }
  const [instance, ...others] = await redisFinder.find(await treeOf(home));
  if (!instance || others.length > 0) throw new Error(`expected one instance, found ${others.length + 1}`);
  return whatToLoad(instance, contextOver(home, { options: {} }).labs.files);
}
const MANIFEST = 'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n';
const LOG = { 'data/appendonlydir/appendonly.aof.manifest': MANIFEST, 'data/appendonlydir/appendonly.aof.1.base.rdb': REDIS7 };
const conf = (...lines: string[]) => ({ 'etc/redis.conf': ['dir /data', ...lines, ''].join('\n') });

describe('what a server loads', () => {
  it('is what the settings say', async () => {
    const both = { ...LOG, 'data/dump.rdb': REDIS7 };
    expect(await choiceOf({ ...both, ...conf('appendonly no') })).toMatchObject({ load: { kind: 'rdb', file: 'dump.rdb' }, warning: null });
    expect(await choiceOf({ ...both, ...conf('appendonly yes', 'aof-load-truncated no') })).toMatchObject({
      load: { kind: 'aof', folder: 'appendonlydir', file: 'appendonly.aof', loadTruncated: false },
      writer: { family: 'redis', version: '7.0.15' },
    });
    const named = { 'data/shop.rdb': REDIS7, 'data/dump.rdb': REDIS7, ...conf('dbfilename shop.rdb') };
    expect(await choiceOf(named)).toMatchObject({ load: { file: 'shop.rdb' } });
    expect(await choiceOf({ 'data/dump.rdb': REDIS7, ...conf('appendonly yes') })).toMatchObject({
      load: { kind: 'rdb' },
      warning: expect.stringContaining('starts empty'),
    });
  });

  it('is what the files tell where there are no settings', async () => {
    expect(await choiceOf({ ...LOG, 'data/dump.rdb': REDIS7 })).toMatchObject({ load: { kind: 'aof' } });
    expect(await choiceOf({ 'data/appendonly.aof': '*1\r\n$4\r\nPING\r\n' })).toMatchObject({ load: { kind: 'aof', folder: null }, writer: null });
    expect(await choiceOf({ 'data/a.rdb': REDIS7 })).toMatchObject({ load: { file: 'a.rdb' } });
  });

  it('is not guessed', async () => {
    expect(await choiceOf({ 'data/a.rdb': REDIS7, 'data/b.rdb': REDIS7 })).toMatch(/2 RDB files/);
    expect(await choiceOf({ ...LOG, 'data/appendonlydir/other.aof.manifest': MANIFEST })).toMatch(/2 manifests/);
    expect(await choiceOf({ 'data/--loadmodule x.rdb': REDIS7 })).toMatch(/name/);
  });
});

describe('the head of an RDB file', () => {
  it('names its writer', async () => {
    expect(await readRdbHead(new BufferSource(REDIS7))).toEqual({ family: 'redis', version: 10, notes: { 'redis-ver': '7.0.15' } });
    expect(await readRdbHead(new BufferSource(head('VALKEY080', ['valkey-ver', '9.0.0'])))).toMatchObject({ family: 'valkey', version: 80 });
    expect(await readRdbHead(new BufferSource(Buffer.from('SQLite format')))).toBeNull();
  });

  it('never throws, whatever follows the magic', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const read = await readRdbHead(new BufferSource(Buffer.concat([Buffer.from('REDIS0010'), bytes])));
        expect(read?.version).toBe(10);
      }),
    );
  });
});

describe('the engine', () => {
  const limits = { startTimeoutMs: 1000, checkTimeoutMs: 1000 };
  const load = { kind: 'aof', folder: 'appendonlydir', file: 'appendonly.aof', loadTruncated: true } as const;

  it('is one of the same family and major version', () => {
    const redis = redisEngine({ load, writer: { family: 'redis', version: '7.0.15' }, warning: null }, limits);
    expect(redis.fits('Redis server v=7.2.1 sha=00000000:0')).toBe(true);
    for (const other of ['Redis server v=6.0.16 sha=0', 'Valkey server v=7.2.5', 'v=7.0', '']) expect(redis.fits(other)).toBe(false);
    const valkey = redisEngine({ load, writer: { family: 'valkey', version: '8.0.1' }, warning: null }, limits);
    expect(valkey).toMatchObject({ program: 'valkey-server', name: 'Valkey 8' });
    expect(redisEngine({ load, writer: null, warning: null }, limits).fits('Redis server v=7.0.15')).toBe(false);
  });

  it('gets a copy of what it loads and of nothing else', () => {
    const { leaveOut } = redisEngine({ load, writer: null, warning: null }, limits);
    expect(['appendonlydir/appendonly.aof.1.base.rdb', 'dump.rdb', 'appendonlydir/temp-rewriteaof-1.aof', 'photos/1.jpg'].map(leaveOut)).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });

  it('is kept apart, whatever its folder is called', () => {
    const scene = { binaries: '/usr/bin', dataFolder: "/srv/it's $(here)", parts: {}, runFolder: '/run/x', identity: 'root' as const };
    const script = redisEngine({ load, writer: null, warning: null }, limits).script(scene);
    for (const setting of ['--port 0', "--save ''", '--auto-aof-rewrite-percentage 0', "D='/srv/it'\\''s $(here)'"]) expect(script).toContain(setting);
    expect(script).not.toMatch(/loadmodule|replicaof|\.conf/);
  });
});

describe('its log', () => {
  it.each([
    ['1:M 22 Nov 2026 # WARNING Memory overcommit must be enabled! Without it ... cause failures without low memory condition', 'noise'],
    ['1:M 22 Nov 2026 # AOF a.incr.aof loaded anyway because aof-load-truncated is enabled', 'tail'],
    ['1:M 22 Nov 2026 # Revert incomplete MULTI/EXEC transaction from AOF file a.incr.aof', 'tail'],
    ['1:M 22 Nov 2026 # Short read or OOM loading DB. Unrecoverable error, aborting now.', 'place'],
    ['1:M 22 Nov 2026 # Fatal error: the truncated file is not the last file', 'damage'],
    ['1:M 22 Nov 2026 * DB loaded from disk: 0.001 seconds', 'noise'],
    ['*** FATAL CONFIG FILE ERROR (Redis 5.0.14) ***', 'place'],
    ['1:M 22 Nov 2026 # Fatal error loading the DB: Invalid argument. Exiting.', 'other'],
    ['1:M 22 Nov 2026 # Terminating server after rdb file reading failure.', 'other'],
    ['1:M 22 Nov 2026 # Something new', 'other'],
  ])('%s is %s', (line, kind) => {
    expect(kindOf(line)).toBe(kind);
  });

  it('never makes the parser throw, stays small, and what did not answer never passes', () => {
    const word = fc.constantFrom(
      '@@ ',
      'up',
      'databases 9e9',
      'log: ',
      'late: ',
      'keys: ',
      'db0:keys=',
      '999999999999999',
      ',expires=1',
      'tool: ',
      'tool rdb',
      ' # ',
      '\n',
      '\0',
      'corrupt',
    );
    const any = fc.array(fc.oneof(word, fc.string({ unit: 'binary' })), { maxLength: 200 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(any, (stdout) => {
        const run = parseEngineRun(stdout, load);
        expect(JSON.stringify(run).length).toBeLessThan(100_000);
        const judged = evaluateRecovery(JSON.parse(JSON.stringify(run)));
        expect(['pass', 'fail']).toContain(judged.outcome);
        if (!run.up) expect(judged.outcome).toBe('fail');
      }),
    );
  });

  const load = { kind: 'rdb', file: 'dump.rdb' } as const;
});
