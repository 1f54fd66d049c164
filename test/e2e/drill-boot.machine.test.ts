/** A drill that starts a real machine from its disks: the measured way back is held against what the policy allows. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureState } from '../../fixtures/states/ensure-state.js';
import type { DrillDocument } from '../../src/documents.js';
import { readLedger } from '../../src/ledger/index.js';
import { requireBuild, runCli } from './cli.js';
import { fingerprint, leftovers } from './traces.js';

let place: string;
let temporary: string;
let state: string;

beforeAll(async () => {
  requireBuild();
  place = mkdtempSync(join(tmpdir(), 'sb-'));
  [temporary, state] = [join(place, 't'), join(place, 'state')];
  for (const folder of [temporary, state, join(place, 'b/lives'), join(place, 'b/lost')]) mkdirSync(folder, { recursive: true });
  for (const [machine, name] of Object.entries({ lives: 'idle', lost: 'no-root' })) {
    const { folder } = await ensureState(name, { progress: () => undefined });
    cpSync(folder, join(place, 'b', machine, '2026-11-20'), { recursive: true });
  }
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

it('passes what comes to its work in time, and fails what does not', async () => {
  const policy = join(place, 'nightly.yaml');
  writeFileSync(policy, 'sources: [{ folders: "b/{machine}/{takenAt}" }]\nparallel: 1\nmachines: [{ match: "*", depth: boot, rto: 10m }]\n');
  const original = await fingerprint(join(place, 'b'));
  const drill = await runCli(['run', policy, '--state', state, '--json'], { env: { TMPDIR: temporary } });
  const { items, verdict } = JSON.parse(drill.stdout) as DrillDocument;
  expect([drill.exitCode, verdict], drill.stderr).toEqual([1, 'failed']);
  const [lives, lost] = items;
  expect([lives?.machine, lives?.verdict, lives?.rto?.met]).toEqual(['lives', 'passed', true]);
  expect([lost?.machine, lost?.verdict]).toEqual(['lost', 'failed']);

  const ledger = readLedger(state);
  const ways = ledger?.history().map(({ record }) => [record.restorePoint.machine, record.ways.map((way) => [way.way, way.state])]);
  expect(ways).toContainEqual(['lives', [['boot', 'alive']]]);
  ledger?.close();
  const page = join(place, 'night.html');
  expect((await runCli(['report', '--latest', '--out', page, '--state', state])).exitCode).toBe(0);
  expect(readFileSync(page, 'utf8')).toMatch(/lives[\s\S]*PASSED/i);
  expect(await fingerprint(join(place, 'b'))).toEqual(original);
  expect(leftovers(temporary)).toEqual([]);
});
