/** A real etcd under load: captures raise no alarm, damage is found, and etcd itself says on which it starts. */
import { cpSync, mkdtempSync, readdirSync, rmSync, truncateSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flipBit, readAt, sizeOf, writeAt, zero } from '../testing/damage.js';
import { judgeFolder } from '../testing/judge.js';
import { missingPackages, RealServer } from '../testing/server.js';
import etcdLog from './etcd-log/index.js';
import { boltFinder } from './finder.js';
import structure from './structure/index.js';
import { EtcdLoad, etcdArguments } from './testing/etcd.js';

const missing = missingPackages({ etcd: 'etcd-server' });
const CAPTURES = Number(process.env.SNAPPROOF_CAPTURES ?? 10);
const COMMANDS_BETWEEN = 300;
const PAGE = 4096;
const folder = mkdtempSync(join(tmpdir(), 'snapproof-etcd-'));
const captures: string[] = [];
let copies = 0;

beforeEach((context) => {
  if (missing.length === 0) return;
  Object.assign(context.task.meta, { skipReason: `${missing.join(', ')} is missing` });
  context.skip();
});
beforeAll(async () => {
  if (missing.length > 0) return;
  const live = join(folder, 'live');
  const { args, client } = etcdArguments(live);
  const server = new RealServer('etcd', args, { env: { ...process.env, ETCD_UNSUPPORTED_ARCH: '' } });
  await server.until(() => EtcdLoad.answers(client));
  const load = new EtcdLoad(client);
  try {
    for (let i = 0; i < CAPTURES; i++) {
      // By what was done, not by time: a loaded machine must come as far.
      await server.until(() => load.answered >= (i + 1) * COMMANDS_BETWEEN, 60_000);
      await sleep(100 + ((i * 97) % 150));
      const to = join(folder, `capture${i}`);
      await server.capture(live, to);
      captures.push(to);
    }
  } finally {
    load.stop();
    await server.stop('SIGKILL');
  }
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const judge = (path: string) => judgeFolder(path, boltFinder, [structure, etcdLog]);
const store = (path: string) => join(path, 'member/snap/db');
const logs = (path: string) =>
  readdirSync(join(path, 'member/wal'))
    .filter((name) => name.endsWith('.wal'))
    .sort()
    .map((name) => join(path, 'member/wal', name));
const lastLog = (path: string) => logs(path).at(-1) ?? '';

function copyOf(captured: string): string {
  const copy = join(folder, `copy${copies++}`);
  cpSync(captured, copy, { recursive: true });
  return copy;
}

async function etcdStarts(captured: string): Promise<boolean> {
  const copy = copyOf(captured);
  const { args, client } = etcdArguments(copy);
  const server = new RealServer('etcd', args, { env: { ...process.env, ETCD_UNSUPPORTED_ARCH: '' } });
  const ready = await server.until(() => EtcdLoad.answers(client), 8000);
  await server.stop('SIGKILL');
  rmSync(copy, { recursive: true, force: true });
  return ready;
}

describe('hot captures of etcd under load', () => {
  it('raise no alarm, and etcd starts on them', { timeout: 300_000 }, async () => {
    const seen = { snapshots: 0, logs: 0, lastIndex: '' };
    for (const [i, captured] of captures.entries()) {
      const judged = await judge(captured);
      expect([captured, judged.why, judged.codes, judged.untested, judged.states]).toEqual([captured, [], [], [], ['clean', 'recoverable']]);
      seen.lastIndex = judged.judgements['bbolt/etcd-log']?.summary ?? '';
      seen.snapshots = readdirSync(join(captured, 'member/snap')).length - 1;
      seen.logs = logs(captured).length;
      if (i % 4 === 3) expect(await etcdStarts(captured)).toBe(true);
    }
    process.stdout.write(`${JSON.stringify(seen)}\n`);
    expect(seen.snapshots).toBeGreaterThan(0);
  });
});

/** The end of the log, by its frames. */
function frames(path: string): { at: number; end: number }[] {
  const found: { at: number; end: number }[] = [];
  for (let at = 0; at + 8 <= sizeOf(path); ) {
    const field = readAt(path, at, 8).readBigUInt64LE(0);
    if (field === 0n) break;
    const end = at + 8 + Number(field & 0xffffffffffffffn) + (field >> 63n ? Number((field >> 56n) & 7n) : 0);
    found.push({ at, end });
    at = end;
  }
  return found;
}
const frame = (path: string, fromEnd: number) => frames(path).at(-fromEnd) ?? { at: 0, end: 0 };

describe('damage', () => {
  it.each<[string, string, string, boolean, (path: string) => void]>([
    ['a bit in a record of the log', 'etcd.wal.record', 'damaged', false, (path) => flipBit(lastLog(path), frame(lastLog(path), 20).at + 20)],
    [
      'a hole in the log',
      'etcd.wal.hole',
      'damaged',
      false,
      // As much as there is: how far a loaded machine gets is not known, and only more than one unsynchronised write is a hole for certain.
      (path) => zero(lastLog(path), frames(lastLog(path))[5]?.at ?? 0, frame(lastLog(path), 1).at - (frames(lastLog(path))[5]?.at ?? 0) - 100),
    ],
    [
      'the end of the log lost',
      'etcd.store-newer',
      'non-atomic',
      false,
      (path) => {
        const all = frames(lastLog(path));
        const from = all[Math.floor(all.length / 2)]?.at ?? 0;
        zero(lastLog(path), from, (all.at(-1)?.end ?? 0) - from);
      },
    ],
    ['the last record torn', 'etcd.wal.tail', 'lost-tail', true, (path) => truncateSync(lastLog(path), frame(lastLog(path), 1).end - 3)],
    [
      'the log older than the store',
      'etcd.store-newer',
      'non-atomic',
      false,
      (path) => {
        rmSync(join(path, 'member/wal'), { recursive: true });
        cpSync(join(captures[1] ?? '', 'member/wal'), join(path, 'member/wal'), { recursive: true });
      },
    ],
    ['the store older than the log', 'etcd.store-older', 'non-atomic', false, (path) => cpSync(store(captures[0] ?? ''), store(path))],
    ['the log missing', 'etcd.wal.missing', 'non-atomic', false, (path) => void logs(path).map((name) => unlinkSync(name))],
    ['both meta pages lost', 'bbolt.meta', 'damaged', false, (path) => zero(store(path), 0, 2 * PAGE)],
  ])('%s', { timeout: 300_000 }, async (_, code, state, passes, change) => {
    const copy = copyOf(captures.at(-1) ?? '');
    change(copy);
    const judged = await judge(copy);
    if (process.env.SNAPPROOF_TRUTH) process.stdout.write(`${_}: etcd starts: ${await etcdStarts(copy)}\n`);
    expect([judged.codes.includes(code), judged.states.includes(state as never), judged.failed]).toEqual([true, true, !passes]);
  });

  it('one meta page lost: the other one is used', async () => {
    const copy = copyOf(captures.at(-1) ?? '');
    zero(store(copy), 0, PAGE);
    const judged = await judge(copy);
    expect(judged.judgements['bbolt/structure']).toMatchObject({ outcome: 'pass', instanceState: 'lost-tail' });
  });

  it('pages of the store zeroed: those in use are found', { timeout: 300_000 }, async () => {
    const captured = captures.at(-1) ?? '';
    const pages = sizeOf(store(captured)) / PAGE;
    const found = { zeroed: 0, alarms: 0, inUse: 0 };
    const reached = Number(/All (\d+) pages/.exec((await judge(captured)).judgements['bbolt/structure']?.summary ?? '')?.[1]);
    for (let page = 2; page < pages; page += Math.ceil(pages / 25)) {
      const copy = copyOf(captured);
      const before = readAt(store(copy), page * PAGE, PAGE);
      writeAt(store(copy), page * PAGE, Buffer.alloc(PAGE));
      if (before.every((byte) => byte === 0)) continue;
      found.zeroed++;
      if ((await judge(copy)).failed) found.alarms++;
      rmSync(copy, { recursive: true });
    }
    found.inUse = reached;
    process.stdout.write(`${JSON.stringify({ ...found, pages })}\n`);
    expect(found.alarms).toBeGreaterThan(0);
  });
});
