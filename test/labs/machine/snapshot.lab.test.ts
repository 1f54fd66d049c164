/** Machines on the disks as they were at an internal snapshot of qcow2, not as they are now. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openImages } from '../../../src/images/index.js';
import { MachineSession } from '../../../src/labs/machine/index.js';
import type { RestorePoint, SnapshotImage } from '../../../src/types.js';
import { type Bench, lookUntil, openBench, PC } from './bench.js';
import { sector } from './sectors.js';

const run = promisify(execFile);
let bench: Bench;
let path: string;
let session: MachineSession;
let image: SnapshotImage;

/** The snapshot `then, "1"` shows its text; the active layer spins. */
beforeAll(async () => {
  bench = await openBench('idle');
  path = join(bench.folder, 'disk.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', path, '32M']);
  await putSector('screen');
  await run('qemu-img', ['snapshot', '-c', 'then, "1"', path]);
  await putSector('spin');
  await run('qemu-img', ['snapshot', '-c', 'later', path]);
  const point: RestorePoint = {
    ...{ id: 'p', machine: 'm', takenAt: null, folder: bench.folder, source: {}, memory: null, hardware: null, declaredConsistency: 'unknown', configs: [] },
    disks: [{ path, format: 'qcow2', bus: null }],
  };
  [image] = (await openImages(point, [])) as [SnapshotImage];
  session = new MachineSession({ ...bench, images: [image], overlayBytes: 2 ** 30 });
});
afterAll(async () => {
  await session.close();
  await bench.close();
});

async function putSector(name: 'screen' | 'spin'): Promise<void> {
  const raw = join(bench.folder, 'sector');
  await writeFile(raw, sector(name));
  await run('qemu-io', ['-f', 'qcow2', '-c', `write -q -s ${raw} 0 512`, path]);
}

const start = (snapshot: string | null) => session.start({ way: 'boot', description: PC, memory: null, network: false, snapshot }, AbortSignal.timeout(60_000));

it.each([
  ['its name', 'then, "1"'],
  ['its id', '1'],
])('the disk is seen as it was then, by %s', async (_, snapshot) => {
  expect(image.internalSnapshots.map(({ name }) => name)).toEqual(['then, "1"', 'later']);
  const machine = await start(snapshot);
  await machine.run();
  await lookUntil(machine, ({ screen, disks }) => (screen?.text?.includes('Saä') ?? false) && (disks[0]?.reads ?? 0) > 0);
  await machine.discard();
});

it('the disk is seen as it is now without one', async () => {
  const machine = await start(null);
  await machine.run();
  await lookUntil(machine, ({ screen, disks }) => (screen?.text?.includes('Booting') ?? false) && (disks[0]?.reads ?? 0) > 0);
  expect((await machine.readMemory(0x7c00, 3)).toString('hex')).toBe('faebfe');
  await machine.discard();
});

it('a disk without the snapshot is of another moment', async () => {
  await expect(start('never taken')).rejects.toMatchObject({
    code: 'machine.snapshot',
    message: expect.stringContaining('disk0 has no internal snapshot "never taken"'),
  });
});
