/** The devices of a machine with saved memory: those of the stream, with what only others know of them, and the disks in their places. */
import { isRam } from '../memory/index.js';
import type { Finding, SnapshotImage } from '../types.js';
import type { MemoryFacts } from '../ways.js';
import { assignDisks } from './assign-disks.js';
import { DiskPlaces } from './default-machine.js';
import { type DomainMachine, disksOf } from './domain-machine.js';
import type { ManifestMachine } from './manifest-machine.js';
import { placesOf } from './places.js';
import type { Device } from './properties.js';
import { type DiskSlot, machineOfStream, type StreamMachine } from './stream-machine.js';

export interface SavedRequest {
  facts: MemoryFacts;
  images: SnapshotImage[];
  /** What the manifest says of each disk's bus. */
  buses: (string | null)[];
  manifest: ManifestMachine | null;
  domain: DomainMachine | null;
}

export interface SavedMachine extends StreamMachine {
  findings: Finding[];
  /** Why it cannot be continued as it is. */
  obstacles: string[];
}

/** Devices that save nothing, so that a stream does not know them. */
const SILENT = new Set(['pvpanic', 'ide-cd', 'ide-hd', 'scsi-cd', 'virtserialport', 'virtconsole', 'isa-serial', 'hda-duplex', 'hda-micro', 'hda-output']);
/** Of the machine that is built, not of the one that is described. */
const OWN = new Set(['id', 'bus', 'addr', 'drive', 'driver', 'netdev', 'chardev', 'audiodev', 'masterbus']);
const MIB = 2 ** 20;

export function savedMachine(request: SavedRequest): SavedMachine {
  const machine: SavedMachine = { ...machineOfStream(request.facts), findings: [], obstacles: [] };
  for (const name of machine.missing) machine.obstacles.push(`the machine had a device (${name}) that cannot be built here`);
  const rams = request.facts.blocks.filter(isRam);
  if (rams.length !== 1 || rams[0]?.name !== 'pc.ram') {
    machine.obstacles.push(
      `the RAM of the machine is in parts (${rams
        .map(({ name }) => name)
        .join(', ')
        .slice(0, 100)}), which cannot be built here`,
    );
  }
  merge(machine, request.manifest?.devices ?? [], true);
  merge(machine, request.domain?.devices ?? [], false);
  const said = [...(request.manifest?.devices ?? []), ...(request.domain?.devices ?? [])];
  if (said.some(({ driver }) => driver === 'pvpanic')) machine.devices.push({ driver: 'pvpanic' });
  placeDisks(machine, request);
  return machine;
}

/** What others know more of a device at the same place is added; what the stream says stays. */
function merge(machine: SavedMachine, said: Device[], contradicting: boolean): void {
  const saved = placesOf(machine.devices);
  for (const [place, device] of placesOf(said)) {
    const there = saved.get(place);
    if (there && isSameDriver(there.driver, device.driver)) {
      const more = Object.fromEntries(Object.entries(device).filter(([name]) => !OWN.has(name) && !(name in there)));
      Object.assign(there, more);
    } else if (contradicting && !SILENT.has(String(device.driver))) machine.findings.push(contradicted(place, device, there));
  }
}

const ALIASES: Record<string, string> = { ahci: 'ich9-ahci' };

function isSameDriver(saved: unknown, said: unknown): boolean {
  return saved === said || saved === ALIASES[String(said)];
}

function contradicted(place: string, said: Device, saved: Device | undefined): Finding {
  const there = saved ? `it was saved with a "${saved.driver}" there` : 'there was none when it was saved';
  const message = `The manifest says that the machine has a "${said.driver}" at PCI address ${place}, and ${there}: so described, its memory cannot be resumed.`;
  return { code: 'hardware.device', severity: 'critical', message, where: { address: place } };
}

function placeDisks(machine: SavedMachine, request: SavedRequest): void {
  const { images } = request;
  const { disks, left, wrongSize, reordered } = assignDisks(machine.slots, images, saidPlaces(request));
  for (const [index, slot] of machine.slots.entries()) fillSlot(machine, slot, disks[index] ?? null);
  for (const { slot, image } of wrongSize) machine.findings.push(wrongSizeFinding(slot, image));
  if (reordered) {
    const message = 'The sizes of the disks show that they stand in another order than the restore point says; the sizes were followed.';
    machine.findings.push({ code: 'hardware.disk-order', severity: 'warning', message, where: {} });
  }
  const places = new DiskPlaces(request.facts.machineType ?? '');
  for (const image of left) placeElsewhere(machine, image, places, request);
}

/** By place: the disk that belongs there. The manifest names it; libvirt knows their files or at least their order. */
function saidPlaces({ manifest, domain, images }: SavedRequest): Map<string, string> {
  const said = new Map<string, string>();
  for (const [place, { drive }] of placesOf(manifest?.devices ?? [])) if (typeof drive === 'string') said.set(place, drive);
  if (said.size > 0) return said;
  const disks = disksOf(domain?.slots ?? [], images);
  for (const [index, { place }] of (domain?.slots ?? []).entries()) {
    const disk = disks[index];
    if (place !== null && disk) said.set(place, disk);
  }
  return said;
}

function fillSlot(machine: SavedMachine, slot: DiskSlot, disk: string | null): void {
  if (disk !== null) {
    slot.device.drive = disk;
    return;
  }
  if (slot.device.driver === 'scsi-hd') {
    slot.device.driver = 'scsi-cd';
    return;
  }
  machine.devices.splice(machine.devices.indexOf(slot.device), 1);
  const size = slot.capacityBytes === null ? '' : ` of ${Math.ceil(slot.capacityBytes / MIB)} MiB`;
  const what = `the machine had a disk${size} at ${slot.place}, which is not in the restore point`;
  machine.obstacles.push(what);
  if (slot.perhapsCd) return;
  const message = `When its memory was saved, ${what}: resumed without it, the guest would lose that disk.`;
  machine.findings.push({ code: 'hardware.disk-missing', severity: 'critical', message, where: { address: slot.place } });
}

function wrongSizeFinding({ place, capacityBytes }: DiskSlot, image: SnapshotImage): Finding {
  const message = `The disk at ${place} had ${capacityBytes} bytes when the memory was saved, and ${image.name} has ${image.virtualSizeBytes}: they do not belong together.`;
  return { code: 'hardware.disk-size', severity: 'critical', message, where: { disk: image.name, address: place } };
}

/** A stream does not tell which disks hang on IDE and SATA: what has no other place can only be there. */
function placeElsewhere(machine: SavedMachine, image: SnapshotImage, places: DiskPlaces, { buses, manifest }: SavedRequest): void {
  const said = manifest?.devices.find(({ drive, driver }) => drive === image.name && (driver === 'ide-hd' || driver === 'usb-storage'));
  const bus = buses[Number(image.name.replace('disk', ''))] ?? null;
  const place = said ? null : places.nextIde();
  if (said?.driver === 'ide-hd') machine.devices.push({ ...said });
  else if (place && bus !== 'virtio' && bus !== 'scsi' && bus !== 'nvme' && machine.machineOptions.sata !== 'off') {
    machine.devices.push({ driver: 'ide-hd', drive: image.name, ...place });
  } else {
    const message = `${image.name} is in the restore point, and the machine had no such disk when its memory was saved.`;
    machine.findings.push({ code: 'hardware.disk-unknown', severity: 'critical', message, where: { disk: image.name } });
  }
}
