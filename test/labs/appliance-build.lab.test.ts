/** On a new machine nothing is cached: the first launch builds the appliance, confined as every other. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applianceEnvironment } from '../../src/labs/acceleration.js';
import { ApplianceLab } from '../../src/labs/appliance/appliance.js';

test('the appliance is built into an empty cache and starts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'snapproof-build-'));
  const cache = await mkdtemp(join(tmpdir(), 'snapproof-cache-'));
  try {
    const environment = { ...(await applianceEnvironment()), LIBGUESTFS_CACHEDIR: cache };
    const request = { disks: [], workFolder: folder, memoryMiB: 1280, scratchBytes: 1024 * 1024 * 16, environment };
    const session = await new ApplianceLab().open(request, new AbortController().signal);
    const answer = await session.script('echo alive', { timeoutMs: 60_000 });
    await session.close();
    expect(answer.stdout).toBe('alive\n');
    expect((await readdir(cache)).length).toBeGreaterThan(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(cache, { recursive: true, force: true });
  }
});
