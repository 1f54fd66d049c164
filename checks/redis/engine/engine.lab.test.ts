/** The host's redis-server in the real sandbox, on copies of captures of a working server, whole and damaged. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSandbox } from '../../../src/labs/sandbox/index.js';
import type { Judgement } from '../../../src/types.js';
import { hostEngineContext } from '../../../test/labs/engine/host-engine.js';
import { sizeOf, writeAt } from '../../testing/damage.js';
import { treeOf } from '../../testing/folder-guest.js';
import { missingPackages, RealServer } from '../../testing/server.js';
import { redisFinder } from '../finder.js';
import check, { evaluateRecovery } from '../recovery/index.js';
import { Load, newFolder, serverArguments } from '../testing/load.js';
import { READING } from './command.js';
import { askServer } from './run.js';

const missing = missingPackages({ 'redis-server': 'redis-server' });
const folder = mkdtempSync(join(tmpdir(), 'snapproof-redis-engine-'));
const scratch = newFolder(folder, 'scratch');
const sandbox = openSandbox();
let copies = 0;
/** Captured while the server worked: with an append-only file, and a snapshot beside it. */
const captured = join(folder, 'captured', "it's $(odd)");

async function capture(): Promise<void> {
  const live = newFolder(folder, 'live');
  const settings = ['--appendonly', 'yes', '--auto-aof-rewrite-percentage', '0'];
  const server = new RealServer('redis-server', serverArguments(live, settings));
  const load = await server.until(() => existsSync(`${live}.sock`) && /ready to accept/i.test(server.output)).then(() => new Load(`${live}.sock`));
  try {
    load.send('BGREWRITEAOF');
    const rewritten = () => readdirSync(join(live, 'appendonlydir')).some((name) => /\.2\.base\.rdb$/.test(name));
    if (!(await server.until(rewritten, 60_000))) throw new Error(`the log was not rewritten: ${server.output.slice(-500)}`);
    const logged = () =>
      readdirSync(join(live, 'appendonlydir')).some((name) => name.endsWith('.incr.aof') && sizeOf(join(live, 'appendonlydir', name)) > 200_000);
    if (!(await server.until(logged, 60_000))) throw new Error('the log does not grow');
    load.send('BGSAVE');
    if (!(await server.until(() => existsSync(join(live, 'dump.rdb')), 60_000))) throw new Error('nothing was saved');
    mkdirSync(join(folder, 'captured'));
    await server.capture(live, captured);
  } finally {
    load.stop();
    await server.stop('SIGKILL');
  }
}

/** A guest that holds this folder, and perhaps settings that name it. */
function guest(change: (path: string) => void = () => undefined, settings: string[] = []): string {
  const home = join(folder, `guest${copies++}`);
  cpSync(captured, join(home, 'data'), { recursive: true });
  change(join(home, 'data'));
  if (settings.length > 0) {
    mkdirSync(join(home, 'etc'));
    writeFileSync(join(home, 'etc/redis.conf'), `dir /data\n${settings.join('\n')}\n`);
  }
  return home;
}

async function judge(home: string): Promise<Judgement> {
  const tree = await treeOf(home);
  const [instance] = await redisFinder.find(tree);
  if (!instance) throw new Error('no instance was found');
  const evidence = await check.collect({ kind: 'instance', id: instance.id, instance }, hostEngineContext({ files: tree.files, sandbox, scratch }) as never);
  expect(readdirSync(scratch)).toEqual([]);
  return evaluateRecovery(JSON.parse(JSON.stringify(evidence)));
}

/** What the policy asks, answered by the same start; keyed by the query. */
async function askAll(home: string, queries: string[], database: string | null = null): Promise<Record<string, string | null | (string | null)[][]>> {
  const tree = await treeOf(home);
  const [instance] = await redisFinder.find(tree);
  if (!instance) throw new Error('no instance was found');
  const questions = queries.map((query) => ({ id: query, instance: instance.id, database, query, timeoutSeconds: 30 }));
  const context = hostEngineContext({ files: tree.files, sandbox, scratch, questions });
  const answers: Awaited<ReturnType<typeof askAll>> = {};
  for (const question of questions) {
    const { error, rows, rowCount } = await askServer(instance, question, context as never);
    answers[question.id] = error ? `${error.kind}: ${error.text}` : rowCount === 1 ? (rows[0]?.[0] ?? null) : rows;
  }
  return answers;
}

