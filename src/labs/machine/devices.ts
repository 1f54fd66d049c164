/**
 * The devices of a machine as QEMU's `-device` takes them here: their disks, cards and lines end at what the lab gives them,
 * and at nothing else, whatever the description says.
 */
import { LabError } from '../../errors.js';
import type { MachineDescription } from '../../ways.js';
import { overlayNodeName } from '../exposure/block-nodes.js';
import type { MachineRequest } from '../lab.js';

export type Device = Record<string, unknown> & { driver: string };

export interface PlacedDevices {
  devices: Device[];
  /** Disks of the restore point that are used, and the ids of the devices that have them. */
  disks: { disk: string; device: string }[];
  /** The netdev of every network card, and what it is: `net0`, `virtio-net-pci`. */
  cards: { netdev: string; driver: string; queues: number }[];
  /** Character devices besides the first serial line: connected to nothing. */
  deafLines: string[];
  /** Whether a sound device needs somewhere to play to. */
  sound: boolean;
  /** Whether the first serial line is there. */
  serial: boolean;
}

/** Ids of the lab's own parts. */
export const SERIAL_LINE = 'sp-serial';
export const SILENCE = 'sp-silence';

/** Would reach devices of this host, or load files: never part of a guest's own hardware. */
const OF_THE_HOST =
  /^(vfio|vhost|usb-host|usb-mtp|u2f-passthru|ccid-card|scsi-block|scsi-generic|ivshmem|loader|generic-loader|guest-loader|x-remote|nvdimm|tpm-)/;
const STOPS_AT_WRITE_ERRORS = /^(virtio-blk|ide-hd|scsi-hd|usb-storage)/;
const BOOTS = /^(virtio-blk|ide-hd|scsi-hd|usb-storage|nvme)/;
const SERIAL = /^(isa|pci)-serial$/;
const NEEDS_A_LINE = /^(isa-serial|pci-serial|isa-parallel|usb-serial|usb-braille|virtconsole|isa-debugcon|usb-redir)$/;
const PLAYS = /^(hda-(duplex|micro|output)|AC97|ES1370|sb16|adlib|cs4231a|gus|usb-audio|virtio-sound.*)$/;

/** @throws LabError for a device that reaches into the host or a disk that is not there */
export function placeDevices(description: MachineDescription, images: string[], way: MachineRequest['way']): PlacedDevices {
  const placed: PlacedDevices = { devices: [], disks: [], cards: [], deafLines: [], sound: false, serial: false };
  for (const described of description.devices) {
    const device = { ...described, driver: driverOf(described) };
    placeDisk(device, placed, images);
    placeCard(device, placed);
    placeLine(device, placed);
    placeSound(device, placed);
    placed.devices.push(device);
  }
  if (way === 'boot') prepareBoot(placed.devices, description.machineType);
  return placed;
}

function driverOf(device: Record<string, unknown>): string {
  const { driver } = device;
  if (typeof driver !== 'string' || !/^[\w.-]+$/.test(driver)) throw impossible(`a device without a driver: ${JSON.stringify(device).slice(0, 200)}`);
  if (OF_THE_HOST.test(driver)) throw impossible(`${driver}, which the lab gives to no guest`);
  if (typeof device.romfile === 'string' && device.romfile !== '') throw impossible(`${driver} with a ROM file of the host`);
  return driver;
}

function impossible(what: string): LabError {
  return new LabError({ code: 'machine.device', message: `The machine's hardware names ${what}.`, advice: 'Correct the hardware in restore-point.json.' });
}

/** Two disks of one name would be one disk with two writers. */
function placeDisk(device: Device, placed: PlacedDevices, images: string[]): void {
  const disk = device.drive;
  if (typeof disk !== 'string') return;
  if (!images.includes(disk)) throw impossible(`the disk "${disk}", and the restore point has none of this name`);
  if (placed.disks.some((used) => used.disk === disk)) throw impossible(`the disk "${disk}" twice`);
  device.id ??= `sp-${disk}`;
  device.drive = overlayNodeName(disk);
  placed.disks.push({ disk, device: String(device.id) });
  // The machine stops where the overlay may not grow, and the guest sees the errors of the disks as they were captured.
  if (STOPS_AT_WRITE_ERRORS.test(device.driver)) Object.assign(device, { werror: 'stop', rerror: 'report' });
}

function placeCard(device: Device, placed: PlacedDevices): void {
  if (device.netdev === undefined) return;
  const netdev = `net${placed.cards.length}`;
  device.netdev = netdev;
  placed.cards.push({ netdev, driver: device.driver, queues: queuePairs(device) });
}

/** A card with several queues has two interrupt vectors for each pair, and two more. */
function queuePairs(device: Device): number {
  const several = device.mq === true || device.mq === 'on';
  return several && typeof device.vectors === 'number' ? Math.max(1, Math.min(256, Math.floor((device.vectors - 2) / 2))) : 1;
}

function placeLine(device: Device, placed: PlacedDevices): void {
  if (SERIAL.test(device.driver) && !placed.serial) {
    placed.serial = true;
    device.chardev = SERIAL_LINE;
  } else if (device.chardev !== undefined || NEEDS_A_LINE.test(device.driver)) {
    const line = `sp-line${placed.deafLines.length}`;
    placed.deafLines.push(line);
    device.chardev = line;
  }
}

function placeSound(device: Device, placed: PlacedDevices): void {
  if (!PLAYS.test(device.driver)) return;
  placed.sound = true;
  device.audiodev = SILENCE;
}

/** Disks boot in their order. A panic is told where the guest knows the device; one that does not ignores it. */
function prepareBoot(devices: Device[], machineType: string): void {
  const bootable = devices.filter((device) => BOOTS.test(device.driver) && device.drive !== undefined);
  if (devices.every((device) => device.bootindex === undefined)) for (const [index, device] of bootable.entries()) device.bootindex = index + 1;
  const isPc = /^(pc|q35)\b/.test(machineType);
  if (isPc && !devices.some((device) => device.driver.startsWith('pvpanic'))) devices.push({ driver: 'pvpanic' });
}
