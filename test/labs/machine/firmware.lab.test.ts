/** Firmware of a machine: UEFI from Debian's OVMF, and ROMs of another size than those of this host. */
import { createHash } from 'node:crypto';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasUefi } from '../../../src/labs/machine/firmware.js';
import type { MachineDescription } from '../../../src/ways.js';
import { type Bench, lookUntil, openBench, PC } from './bench.js';
import { runSource, savedMemory } from './saved.js';

const VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.fd';
const UEFI: MachineDescription = {
  ...PC,
  machineType: 'pc-q35-7.2',
  firmware: 'uefi',
  memoryMiB: 128,
  devices: [{ driver: 'VGA', addr: '0x2' }, { driver: 'isa-serial' }],
};
const digest = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
let bench: Bench;
beforeAll(async () => {
  bench = await openBench('idle');
});
afterAll(() => bench.close());

describe('UEFI', () => {
  it('starts, finds nothing to boot, and writes its variables to a copy', async () => {
    expect(hasUefi(), 'install ovmf').toBe(true);
    const before = await digest(VARIABLES);
    const machine = await bench.boot(UEFI);
    await lookUntil(machine, () => machine.serialText().includes('BdsDxe'), 120_000);
    await machine.discard();
    expect(await digest(VARIABLES)).toBe(before);
  });

  it('is gone on with from the saved memory alone, whatever firmware this host has', async () => {
    const variables = join(bench.folder, 'variables');
    await copyFile(VARIABLES, variables);
    const flash = ['OVMF_CODE_4M.fd', variables].map(
      (file, unit) => `if=pflash,format=raw,unit=${unit},file=${file.startsWith('/') ? file : `/usr/share/OVMF/${file},readonly=on`}`,
    );
    const source = await runSource(
      { ...UEFI, devices: [{ driver: 'VGA', addr: '0x2' }] },
      [],
      flash.flatMap((drive) => ['-drive', drive]),
    );
    await sleep(1_500);
    const path = await source.save();
    await source.end();
    const blocks = [
      { name: 'system.flash0', sizeBytes: 3_653_632 },
      { name: 'system.flash1', sizeBytes: 540_672 },
    ];
    const memory = savedMemory(path, blocks);
    const machine = await bench.session.start(
      { way: 'resume', description: { ...UEFI, devices: [{ driver: 'VGA', addr: '0x2' }] }, memory, network: false },
      AbortSignal.timeout(60_000),
    );
    await machine.run();
    await lookUntil(machine, ({ screen, guestMs }) => guestMs > 500 && screen !== null);
    await machine.discard();
    await rm(dirname(path), { recursive: true });
  });
});

describe('a ROM of another size', () => {
  const card = { driver: 'e1000', addr: '0x5', mac: '52:54:00:00:00:01' };
  const devices = [
    { driver: 'VGA', addr: '0x2' },
    { driver: 'pci-bridge', id: 'bridge', chassis_nr: 1, addr: '0x6' },
    card,
    { ...card, bus: 'bridge', addr: '0x1' },
  ];

  it('is taken from the saved memory, behind a bridge too', async () => {
    const large = devices.map((device) => (device.driver === 'e1000' ? { ...device, romsize: 2 ** 20 } : device));
    const source = await runSource({ ...PC, devices: large }, []);
    const path = await source.save();
    await source.end();
    const start = (blocks: { name: string; sizeBytes: number }[]) =>
      bench.session.start({ way: 'resume', description: { ...PC, devices }, memory: savedMemory(path, blocks), network: false }, AbortSignal.timeout(60_000));
    await expect(start([])).rejects.toMatchObject({ code: 'machine.refused', message: expect.stringMatching(/Size mismatch.*e1000\.rom/) });
    const machine = await start([
      { name: '0000:00:05.0/e1000.rom', sizeBytes: 2 ** 20 },
      { name: '0000:00:06.0:01.0/e1000.rom', sizeBytes: 2 ** 20 },
    ]);
    await machine.run();
    expect(await machine.look()).toMatchObject({ status: 'running' });
    await machine.discard();
    await rm(dirname(path), { recursive: true });
  });
});
