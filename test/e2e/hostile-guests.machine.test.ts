/** Guests that would fill this host or keep it busy for ever: a run of the program itself stays bounded, says why, and leaves nothing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { VerificationRecord } from '../../src/types.js';
import { sector } from '../labs/machine/sectors.js';
import { requireBuild, runCli } from './cli.js';
import { fingerprint, leftovers } from './traces.js';

const DISK_BYTES = 64 * 2 ** 20;
const POLICY = JSON.stringify({
  depth: 'boot',
  limits: { overlayBytes: 8 * 2 ** 20 },
  options: { 'machine/boot': { bootSeconds: 20, patienceSeconds: 10, powerSeconds: 10 } },
});

let place: string;
beforeAll(() => {
  requireBuild();
  place = mkdtempSync(join(tmpdir(), 'sh-'));
  writeFileSync(join(place, 'policy.json'), POLICY);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

it.concurrent.each([
  ['writer', 'writes without end', 3, /overlay|limit/i],
  ['talker', 'never stops talking on its serial line', 3, /answer|time/i],
  ['reset', 'restarts for ever', 1, /restart/i],
] as const)('%s: a guest that %s', async (name, _, exitCode, why) => {
  const [folder, temporary] = [join(place, name), join(place, `${name}-tmp`)];
  for (const path of [folder, temporary]) mkdirSync(path);
  const disk = Buffer.alloc(DISK_BYTES);
  sector(name).copy(disk);
  writeFileSync(join(folder, 'disk.raw'), disk);
  const original = await fingerprint(folder);

  const run = await runCli(['verify', folder, '--policy', join(place, 'policy.json'), '--json', '--state', join(place, `${name}-state`)], {
    env: { TMPDIR: temporary },
  });
  expect(run.exitCode, `${run.stdout}\n${run.stderr}`).toBe(exitCode);
  const [record] = (JSON.parse(run.stdout) as { records: VerificationRecord[] }).records;
  expect(record?.ways[0]?.why).toMatch(why);
  expect(run.peakBytes).toBeLessThan(512 * 2 ** 20);
  expect(await fingerprint(folder)).toEqual(original);
  expect(leftovers(temporary)).toEqual([]);
});