/** The newest part of a kind that the manifest names. */
function part(data: string, kind: 'base.rdb' | 'incr.aof'): string {
  const inside = join(data, 'appendonlydir');
  const names = [...readFileSync(join(inside, 'appendonly.aof.manifest'), 'latin1').matchAll(/^file (\S+) seq \d+ type [bi]$/gm)].map(([, name]) => name ?? '');
  return join(inside, names.filter((name) => name.endsWith(kind)).at(-1) ?? '');
}
const cut = (path: string, bytes: number) => truncateSync(path, sizeOf(path) - bytes);

describe('Redis of the host, in the sandbox', () => {
  beforeEach((context) => {
    if (missing.length === 0) return;
    Object.assign(context.task.meta, { skipReason: `${missing.join(', ')} is missing` });
    context.skip();
  });
  beforeAll(async () => {
    if (missing.length === 0) await capture();
  }, 240_000);
  afterAll(async () => {
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('loads the append-only file of a hot capture and counts its keys', async () => {
    const judged = await judge(guest());
    expect(judged).toMatchObject({ outcome: 'pass', recovery: { needed: true, seconds: expect.any(Number) } });
    expect(['recoverable', 'lost-tail']).toContain(judged.instanceState);
    expect(judged.recovery?.bytes).toBeGreaterThan(200_000);
    expect(judged.summary).toMatch(/append-only file .* holds [1-9]\d* keys \(\d+ in database 0, \d+ in database 1, \d+ in database 2\)/);
    expect(judged.findings[0]).toMatchObject({ code: 'redis.recovery.engine', where: { engine: 'host' } });
    expect(judged.tested[0]?.how).toMatch(/Redis server v=\d.* in the sandbox, on a copy of \d+ bytes/);
  });

  it('loads the RDB file where the settings say so, and copies nothing else', async () => {
    const judged = await judge(guest(undefined, ['appendonly no']));
    expect(judged).toMatchObject({ outcome: 'pass', instanceState: 'clean', recovery: { needed: false } });
    expect(judged.summary).toContain('the RDB file dump.rdb');
    expect(judged.findings[0]?.where.copiedBytes).toBe(sizeOf(join(captured, 'dump.rdb')));
    expect(judged.findings).toContainEqual(expect.objectContaining({ message: 'redis-check-rdb finds the files sound.' }));
  });

  it('refuses a base file that is cut short', async () => {
    const judged = await judge(guest((data) => cut(part(data, 'base.rdb'), 40)));
    expect(judged).toMatchObject({ outcome: 'fail', instanceState: 'damaged', summary: expect.stringContaining('does not start') });
    expect(judged.findings).toContainEqual(expect.objectContaining({ code: 'redis.recovery.log', severity: 'critical' }));
    expect(judged.findings).toContainEqual(expect.objectContaining({ code: 'redis.recovery.tool', severity: 'warning' }));
  });

  it('tells that a tail was cut off, and refuses it where the settings do', async () => {
    const torn = (data: string) => appendFileSync(part(data, 'incr.aof'), '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nab');
    const told = await judge(guest(torn));
    expect(told).toMatchObject({ outcome: 'pass', instanceState: 'lost-tail' });
    expect(told.findings).toContainEqual(expect.objectContaining({ code: 'redis.recovery.tail', severity: 'warning' }));
    expect(await judge(guest(torn, ['appendonly yes', 'aof-load-truncated no']))).toMatchObject({ outcome: 'fail', instanceState: 'lost-tail' });
  });

  it.each([
    ['zeroes at the end of the log', (data: string) => appendFileSync(part(data, 'incr.aof'), Buffer.alloc(4096))],
    ['a part that is missing', (data: string) => rmSync(part(data, 'incr.aof'))],
    ['bytes of the base file overwritten', (data: string) => writeAt(part(data, 'base.rdb'), sizeOf(part(data, 'base.rdb')) - 20, Buffer.alloc(12, 0xee))],
  ])('refuses %s', async (_name, change) => {
    expect(await judge(guest(change))).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
  });

  it('answers what the policy asks, in the start that recovers it', async () => {
    const resp = (...words: string[]) => `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
    const home = guest((data) => {
      const commands = [
        ['SELECT', '7'],
        ['SET', 'greeting', 'it\'s "hé\nllo" $(reboot)'],
        ['SET', 'empty', ''],
        ['RPUSH', 'queue', 'one', '(nil)', '2) "x"'],
        ['HSET', 'order:1', 'total', '12.50'],
        ['ZADD', 'board', '1', 'a', '2', 'b'],
      ];
      appendFileSync(part(data, 'incr.aof'), commands.map((words) => resp(...words)).join(''));
    });
    const queries = [
      'DBSIZE',
      'GET greeting',
      'GET empty',
      'GET nothing',
      'EXISTS queue nothing',
      'LLEN queue',
      'LRANGE queue 0 -1',
      'HGET order:1 total',
      'ZCARD board',
      'ZRANGE board 0 -1 WITHSCORES',
      'TYPE board',
      'SMEMBERS nothing',
      'LLEN board',
      'GET',
    ];
    expect(await askAll(home, queries, '7')).toEqual({
      DBSIZE: '5',
      'GET greeting': 'it\'s "hé\nllo" $(reboot)',
      'GET empty': '',
      'GET nothing': null,
      'EXISTS queue nothing': '1',
      'LLEN queue': '3',
      'LRANGE queue 0 -1': [['one'], ['(nil)'], ['2) "x"']],
      'HGET order:1 total': '12.50',
      'ZCARD board': '2',
      'ZRANGE board 0 -1 WITHSCORES': [['a'], ['1'], ['b'], ['2']],
      'TYPE board': 'zset',
      'SMEMBERS nothing': [],
      'LLEN board': expect.stringMatching(/^absent: \(error\) WRONGTYPE/),
      GET: expect.stringMatching(/^statement: \(error\) ERR wrong number/),
    });
    await expect(askAll(home, ['FLUSHALL'])).rejects.toThrow(/none of the commands/);
    expect(Number((await askAll(guest(), ['DBSIZE'])).DBSIZE)).toBeGreaterThan(0);
  });

  it('is asked only by commands that the server flags as reading', async () => {
    const live = newFolder(folder, 'flags');
    const server = new RealServer('redis-server', serverArguments(live, []));
    try {
      expect(await server.until(() => existsSync(`${live}.sock`) && /ready to accept/i.test(server.output))).toBe(true);
      const flags = (name: string) => execFileSync('redis-cli', ['-s', `${live}.sock`, 'command', 'info', name], { encoding: 'utf8' }).split('\n');
      expect([...READING].filter((name) => !flags(name).includes('readonly'))).toEqual([]);
    } finally {
      await server.stop('SIGKILL');
    }
  });

  it('answers nothing where it does not come up', async () => {
    await expect(
      askAll(
        guest((data) => cut(part(data, 'base.rdb'), 40)),
        ['DBSIZE'],
      ),
    ).rejects.toThrow(/did not come up/);
  });

  it('does not test what is of a newer format, or of a module', async () => {
    const newer = guest((data) => writeAt(join(data, 'dump.rdb'), 0, Buffer.from('REDIS0099')), ['appendonly no']);
    await expect(judge(newer)).rejects.toThrow(/could not be tried here.*version 99/);
    const module = guest((data) => {
      rmSync(part(data, 'incr.aof'));
      writeFileSync(part(data, 'incr.aof'), '*3\r\n$6\r\nBF.ADD\r\n$1\r\na\r\n$1\r\nb\r\n');
    });
    await expect(judge(module)).rejects.toThrow(/could not be tried here.*BF.ADD/);
  });
});
