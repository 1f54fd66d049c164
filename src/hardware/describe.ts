/**
 * The machine of a restore point, so that QEMU can be told to build it: field by field from the saved memory, else from libvirt's
 * description, else from the manifest, else a sensible default; and where these contradict each other.
 */
import { FormatError } from '../errors.js';
import type { Finding, Hardware, Inspection, SnapshotImage } from '../types.js';
import type { DescribedMachine, MachineDescription, MemoryFacts, Way } from '../ways.js';
import { contradictions, sayingsOf } from './contradictions.js';
import { defaultDevices } from './default-machine.js';
import { type Domain, parseDomain } from './domain.js';
import { type DomainMachine, giveDisks, machineOfDomain } from './domain-machine.js';
import { cpuModelOf, cpusOf, type FieldSources, firmwareOf, isPc, machineTypeOf, memoryOf, type Notes, type Origins } from './fields.js';
import { type ManifestMachine, machineOfManifest } from './manifest-machine.js';
import { admitDevice, type Device } from './properties.js';
import { savedMachine } from './saved-machine.js';

export interface HardwareRequest {
  way: Way;
  /** Null: there is no saved memory. */
  facts: MemoryFacts | null;
  manifest: Hardware | null;
  /** Texts of libvirt's descriptions that lie beside the disks. */
  domainXml: string[];
  /** In the order of the restore point, without those that were refused. */
  images: SnapshotImage[];
  /** What the manifest says of each image's bus. */
  buses: (string | null)[];
  /** What was found on the disks; null: nobody looked. */
  inspection: Pick<Inspection, 'tables' | 'volumes' | 'systems'> | null;
  /** Whether the first sector of the first disk holds code; null: nobody looked. */
  bootCode: boolean | null;
  /** What this host can give. `machineTypes`: as `-machine help` lists them; empty: not known. */
  host: { cpus: number; memoryMiB: number; machineTypes: string[] };
  network: boolean;
}

const MAX_DEVIATIONS = 20;

interface Sources extends FieldSources {
  domainMachine: DomainMachine | null;
  manifestMachine: ManifestMachine | null;
}

export function describeMachine(request: HardwareRequest): DescribedMachine {
  const findings: Finding[] = [];
  const sources = sourcesOf(request, findings);
  const origins: Origins = {};
  const deviations: string[] = [];
  const obstacles = request.way === 'resume' ? [...strangeMachine(request.facts), ...(sources.saved?.obstacles ?? [])] : [];
  const machineType = machineTypeOf(request, sources, origins, deviations);
  const description: MachineDescription = {
    machineType,
    machineOptions: sources.saved?.machineOptions ?? sources.domain?.machineOptions ?? {},
    cpuModel: cpuModelOf(sources, origins, deviations),
    cpus: cpusOf(request, sources, origins, deviations),
    memoryMiB: memoryOf(request, sources, { origins, deviations, obstacles }),
    firmware: firmwareOf(request, sources, origins),
    flashBytes: request.way === 'resume' ? (sources.saved?.flashBytes ?? []) : [],
    devices: devicesOf(request, sources, machineType, { origins, deviations }),
    origins,
    deviations,
  };
  deviations.splice(MAX_DEVIATIONS);
  return { description, findings, obstacles };
}

function sourcesOf(request: HardwareRequest, findings: Finding[]): Sources {
  const { manifest, images, buses } = request;
  const facts = request.facts?.container === 'unread' ? null : request.facts;
  const own = facts?.domainXml ? domainFrom(facts.domainXml, findings, 'critical') : null;
  const domain = own ?? request.domainXml.map((text) => domainFrom(text, findings, 'warning')).find((found) => found !== null) ?? null;
  const manifestMachine = manifest?.devices ? machineOfManifest(manifest.devices) : null;
  const domainMachine = domain ? machineOfDomain(domain, domain.machineType ?? facts?.machineType ?? '') : null;
  // Of a stream that was cut off, devices are missing that the machine had: nothing can be built or held against it.
  const whole = facts?.complete === true && facts.devices.length > 0;
  const saved = facts && whole ? savedMachine({ facts, images, buses, manifest: manifestMachine, domain: domainMachine }) : null;
  if (facts && whole) findings.push(...contradictions(facts, sayingsOf(manifest, domain, own !== null)), ...(saved?.findings ?? []));
  return { facts, domain, domainMachine, manifest, manifestMachine, saved };
}

