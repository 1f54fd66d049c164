/** The contract of all labs, kept by those that write: on a real image, with real tools. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MappedSource } from '../../src/bytes/source.js';
import { applianceEnvironment } from '../../src/labs/acceleration.js';
import { ApplianceLab, type ApplianceSession, deviceName } from '../../src/labs/appliance/appliance.js';
import { ExposureLab, type ExposureSession } from '../../src/labs/exposure/exposure.js';
import { openSandbox, type SandboxSession } from '../../src/labs/sandbox/index.js';
import type { SnapshotImage } from '../../src/types.js';
import { describeLabContract, type LabUnderTest } from './contract.js';

const DISK_BYTES = 32 * 2 ** 20;
const never = new AbortController().signal;
let sandbox: SandboxSession;

beforeAll(() => {
  sandbox = openSandbox();
});
afterAll(() => sandbox.close());

async function rawDisk(folder: string): Promise<SnapshotImage> {
  const path = join(folder, 'disk.raw');
  await writeFile(path, 'original');
  await truncate(path, DISK_BYTES);
  await promisify(execFile)('mkfs.ext4', ['-q', '-F', path]);
  const layer = { path, format: 'raw' as const, sizeBytes: DISK_BYTES, virtualSizeBytes: DISK_BYTES, promisedBytes: 0, backingPath: null, details: {} };
  return { name: 'disk0', format: 'raw', virtualSizeBytes: DISK_BYTES, layers: [layer], internalSnapshots: [], refused: null };
}

/** A folder with an original and a work folder of its own. */
async function bench(): Promise<{ folder: string; workFolder: string; image: SnapshotImage; original: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sp-contract-'));
  const workFolder = join(folder, 'work');
  await mkdir(workFolder);
  const image = await rawDisk(folder);
  return { folder, workFolder, image, original: image.layers[0]?.path ?? '' };
}

describeLabContract('exposure', async (): Promise<LabUnderTest<ExposureSession>> => {
  const { folder, workFolder, image, original } = await bench();
  return {
    open: (signal) => new ExposureLab().open({ images: [image], workFolder, sandbox }, signal),
    async use(session) {
      const source = new MappedSource(await session.current('disk0'));
      try {
        return await source.read(1080, 2);
      } finally {
        await source.close();
      }
    },
    originals: [original],
    workFolder,
    midOpeningMs: 80,
    dispose: () => rm(folder, { recursive: true }),
  };
});

describeLabContract('appliance', async (): Promise<LabUnderTest<ApplianceSession>> => {
  const { folder, workFolder, image, original } = await bench();
  const environment = await applianceEnvironment();
  const exposure = await new ExposureLab().open({ images: [image], workFolder, sandbox }, never);
  return {
    open: (signal) =>
      new ApplianceLab().open({ disks: [exposure.overlaySocket('disk0')], workFolder, memoryMiB: 768, scratchBytes: 2 ** 24, environment }, signal),
    // Writes, so that the overlay and not the original must take it.
    async use(session) {
      const made = await session.script(`set -e; mkdir -p /tmp/m; mount ${deviceName(0)} /tmp/m; echo written >/tmp/m/new; umount /tmp/m; sync`, {
        timeoutMs: 60_000,
      });
      if (made.exitCode !== 0) throw new Error(made.stderr);
    },
    originals: [original],
    workFolder,
    midOpeningMs: 3_000,
    async dispose() {
      await exposure.close();
      await rm(folder, { recursive: true });
    },
  };
});

it('the trial start of the appliance says that it is usable', async () => {
  expect(await new ApplianceLab().probe()).toEqual({ usable: true, why: 'the appliance starts' });
});
