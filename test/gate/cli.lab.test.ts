/** The built program: how its words are taken apart, its exit codes, and how long it looks in a large ledger. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ask } from '../../src/gate/ask.js';
import { toRequirements } from '../../src/gate/requirements.js';
import { collectStatus } from '../../src/gate/status.js';
import { nextEntry } from '../../src/ledger/entry.js';
import { canonicalJson, digestOf, ledgerPath, openLedger } from '../../src/ledger/index.js';
import { requireBuild, runCli } from '../e2e/cli.js';
import { sampleRecord } from '../sample-record.js';
import { makeWorld, recordOf } from './world.js';

beforeAll(requireBuild);
const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

describe('on the command line', () => {
  it('retain hands what stands after -- to the command, and gate opens for what stays', async () => {
    const world = await makeWorld(new Date());
    const backups = join(world.folder, 'backups');
    for (const [name, days] of [
      ['a', 9],
      ['b', 5],
      ['c', 1],
    ] as const) {
      const path = await world.point(name, { takenAt: daysAgo(days) });
      world.append(await recordOf(path, { startedAt: new Date().toISOString() }));
    }
    const retain = ['retain', backups, '--state', world.state, '--keep-last', '2', '--json'];
    const planned = await runCli(retain);
    expect([planned.exitCode, JSON.parse(planned.stdout)]).toMatchObject([0, { schema: 'snapproof.retain/v1', applied: null }]);
    expect((await readdir(backups)).sort()).toEqual(['a', 'b', 'c']);
    const applied = await runCli([...retain, '--apply', '--', 'rm', '-r', '--', '{}']);
    expect([applied.exitCode, JSON.parse(applied.stdout).applied.removals]).toEqual([
      0,
      [{ path: join(backups, 'a'), command: ['rm', '-r', '--', join(backups, 'a')], exitCode: 0 }],
    ]);
    expect((await readdir(backups)).sort()).toEqual(['b', 'c']);
    expect((await runCli(['gate', join(backups, 'c'), '--state', world.state, '--max-age', '1h'])).exitCode).toBe(0);
    expect((await runCli(['status', '--state', world.state])).stdout).toMatch(/^SNAPPROOF OK - 1 machine proven \| /);
    expect((await runCli(['status', '--no-such-option'])).exitCode).toBe(3);
    expect((await runCli(['gate', '--no-such-option', 'x'])).exitCode).toBe(2);
  });
  it('counts a signature, and asks for one', async () => {
    const world = await makeWorld(new Date());
    const path = await world.point('a', { takenAt: daysAgo(1) });
    world.append(await recordOf(path, { startedAt: new Date().toISOString() }));
    const gate = ['gate', path, '--state', world.state, '--require-signature'];
    expect((await runCli(gate)).exitCode).toBe(1);
    const made = await runCli(['keys', 'init', '--state', world.state]);
    expect(made).toMatchObject({ exitCode: 0 });
    expect((await runCli(['attest', '--state', world.state])).exitCode).toBe(0);
    expect((await runCli(gate)).exitCode).toBe(0);
    expect((await runCli([...gate, '--key', '0'.repeat(64)])).exitCode).toBe(1);
  });
});

describe('a ledger of 100,000 records', () => {
  it('answers the gate and status in less than a tenth of a second', async () => {
    const state = await mkdtemp(join(tmpdir(), 'snapproof-large-'));
    onTestFinished(() => rm(state, { recursive: true, force: true }));
    fill(state, 100_000);
    const ledger = openLedger(state);
    onTestFinished(() => ledger.close());
    const question = { ledger, requirements: toRequirements({ maxAge: '9000d', require: 'crash' }), signature: async () => null, now: new Date() };
    const sha256 = digestOf({ file: 54_321 });
    const byDigest = await timed(() => ask({ kind: 'digest', sha256 }, question));
    expect(byDigest.value).toMatchObject({ answer: 'proven', record: { document: { id: 'record-54321' } } });
    const byMachine = await timed(() => ask({ kind: 'machine', machine: 'vm-7' }, question));
    expect(byMachine.value).toMatchObject({ answer: 'proven' });
    const status = await timed(() => collectStatus(ledger, 'vm-7'));
    expect(status.value).toHaveLength(1);
    console.log(`digest ${byDigest.ms.toFixed(1)} ms, machine ${byMachine.ms.toFixed(1)} ms, status ${status.ms.toFixed(1)} ms`);
    for (const { ms } of [byDigest, byMachine, status]) expect(ms).toBeLessThan(100);
  });
});

/** The best of several: how long it takes, not how busy the machine is. */
async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  let best = Number.POSITIVE_INFINITY;
  let value = await work();
  for (let n = 0; n < 5; n++) {
    const start = performance.now();
    value = await work();
    best = Math.min(best, performance.now() - start);
  }
  return { value, ms: best };
}

/** As appending does it, in one transaction instead of 100,000. */
function fill(state: string, records: number): void {
  const ledger = openLedger(state);
  let head = ledger.head();
  ledger.close();
  const database = new Database(ledgerPath(state));
  database.pragma('synchronous = OFF');
  const insert = database.prepare(`INSERT INTO entries (seq, record_id, record, record_sha256, previous_hash, previous_record_id, appended_at, entry_hash)
    VALUES (@seq, @recordId, @text, @recordSha256, @previousHash, @previousRecordId, @appendedAt, @entryHash)`);
  const advance = database.prepare('UPDATE head SET count = @seq, hash = @entryHash, record_id = @recordId');
  database.transaction(() => {
    for (let n = 0; n < records; n++) {
      const text = canonicalJson(largeRecord(n));
      const entry = nextEntry(head, `record-${n}`, text, new Date().toISOString());
      insert.run({ ...entry, text });
      advance.run(entry);
      head = { count: entry.seq, hash: entry.entryHash, recordId: entry.recordId };
    }
  })();
  database.close();
}

function largeRecord(n: number): ReturnType<typeof sampleRecord> {
  const files = [{ role: 'disk' as const, path: 'root.qcow2', format: 'qcow2', sizeBytes: 1, sha256: digestOf({ file: n }) }];
  const startedAt = new Date(Date.now() - 1000);
  return sampleRecord(`record-${n}`, {
    files,
    startedAt,
    restorePoint: { id: `point-${n}`, machine: `vm-${n % 100}`, takenAt: new Date(Date.now() - 100_000 + n).toISOString() },
  });
}