/** A processor of another kind, or a machine that is no PC. */
function strangeMachine(facts: MemoryFacts | null): string[] {
  const type = facts?.machineType ?? null;
  return type === null || isPc(type) ? [] : [`the machine type ${JSON.stringify(type)} is none that can be built here`];
}

function domainFrom(text: string, findings: Finding[], severity: Finding['severity']): Domain | null {
  try {
    return parseDomain(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.push({ code: 'hardware.xml', severity, message: `A description of libvirt's cannot be used: ${error.message}.`, where: {} });
    return null;
  }
}

function devicesOf(request: HardwareRequest, sources: Sources, machineType: string, { origins, deviations }: Omit<Notes, 'obstacles'>): Device[] {
  const { saved, domainMachine, manifestMachine } = sources;
  const leave = (what: string[]) => deviations.push(...what.map((one) => `Left out: ${one}.`));
  if (saved) {
    origins.devices = 'stream';
    leave(saved.missing.map((name) => `the device ${name}`));
    return request.way === 'resume' ? admitted(saved.devices) : completed(admitted(saved.devices), request, machineType, deviations);
  }
  if (domainMachine) {
    origins.devices = 'libvirt';
    leave(domainMachine.leftOut);
    leave(giveDisks(domainMachine, request.images));
    return completed(admitted(domainMachine.devices), request, machineType, deviations);
  }
  if (manifestMachine && manifestMachine.devices.length > 0) {
    origins.devices = 'manifest';
    leave(manifestMachine.leftOut);
    return completed(manifestMachine.devices, request, machineType, deviations);
  }
  origins.devices = 'default';
  const { images, buses, network, inspection } = request;
  return defaultDevices({ images, buses, network, systems: inspection?.systems ?? [] }, machineType);
}

/** What was made here of hostile text still passes the one list. */
function admitted(devices: Device[]): Device[] {
  return devices.map((device) => admitDevice(device)?.device ?? null).filter((device) => device !== null);
}

/** Every disk of the restore point has its place, and a cold boot can be watched. */
function completed(devices: Device[], request: HardwareRequest, machineType: string, deviations: string[]): Device[] {
  const { images, buses, inspection } = request;
  const wanted = new Set(images.map(({ name }) => name));
  const kept = devices.filter(({ drive, driver }) => (drive === undefined ? !NEEDS_DRIVE.has(String(driver)) : wanted.has(String(drive))));
  const missing = images.map((image, index) => ({ image, bus: buses[index] ?? null })).filter(({ image }) => !kept.some(({ drive }) => drive === image.name));
  if (missing.length > 0) {
    const added = { images: missing.map(({ image }) => image), buses: missing.map(({ bus }) => bus), network: false, systems: inspection?.systems ?? [] };
    kept.push(...defaultDevices(added, machineType).filter(({ drive, id }) => drive !== undefined || id === 'scsi-disks'));
    deviations.push(`Where ${missing.map(({ image }) => image.name).join(', ')} belongs is not said: it was given a place.`);
  }
  if (!kept.some(({ driver }) => /vga|qxl|display|gpu/i.test(String(driver)))) kept.push({ driver: 'VGA' });
  if (!kept.some(({ driver }) => /serial$/.test(String(driver)))) kept.push({ driver: 'isa-serial', index: 0, chardev: 'serial0' });
  return kept;
}

const NEEDS_DRIVE = new Set(['virtio-blk-pci', 'scsi-hd', 'ide-hd', 'nvme', 'usb-storage']);
