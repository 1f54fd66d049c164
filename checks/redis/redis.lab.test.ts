/** A real redis-server under load: captures at any instant raise no alarm, damage is found, and the server itself is the judge. */
import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flipBit, randomFrom, sizeOf, zero } from '../testing/damage.js';
import { type Judged, judgeFolder } from '../testing/judge.js';
import { missingPackages, RealServer } from '../testing/server.js';
import aof from './aof/index.js';
import { redisFinder } from './finder.js';
import rdb from './rdb/index.js';
import { Load, newFolder, serverArguments } from './testing/load.js';

const missing = missingPackages({ 'redis-server': 'redis-server' });
const CAPTURES = Number(process.env.SNAPPROOF_CAPTURES ?? 6);
const folder = mkdtempSync(join(tmpdir(), 'snapproof-redis-'));
const WITH_AOF = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--auto-aof-rewrite-percentage', '0'];
const MODES: Record<string, string[]> = {
  rdb: [],
  'rdb without checksum': ['--rdbchecksum', 'no'],
  aof: WITH_AOF,
  'aof without rdb preamble': [...WITH_AOF, '--aof-use-rdb-preamble', 'no', '--aof-timestamp-enabled', 'yes'],
};
let copies = 0;

beforeEach((context) => {
  if (missing.length === 0) return;
  Object.assign(context.task.meta, { skipReason: `${missing.join(', ')} is missing` });
  context.skip();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const judge = (path: string): Promise<Judged> => judgeFolder(path, redisFinder, [rdb, aof]);
const withAof = (mode: string) => mode.startsWith('aof');

/** Whether the server starts on a copy of these files. */
async function serverAccepts(captured: string, mode: string, settings: string[] = []): Promise<boolean> {
  const copy = join(folder, `truth${copies++}`);
  cpSync(captured, copy, { recursive: true });
  const server = new RealServer('redis-server', serverArguments(copy, [...(MODES[mode] ?? []), ...settings]));
  const ready = await server.until(() => /ready to accept/i.test(server.output));
  await server.stop('SIGKILL');
  rmSync(copy, { recursive: true, force: true });
  return ready;
}

async function capturesOf(mode: string, count: number): Promise<string[]> {
  const live = newFolder(folder, `live-${mode.replaceAll(' ', '-')}`);
  const server = new RealServer('redis-server', serverArguments(live, MODES[mode] ?? []));
  await server.until(() => existsSync(`${live}.sock`) && /ready to accept/i.test(server.output));
  const load = new Load(`${live}.sock`);
  const captures: string[] = [];
  try {
    for (let i = 0; captures.length < count; i++) {
      if (i === 0 || i % 2 === 1) load.send(withAof(mode) ? 'BGREWRITEAOF' : 'BGSAVE');
      await sleep(40 + ((i * 97) % 300));
      if (i === 0) await server.until(() => readdirSync(live).some((name) => name === 'dump.rdb' || name === 'appendonlydir'));
      const to = join(folder, `${mode.replaceAll(' ', '-')}-${i}`);
      await server.capture(live, to);
      captures.push(to);
    }
  } finally {
    load.stop();
    await server.stop('SIGKILL');
  }
  return captures;
}

/** The newest file of a kind that the manifest names: others are left-overs, and their names do not sort by number. */
const partNamed = (captured: string, pattern: RegExp) => {
  const inside = join(captured, 'appendonlydir');
  const manifest = readdirSync(inside).find((name) => name.endsWith('.manifest') && !name.startsWith('temp-')) ?? '';
  if (pattern.test(manifest)) return join(inside, manifest);
  const named = [...readFileSync(join(inside, manifest), 'latin1').matchAll(/^file (\S+) seq \d+ type [bi]$/gm)].map(([, name]) => name ?? '');
  return join(inside, named.filter((name) => pattern.test(name)).at(-1) ?? '');
};

/** Where a command begins, about the middle of a log: zeroes inside a long value alone are a value like any other. */
const commandNear = (path: string): number => {
  const bytes = readFileSync(path);
  return bytes.lastIndexOf('\r\n*', bytes.length / 2) + 2;
};

/** The damage, and whether what a server answers can change by it. */
const AOF_DAMAGE: Record<string, { codes: string[]; state: string; accepts: boolean; change(captured: string): void }> = {
  'a command cut at the end of the last file': {
    codes: ['redis.aof.tail'],
    state: 'lost-tail',
    accepts: true,
    change: (captured) => truncateSync(partNamed(captured, /incr\.aof$/), sizeOf(partNamed(captured, /incr\.aof$/)) - 3),
  },
  'zeroes at the end of the last file': {
    codes: ['redis.aof.zero-tail'],
    state: 'damaged',
    accepts: false,
    change: (captured) => appendFileSync(partNamed(captured, /incr\.aof$/), Buffer.alloc(4096)),
  },
  'a transaction without its end': {
    codes: ['redis.aof.tail'],
    state: 'lost-tail',
    accepts: true,
    change: (captured) => appendFileSync(partNamed(captured, /incr\.aof$/), '*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n'),
  },
  'a zeroed range inside the commands': {
    codes: ['redis.aof.structure'],
    state: 'damaged',
    accepts: false,
    change: (captured) => zero(partNamed(captured, /incr\.aof$/), commandNear(partNamed(captured, /incr\.aof$/)), 512),
  },
  'the base file cut': {
    codes: ['redis.rdb.structure'],
    state: 'damaged',
    accepts: false,
    change: (captured) => truncateSync(partNamed(captured, /base\.rdb$/), sizeOf(partNamed(captured, /base\.rdb$/)) - 100),
  },
  'the base file missing': {
    codes: ['redis.aof.missing'],
    state: 'non-atomic',
    accepts: false,
    change: (captured) => unlinkSync(partNamed(captured, /base\.rdb$/)),
  },
  'an empty manifest': {
    codes: ['redis.aof.manifest'],
    state: 'damaged',
    accepts: false,
    change: (captured) => truncateSync(partNamed(captured, /manifest$/), 0),
  },
};

describe('hot captures of a loaded server', () => {
  const seen = { captures: 0, underWay: 0, tails: 0, states: new Set<string>() };
  it.each(Object.keys(MODES))('%s: no alarm, and the server starts on each', { timeout: 300_000 }, async (mode) => {
    for (const captured of await capturesOf(mode, CAPTURES)) {
      const judged = await judge(captured);
      expect([captured, judged.why, judged.untested]).toEqual([captured, [], []]);
      seen.captures++;
      if (readdirSync(captured).some((name) => name.startsWith('temp-'))) seen.underWay++;
      if (judged.codes.includes('redis.aof.tail')) seen.tails++;
      for (const state of judged.states) seen.states.add(state);
      if (seen.captures % 3 === 0) expect(await serverAccepts(captured, mode)).toBe(true);
    }
    process.stdout.write(`${mode}: ${JSON.stringify({ ...seen, states: [...seen.states] })}\n`);
  });
});

describe('damage', () => {
  let aofCapture = '';
  let rdbCapture = '';
  beforeAll(async () => {
    if (missing.length > 0) return;
    const logBytes = (captured: string) => sizeOf(partNamed(captured, /incr\.aof$/));
    // Right after a rewrite the newest log is all but empty: nothing in it could be damaged.
    aofCapture = (await capturesOf('aof', 3)).reduce((fullest, one) => (logBytes(one) > logBytes(fullest) ? one : fullest));
    rdbCapture = (await capturesOf('rdb', 3)).at(-1) ?? '';
  }, 600_000);

  const damaged = (from: string, change: (captured: string) => void) => {
    const copy = join(folder, `damaged${copies++}`);
    cpSync(from, copy, { recursive: true });
    change(copy);
    return copy;
  };

  it.each(Object.entries(AOF_DAMAGE))('%s', { timeout: 300_000 }, async (_, { codes, state, accepts, change }) => {
    const copy = damaged(aofCapture, change);
    const judged = await judge(copy);
    expect(judged.codes).toEqual(expect.arrayContaining(codes));
    expect(judged.states).toContain(state);
    expect(judged.failed).toBe(!accepts);
    expect(await serverAccepts(copy, 'aof')).toBe(accepts);
  });

  it('bits flipped, blocks zeroed and tails cut anywhere in an RDB file', { timeout: 300_000 }, async () => {
    const random = randomFrom(7);
    const size = statSync(join(rdbCapture, 'dump.rdb')).size;
    for (let i = 0; i < 30; i++) {
      const at = Math.floor(random() * (size - 600));
      const change = [(path: string) => flipBit(path, at, i % 8), (path: string) => zero(path, at, 512), (path: string) => truncateSync(path, at)][i % 3];
      const copy = damaged(rdbCapture, (captured) => change?.(join(captured, 'dump.rdb')));
      if (readFileSync(join(copy, 'dump.rdb')).equals(readFileSync(join(rdbCapture, 'dump.rdb')))) continue;
      const judged = await judge(copy);
      expect([at, i % 3, judged.failed, judged.states]).toEqual([at, i % 3, true, ['damaged']]);
      if (i < 6) expect(await serverAccepts(copy, 'rdb')).toBe(false);
      rmSync(copy, { recursive: true });
    }
  });

  it('a tail that the server is told to refuse', { timeout: 300_000 }, async () => {
    const copy = damaged(aofCapture, AOF_DAMAGE['a command cut at the end of the last file']?.change ?? (() => undefined));
    appendFileSync(join(copy, 'redis.conf'), 'dir /\nappendonly yes\naof-load-truncated no\n');
    expect(await judge(copy)).toMatchObject({ failed: true, codes: ['redis.aof.tail'], states: ['lost-tail'] });
    expect(await serverAccepts(copy, 'aof', ['--aof-load-truncated', 'no'])).toBe(false);
  });
});
