/** Makes ready what one machine needs before QEMU is started: its overlays, its firmware, its cards, and the command line for all of it. */
import { mkdir } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { LabError } from '../../errors.js';
import type { WorkFolder } from '../../process/work-folder.js';
import type { SnapshotImage } from '../../types.js';
import type { MachineRequest } from '../lab.js';
import type { SandboxSession, ServerRequest } from '../sandbox/index.js';
import { type CardPlan, planCards, wantsTap } from './cards.js';
import { memoryBytes, qemuArguments } from './command-line.js';
import { type PlacedDevices, placeDevices } from './devices.js';
import { diskNodes, type MachineDisk, makeDisks } from './disks.js';
import { bootFirmware, type Firmware, resumeFirmware, resumeRoms } from './firmware.js';
import { QEMU } from './launch.js';
import { tapsWork } from './taps.js';

export interface StartContext {
  /** The disks of the restore point. */
  images: SnapshotImage[];
  workFolder: WorkFolder;
  sandbox: SandboxSession;
  accelerator: 'kvm' | 'tcg';
  /** Largest overlay of one disk. */
  overlayBytes: number;
  /** The machine's own; short, for sockets. */
  folder: string;
  /** What must be ended with the machine, in the order in which it was begun. */
  ending: (() => Promise<void> | void)[];
}

export interface PreparedMachine {
  devices: PlacedDevices;
  disks: MachineDisk[];
  cards: CardPlan;
  command: Pick<ServerRequest, 'tool' | 'args' | 'capabilities'>;
}

/** Left to the host beside the guest's RAM. */
const SPARE_BYTES = 512 * 2 ** 20;

/** @throws LabError for hardware that this lab or this host cannot give */
export async function prepareMachine(request: MachineRequest, context: StartContext, signal: AbortSignal): Promise<PreparedMachine> {
  const { description } = request;
  const { folder } = context;
  assertMemoryFor(memoryBytes(description));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const devices = placeDevices(
    description,
    context.images.map((image) => image.name),
    request.way,
  );
  const disks = await makeDisks(
    context.images.filter((image) => devices.disks.some(({ disk }) => disk === image.name)),
    { ...context, snapshot: request.snapshot ?? null },
    signal,
  );
  const firmware = await firmwareFor(request, devices, folder);
  const canTap = devices.cards.some((card) => wantsTap(card, request.way)) && (await tapsWork(context.sandbox));
  const cards = planCards(devices.cards, request, folder, canTap);
  for (const device of devices.devices) if (!cards.netdevs.some(({ id }) => id === device.netdev)) delete device.netdev;
  const args = qemuArguments({
    ...{ description, devices, folder, accelerator: context.accelerator, clock: request.clock ?? 'real', netdevs: cards.netdevs },
    nodes: [...disks.flatMap(diskNodes), ...firmware.nodes],
    extra: [...firmware.extra, ...cards.extra],
    machineOptions: firmware.machineOptions,
    incoming: request.way === 'resume',
    strictBoot: request.way === 'boot',
  });
  return { devices, disks, cards, command: cards.around({ tool: QEMU, args }) };
}

async function firmwareFor(request: MachineRequest, devices: PlacedDevices, folder: string): Promise<Firmware> {
  if (request.way === 'boot') return bootFirmware(request.description, folder);
  const roms = join(folder, 'roms');
  await mkdir(roms, { mode: 0o700 });
  const blocks = request.memory?.facts.blocks ?? [];
  await resumeRoms(devices.devices, blocks, roms);
  return resumeFirmware(blocks, roms);
}

/** Without room for its RAM the host would have to kill somebody. */
function assertMemoryFor(ramBytes: number): void {
  const freeBytes = process.availableMemory?.() ?? freemem();
  if (ramBytes + SPARE_BYTES <= freeBytes) return;
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  throw new LabError({
    code: 'machine.memory',
    message: `The machine needs ${mib(ramBytes)} of memory, and this host has ${mib(freeBytes)} free.`,
    advice: 'End other programs, or verify this restore point on a host with more memory.',
  });
}
