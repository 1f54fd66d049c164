/**
 * The machine's firmware. A BIOS is built into QEMU. UEFI is Debian's OVMF, in two flash chips: its code, and a throw-away copy of
 * empty variables. A resumed machine brings the contents of both, and of every ROM, in its memory: empty files of the same size do.
 */
import { copyFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MissingToolError } from '../../errors.js';
import { isReadable } from '../../process/readable.js';
import { installCommand } from '../../setup/debian.mjs';
import type { MachineDescription, MemoryFacts } from '../../ways.js';
import type { BlockNode } from '../exposure/block-nodes.js';
import type { Device } from './devices.js';
import { romPath } from './pci-path.js';

export interface Firmware {
  nodes: BlockNode[];
  machineOptions: string[];
  extra: string[];
}

/** Code and variables, best first: 4 MiB builds are what Debian's libvirt uses. */
const OVMF = [
  ['/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'],
  ['/usr/share/OVMF/OVMF_CODE.fd', '/usr/share/OVMF/OVMF_VARS.fd'],
] as const;
const BUILT_IN: Firmware = { nodes: [], machineOptions: [], extra: [] };
/** Larger than any ROM or flash chip of a PC. */
const MAX_ROM_BYTES = 64 * 2 ** 20;

export function hasUefi(): boolean {
  return OVMF.some((pair) => pair.every(isReadable));
}

/** @throws MissingToolError when UEFI is needed and not installed */
export async function bootFirmware(description: MachineDescription, folder: string): Promise<Firmware> {
  if (description.firmware === 'bios') return BUILT_IN;
  const pair = OVMF.find((files) => files.every(isReadable));
  if (!pair) throw missingUefi();
  const variables = join(folder, 'uefi-variables');
  await copyFile(pair[1], variables);
  return flash(pair[0], variables);
}

/** @param blocks of the saved memory: it holds what lies in the ROMs, and tells how large they are */
export async function resumeFirmware(blocks: MemoryFacts['blocks'], folder: string): Promise<Firmware> {
  const size = (name: string) => blocks.find((block) => block.name === name)?.sizeBytes ?? 0;
  if (size('system.flash0') > 0) {
    const [code, variables] = [join(folder, 'uefi-code'), join(folder, 'uefi-variables')];
    await emptyFile(code, size('system.flash0'));
    await emptyFile(variables, size('system.flash1'));
    return size('system.flash1') > 0 ? flash(code, variables) : flash(code, null);
  }
  if (size('pc.bios') === 0) return BUILT_IN;
  const bios = join(folder, 'bios');
  await emptyFile(bios, size('pc.bios'));
  return { ...BUILT_IN, extra: ['-bios', bios] };
}

/** Gives every PCI device a ROM of the size that the saved memory has for it. Changes the devices. */
export async function resumeRoms(devices: Device[], blocks: MemoryFacts['blocks'], folder: string): Promise<void> {
  for (const [index, device] of devices.entries()) {
    const path = romPath(device, devices);
    const block = path === null ? undefined : blocks.find(({ name }) => name.startsWith(`${path}/`) && name.endsWith('.rom'));
    if (!block) continue;
    device.romfile = join(folder, `rom${index}`);
    await emptyFile(String(device.romfile), block.sizeBytes);
  }
}

function flash(code: string, variables: string | null): Firmware {
  const chip = (name: string, filename: string, readOnly: boolean): BlockNode[] => [
    { driver: 'file', 'node-name': `${name}-file`, filename, 'read-only': readOnly },
    { driver: 'raw', 'node-name': name, file: `${name}-file`, 'read-only': readOnly },
  ];
  const nodes = [...chip('sp-code', code, variables !== null), ...(variables === null ? [] : chip('sp-variables', variables, false))];
  return { nodes, machineOptions: ['pflash0=sp-code', ...(variables === null ? [] : ['pflash1=sp-variables'])], extra: [] };
}

/** Sparse. */
async function emptyFile(path: string, sizeBytes: number): Promise<void> {
  await writeFile(path, '', { mode: 0o600 });
  await truncate(path, Math.min(sizeBytes, MAX_ROM_BYTES));
}

function missingUefi(): MissingToolError {
  const advice = `Install it with: ${installCommand(['ovmf'])}`;
  return new MissingToolError({ code: 'machine.uefi', message: 'This machine starts by UEFI, and the package ovmf is not installed.', advice });
}
