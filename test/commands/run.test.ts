/** `run` on the command line: what a dry run shows, and what is refused before anything starts. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCommand } from '../../src/commands/run.js';
import { openLedger } from '../../src/ledger/index.js';
import { sampleRecord } from '../sample-record.js';
import { capture } from './streams.js';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'snapproof-run-'));
  mkdirSync(join(place, 'b/db1/2026-11-20'), { recursive: true });
  writeFileSync(join(place, 'b/db1/2026-11-20/disk.qcow2'), '');
});
afterEach(() => rmSync(place, { recursive: true }));

function policy(text: string): string {
  const path = join(place, 'nightly.yaml');
  writeFileSync(path, `sources: [{ folders: "b/{machine}/{takenAt}" }]\n${text}`);
  return path;
}

const LIBRARY = { checks: [], finders: [] };

it('a dry run says what would be done and why, and does nothing', async () => {
  const state = join(place, 'state');
  const { streams, out } = capture();
  const args = { policy: policy('machines: [{ match: [db1, mail], every: 7d }]\ncontrols: true\n'), state, dryRun: true };
  expect(await runCommand(args, LIBRARY, streams)).toBe(0);
  const text = out();
  expect(text).toMatch(/would verify 1 restore point of 2 machines/);
  expect(text).toMatch(/1\. db1, taken 2026-11-\S+, \S+b\/db1\/2026-11-20: depth recovery; chosen as latest, 1 of 1; the machine was never proven\./);
  expect(text).toMatch(/Known-bad controls/);
  expect(existsSync(state)).toBe(false);
});

it('it knows the ledger: what was proven, and what is overdue', async () => {
  const state = join(place, 'state');
  const ledger = openLedger(state);
  ledger.append(sampleRecord('r'));
  ledger.close();
  const { streams, out } = capture();
  const args = { policy: policy('machines: [{ match: [db1, mail], every: 7d }]\n'), state, dryRun: true, json: true };
  expect(await runCommand(args, LIBRARY, streams)).toBe(0);
  const document = JSON.parse(out());
  expect(document).toMatchObject({ schema: 'snapproof.drill-preview/v1', resumes: null, plan: { machines: ['db1', 'mail'] } });
  expect(document.lines.join('\n')).toMatch(/last proven at 2026-11-20T02:00:42\.000Z/);
  expect(document.lines.join('\n')).toMatch(/mail has not been proven within 7 days, and nothing of it is chosen: it would be overdue\./);
});

it('a wrong policy is refused with its line', async () => {
  const { streams } = capture();
  await expect(runCommand({ policy: policy('deadlin: 5h\n') }, LIBRARY, streams)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/line 2: unknown field "deadlin" \(did you mean "deadline"\?\)/),
  });
});
