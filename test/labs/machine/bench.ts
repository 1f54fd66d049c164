/** Machines of one sector for tests: a disk image, a run's folder, and the lab. */
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine, MachineChoices } from '../../../src/labs/lab.js';
import { MachineSession } from '../../../src/labs/machine/index.js';
import { openSandbox, type SandboxSession } from '../../../src/labs/sandbox/index.js';
import { openWorkFolder, type WorkFolder } from '../../../src/process/work-folder.js';
import type { SnapshotImage } from '../../../src/types.js';
import type { Look, MachineDescription } from '../../../src/ways.js';
import { type Sector, sector } from './sectors.js';

export const never = new AbortController().signal;
export const DISK_BYTES = 64 * 2 ** 20;

export interface Bench {
  /** Of the test's own files: not below the run's folder. */
  folder: string;
  workFolder: WorkFolder;
  sandbox: SandboxSession;
  image: SnapshotImage;
  session: MachineSession;
  /** Boots the sector and lets it go. */
  boot(description?: Partial<MachineDescription>, choices?: Partial<MachineChoices>): Promise<Machine>;
  /** SHA-256 of the disk. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

/** @param overlayBytes largest overlay */
export async function openBench(name: Sector, overlayBytes = 2 ** 30): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'sp-machine-'));
  const image = await rawDisk(folder, name);
  const workFolder = await openWorkFolder();
  const sandbox = openSandbox();
  const session = new MachineSession({ images: [image], workFolder, sandbox, overlayBytes });
  return {
    ...{ folder, workFolder, sandbox, image, session },
    async boot(description = {}, choices = {}) {
      const machine = await session.start({ way: 'boot', description: { ...PC, ...description }, memory: null, network: false, ...choices }, never);
      await machine.run();
      return machine;
    },
    digest: async () =>
      createHash('sha256')
        .update(await readFile(image.layers[0]?.path ?? ''))
        .digest('hex'),
    async close() {
      await session.close();
      await sandbox.close();
      await workFolder.close();
      await rm(folder, { recursive: true });
    },
  };
}

export const PC: MachineDescription = {
  machineType: 'pc-i440fx-7.2',
  machineOptions: {},
  flashBytes: [],
  cpuModel: 'qemu64',
  cpus: 1,
  memoryMiB: 64,
  firmware: 'bios',
  devices: [{ driver: 'VGA', addr: '0x2' }, { driver: 'virtio-blk-pci', drive: 'disk0', addr: '0x3' }, { driver: 'isa-serial' }],
  origins: {},
  deviations: [],
};

export async function rawDisk(folder: string, name: Sector): Promise<SnapshotImage> {
  const path = join(folder, 'disk.raw');
  await writeFile(path, sector(name));
  const file = await open(path, 'r+');
  await file.truncate(DISK_BYTES);
  await file.close();
  const layer = { path, format: 'raw' as const, sizeBytes: DISK_BYTES, virtualSizeBytes: DISK_BYTES, promisedBytes: 0, backingPath: null, details: {} };
  return { name: 'disk0', format: 'raw', virtualSizeBytes: DISK_BYTES, layers: [layer], internalSnapshots: [], refused: null };
}

/** Looks again and again until it is as wanted. */
export async function lookUntil(machine: Machine, wanted: (look: Look) => boolean, timeoutMs = 15_000): Promise<Look> {
  for (const deadline = Date.now() + timeoutMs; ; ) {
    const look = await machine.look();
    if (wanted(look)) return look;
    if (Date.now() > deadline) throw new Error(`not seen within ${timeoutMs} ms; last look: ${JSON.stringify(look)}`);
    await sleep(100);
  }
}

/** What a sector counts. */
export async function counted(machine: Machine): Promise<number> {
  return (await machine.readMemory(0x600, 4)).readUInt32LE(0);
}
