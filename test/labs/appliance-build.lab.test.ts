/** On a new machine nothing is cached: the first launch builds the appliance. What its own init must do is tried on it. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { applianceEnvironment } from '../../src/labs/acceleration.js';
import { ApplianceLab } from '../../src/labs/appliance/appliance.js';
import { applianceImage } from '../../src/labs/appliance/image.js';

test('the appliance is built into an empty cache and starts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'snapproof-build-'));
  const cache = await mkdtemp(join(tmpdir(), 'snapproof-cache-'));
  try {
    const environment = { ...(await applianceEnvironment()), LIBGUESTFS_CACHEDIR: cache, LIBGUESTFS_PATH: await applianceImage(cache) };
    const request = { disks: [], workFolder: folder, memoryMiB: 1280, scratchBytes: 1024 * 1024 * 16, environment };
    const session = await new ApplianceLab().open(request, new AbortController().signal);
    const limit = { timeoutMs: 60_000 };
    expect(await session.script('echo alive; echo problem >&2; exit 7', limit)).toMatchObject({
      exitCode: 7,
      stdout: 'alive\n',
      stderr: 'problem\n',
      timedOut: false,
    });
    expect((await session.script('head -c 300000 /dev/zero', limit)).stdout).toBe('\0'.repeat(300_000));
    expect((await session.script(`: ${'x'.repeat(200_000)}\necho long`, limit)).stdout).toBe('long\n');
    expect(await session.script('echo begun; trap "" TERM; sleep 60', { timeoutMs: 1_000 })).toMatchObject({ stdout: 'begun\n', timedOut: true });
    expect((await session.script('kill -KILL $BASHPID', limit)).exitCode).toBe(137);
    expect((await session.script('ls /dev/disk/guestfs; echo still here', limit)).stdout).toBe('scratch\nstill here\n');
    await session.close();
    expect(await readdir(cache)).toContain(basename(environment.LIBGUESTFS_PATH));
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(cache, { recursive: true, force: true });
  }
});
