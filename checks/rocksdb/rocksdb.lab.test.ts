/** Real RocksDB stores that ldb writes: captures while it writes raise no alarm, damage is found. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flipBit, randomFrom, sizeOf, swap, zero } from '../testing/damage.js';
import { judgeFolder } from '../testing/judge.js';
import { missingPackages, RealServer } from '../testing/server.js';
import rocksFiles from './files/index.js';
import { rocksFinder } from './finder.js';

const missing = missingPackages({ ldb: 'rocksdb-tools' });
const CAPTURES = Number(process.env.SNAPPROOF_CAPTURES ?? 8);
const folder = mkdtempSync(join(tmpdir(), 'snapproof-rocksdb-'));
const captures: string[] = [];
let copies = 0;

beforeEach((context) => {
  if (missing.length === 0) return;
  Object.assign(context.task.meta, { skipReason: `${missing.join(', ')} is missing` });
  context.skip();
});

/** Files come and go while it writes. */
const newestLogBytes = (path: string): number =>
  Math.max(0, ...readdirSync(path).map((name) => (name.endsWith('.log') ? (statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0) : 0)));

/** Writes until it is told to stop: new and changed keys, small buffers, so that tables are made and merged all the time. */
async function capturesOf(compression: string, count: number): Promise<string[]> {
  const live = join(folder, `live-${compression}`);
  const args = [`--db=${live}`, '--create_if_missing', `--compression_type=${compression}`, '--write_buffer_size=300000', '--file_size=300000', 'load'];
  const writer = new RealServer('ldb', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let step = 0;
  const feed = () => {
    const { stdin } = writer;
    if (!stdin || !writer.running) return;
    const lines = Array.from({ length: 500 }, () => `key${(step++ * 7919) % 50_000} ==> value ${step} ${'x'.repeat(step % 90)}\n`);
    if (stdin.write(lines.join(''))) setTimeout(feed, 3);
    else stdin.once('drain', feed);
  };
  writer.stdin?.on('error', () => undefined);
  feed();
  const taken: string[] = [];
  await writer.until(() => readdirSync(folder).includes(`live-${compression}`) && readdirSync(live).includes('CURRENT'));
  const tablesThere = () => readdirSync(live).filter((name) => name.endsWith('.sst'));
  for (let i = 0; i < count; i++) {
    await sleep(100 + ((i * 97) % 200));
    // Every second one when it has come further, however slow the machine is: tables were merged away, and a log has filled.
    const before = i % 2 === 1 ? tablesThere() : [];
    await writer.until(() => before.length === 0 || (before.some((name) => !tablesThere().includes(name)) && newestLogBytes(live) > 80_000), 60_000);
    const to = join(folder, `${compression}-${i}`);
    await writer.capture(live, to);
    taken.push(to);
  }
  await writer.stop('SIGKILL');
  return taken;
}

beforeAll(async () => {
  if (missing.length === 0) for (const compression of ['no', 'snappy', 'zlib', 'zstd']) captures.push(...(await capturesOf(compression, CAPTURES)));
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const judge = (path: string) => judgeFolder(path, rocksFinder, [rocksFiles]);
const howOf = (judged: Awaited<ReturnType<typeof judge>>) => judged.judgements['rocksdb/files']?.tested[0]?.how ?? '';
const of = (compression: string) => captures.filter((path) => path.includes(`/${compression}-`)).at(-1) ?? '';
const tables = (path: string) =>
  readdirSync(path)
    .filter((name) => name.endsWith('.sst'))
    .sort()
    .map((name) => join(path, name));
const logs = (path: string) =>
  readdirSync(path)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(path, name));
const manifest = (path: string) => join(path, readFileSync(join(path, 'CURRENT'), 'utf8').trim());

function copyOf(captured: string, change: (copy: string) => void): string {
  const copy = join(folder, `copy${copies++}`);
  cpSync(captured, copy, { recursive: true });
  change(copy);
  return copy;
}
const live = (captured: string) =>
  tables(captured).filter((path) =>
    spawnSync('ldb', [`--db=${captured}`, 'list_live_files_metadata'])
      .stdout.toString()
      .includes(path.split('/').at(-1) ?? ''),
  );

/** An earlier capture with a table that was merged away since: where all of them are still there, nothing tells that its MANIFEST is older. */
function olderThan(path: string): string {
  const there = readdirSync(path);
  const older = captures.filter((candidate) => candidate.includes('/no-'));
  return older.find((candidate) => live(candidate).some((table) => !there.includes(table.split('/').at(-1) ?? ''))) ?? '';
}

describe('captures of a store that is written', () => {
  it('raise no alarm', { timeout: 300_000 }, async () => {
    const most = { tables: '', log: 0 };
    for (const captured of captures) {
      const judged = await judge(captured);
      expect([captured, judged.why, judged.codes.filter((code) => code !== 'rocksdb.log-tail')]).toEqual([captured, [], []]);
      // zstd cannot be unfolded here, and that is said.
      if (!captured.includes('/zstd-')) expect(judged.untested).toEqual([]);
      most.tables = howOf(judged);
    }
    expect((await judge(of('zstd'))).untested.length).toBeGreaterThan(0);
    process.stdout.write(`${captures.length} captures; the last: ${most.tables}\n`);
  });
});

describe('damage', () => {
  it('of any block in use, by a bit, zeroes or a swap', { timeout: 300_000 }, async () => {
    const random = randomFrom(3);
    for (const compression of ['no', 'snappy', 'zlib']) {
      // A table that was just written may be smaller than the damage.
      const wide = live(of(compression)).filter((path) => sizeOf(path) > 20_000);
      expect(wide).not.toEqual([]);
      for (let i = 0; i < 8; i++) {
        const table = wide[i % wide.length] ?? '';
        const at = Math.floor(random() * (sizeOf(table) - 9000));
        const copy = copyOf(of(compression), (path) => {
          const target = join(path, table.split('/').at(-1) ?? '');
          if (i % 3 === 0) flipBit(target, at, i);
          else if (i % 3 === 1) zero(target, at, 512);
          else swap(target, at, at + 4096, 4096);
        });
        expect([table, at, (await judge(copy)).states]).toEqual([table, at, ['damaged']]);
      }
    }
  });

  /** Short logs may be of a moment in which their content had just been written to a table: nobody needs them. */
  const withLongLog = (): string => captures.filter((path) => path.includes('/no-') && sizeOf(logs(path).at(-1) ?? '') > 70_000).at(-1) ?? '';

  it.each<[string, string, string, (path: string) => void]>([
    ['a table missing', 'rocksdb.table-missing', 'non-atomic', (path) => unlinkSync(live(path)[0] ?? '')],
    ['a table cut', 'rocksdb.table-size', 'non-atomic', (path) => truncateSync(live(path)[0] ?? '', 1000)],
    ['the MANIFEST missing', 'rocksdb.manifest', 'non-atomic', (path) => unlinkSync(manifest(path))],
    ['the MANIFEST damaged', 'rocksdb.manifest', 'damaged', (path) => flipBit(manifest(path), 20)],
    ['CURRENT zeroed', 'rocksdb.current', 'damaged', (path) => zero(join(path, 'CURRENT'), 0, 16)],
    ['CURRENT empty', 'rocksdb.current', 'damaged', (path) => writeFileSync(join(path, 'CURRENT'), '')],
    ['a hole in the log', 'rocksdb.log-hole', 'damaged', (path) => zero(logs(path).at(-1) ?? '', 100, 600)],
    ['an older MANIFEST with newer tables', 'rocksdb.table-missing', 'non-atomic', (path) => cpSync(manifest(olderThan(path)), manifest(path))],
  ])('%s', { timeout: 300_000 }, async (_, code, state, change) => {
    const judged = await judge(copyOf(withLongLog(), change));
    expect([judged.codes.includes(code), judged.states, judged.failed]).toEqual([true, [state], true]);
  });

  it('a log that ends within a record is a lost tail', async () => {
    const copy = copyOf(withLongLog(), (path) => truncateSync(logs(path).at(-1) ?? '', sizeOf(logs(path).at(-1) ?? '') - 5));
    expect(await judge(copy)).toMatchObject({ failed: false, codes: ['rocksdb.log-tail'], states: ['lost-tail'] });
  });

  const isCorrupt = (path: string) => {
    const truth = spawnSync('ldb', [`--db=${path}`, 'scan', '--no_value'], { maxBuffer: 2 ** 28 });
    return truth.status !== 0 || /corrupt|failed|error/i.test(truth.stderr.toString());
  };

  it('a store that ldb calls corrupt never passes', { timeout: 300_000 }, async () => {
    const random = randomFrom(9);
    const table = { placed: 0, corrupt: 0, found: 0 };
    const captured = of('no');
    expect(isCorrupt(copyOf(captured, () => undefined))).toBe(false);
    const names = readdirSync(captured).filter((name) => /\.(sst|log)$|^MANIFEST|^CURRENT/.test(name));
    for (let i = 0; i < 30; i++) {
      const name = names[Math.floor(random() * names.length)] ?? '';
      const copy = copyOf(captured, (path) => flipBit(join(path, name), Math.floor(random() * sizeOf(join(path, name))), i % 8));
      const judged = await judge(copy);
      const corrupt = isCorrupt(copy);
      table.placed++;
      if (corrupt) table.corrupt++;
      if (judged.failed) table.found++;
      if (corrupt) expect([name, judged.failed || judged.codes.length > 0]).toEqual([name, true]);
      rmSync(copy, { recursive: true });
    }
    process.stdout.write(`${JSON.stringify(table)}\n`);
    expect(table.found).toBeGreaterThan(5);
  });
});
