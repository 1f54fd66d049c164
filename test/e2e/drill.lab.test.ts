/** A drill by the built program over real restore points: killed in the middle, interrupted, started twice. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DrillDocument } from '../../src/documents.js';
import { readLedger } from '../../src/ledger/index.js';
import { cutInHalf } from './bad-images.js';
import { CLI, requireBuild, runCli } from './cli.js';
import { makeGuestDisk } from './points.js';
import { fingerprint, leftovers, processesNaming } from './traces.js';

let place: string;
let temporary: string;
let state: string;
let policy: string;
let original: string[];

beforeAll(async () => {
  requireBuild();
  place = mkdtempSync(join(tmpdir(), 'sd-'));
  [temporary, state, policy] = [join(place, 't'), join(place, 'state'), join(place, 'nightly.yaml')];
  for (const folder of [temporary, state]) mkdirSync(folder);
  for (const machine of ['a', 'b', 'c', 'd']) mkdirSync(join(place, 'b', machine, '2026-11-20'), { recursive: true });
  for (const machine of ['a', 'b', 'd']) await makeGuestDisk(join(place, 'b', machine, '2026-11-20/disk.raw'), { 'etc/hostname': machine });
  await cutInHalf(join(place, 'b/c/2026-11-20'), 'qcow2');
  writeFileSync(policy, `sources: [{ folders: "b/{machine}/{takenAt}" }]\nparallel: 1\nmachines: [{ match: "*", depth: static }]\n`);
  original = await fingerprint(join(place, 'b'));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

const run = (...more: string[]) => runCli(['run', policy, '--state', state, ...more], { env: { TMPDIR: temporary } });

interface Running {
  pid: number;
  exit: Promise<unknown[]>;
  stderr(): string;
}

/** Starts a run and waits until it says this. */
async function runUntil(text: string): Promise<Running> {
  const child = spawn(process.execPath, [CLI, 'run', policy, '--state', state], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (stderr += piece));
  const exit = once(child, 'close');
  for (let waited = 0; !stderr.includes(text); waited += 20) {
    if (child.exitCode !== null || waited > 240_000) throw new Error(`the drill never came to "${text}":\n${stderr}`);
    await sleep(20);
  }
  return { pid: child.pid as number, exit, stderr: () => stderr };
}

async function goneWithin(limitMs: number): Promise<void> {
  for (let waited = 0; processesNaming(temporary).length > 0 && waited < limitMs; waited += 100) await sleep(100);
}

it('killed, started twice, interrupted: it goes on, nothing is lost and nothing verified twice', async () => {
  const killed = await runUntil('b: begun');
  await sleep(3_000);
  process.kill(killed.pid, 'SIGKILL');
  await killed.exit;
  // The process that verifies sees its channel close, stops and cleans up by itself.
  await goneWithin(60_000);
  expect(processesNaming(temporary)).toEqual([]);

  const interrupted = await runUntil('b: begun');
  expect(interrupted.stderr()).toMatch(/Going on with drill .*, which was interrupted/);
  const second = await run();
  expect([second.exitCode, second.stderr]).toEqual([2, expect.stringContaining('Another run of this policy is at work')]);
  process.kill(-interrupted.pid, 'SIGINT');
  expect((await interrupted.exit)[0]).toBe(130);
  expect(leftovers(temporary)).toEqual([]);

  const last = await run('--json');
  const document = JSON.parse(last.stdout) as DrillDocument;
  expect([last.exitCode, document.verdict, document.resumed]).toEqual([1, 'failed', 2]);
  expect(document.items.map(({ machine, state, verdict }) => [machine, state, verdict])).toEqual([
    ['a', 'verified', 'passed'],
    ['b', 'verified', 'passed'],
    ['c', 'verified', 'failed'],
    ['d', 'verified', 'passed'],
  ]);
  const ledger = readLedger(state);
  const records = ledger?.history() ?? [];
  expect(records.map(({ record }) => [record.restorePoint.machine, record.drill?.id])).toEqual(['d', 'c', 'b', 'a'].map((machine) => [machine, document.id]));
  expect(ledger?.verify().ok).toBe(true);
  ledger?.close();
  expect(await fingerprint(join(place, 'b'))).toEqual(original);
  expect(leftovers(temporary)).toEqual([]);
});
