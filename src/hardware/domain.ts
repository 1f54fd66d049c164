/**
 * A machine as libvirt describes it. Source: "Domain XML format" in libvirt's documentation. Everything in it is text of the backup:
 * what is taken is checked here or where it becomes a device.
 */
import { attribute, child, children, parseXml, type XmlElement } from './xml.js';

export interface DomainDisk {
  /** `vda` */
  target: string;
  bus: string;
  device: string;
  /** Name of the file alone. */
  source: string | null;
  /** On the bus of its controller; PCI for virtio. */
  address: Record<string, string>;
  serial: string | null;
}

export interface DomainDevice {
  kind: string;
  type: string;
  model: string;
  index: number;
  address: Record<string, string>;
  element: XmlElement;
}

export interface Domain {
  name: string | null;
  machineType: string | null;
  cpus: number | null;
  memoryMiB: number | null;
  cpuModel: string | null;
  /** Null: it says nothing of it. */
  firmware: 'bios' | 'uefi' | null;
  machineOptions: Record<string, 'on' | 'off'>;
  disks: DomainDisk[];
  devices: DomainDevice[];
}

const KIB_OF = new Map<string, number>([
  ...([
    ['b', 1 / 1024],
    ['bytes', 1 / 1024],
    ['k', 1],
    ['kib', 1],
    ['kb', 1000 / 1024],
    ['m', 1024],
    ['mib', 1024],
    ['mb', 1e6 / 1024],
  ] as const),
  ...([
    ['g', 2 ** 20],
    ['gib', 2 ** 20],
    ['gb', 1e9 / 1024],
    ['t', 2 ** 30],
    ['tib', 2 ** 30],
  ] as const),
]);
const DEVICES = new Set([
  ...['controller', 'interface', 'input', 'video', 'sound', 'watchdog', 'memballoon', 'rng', 'serial', 'channel', 'console', 'panic', 'parallel'],
  ...['hostdev', 'filesystem', 'tpm', 'shmem', 'vsock', 'smartcard', 'redirdev', 'hub'],
]);

/** The domain of a description: alone, or inside of a snapshot's or a saved status. Null: it is XML of something else. @throws FormatError */
export function parseDomain(text: string): Domain | null {
  const root = domainOf(parseXml(text), 0);
  if (!root) return null;
  const os = child(root, 'os');
  const devices = child(root, 'devices');
  return {
    name: child(root, 'name')?.text ?? null,
    machineType: attribute(child(os, 'type'), 'machine'),
    cpus: cpusOf(root),
    memoryMiB: memoryOf(child(root, 'memory')),
    cpuModel: cpuModelOf(child(root, 'cpu')),
    firmware: firmwareOf(os),
    machineOptions: optionsOf(root),
    disks: children(devices, 'disk').map(toDisk),
    devices: (devices?.children ?? []).filter(({ name }) => DEVICES.has(name)).map(toDevice),
  };
}

function domainOf(element: XmlElement, depth: number): XmlElement | null {
  if (element.name === 'domain' && child(element, 'devices')) return element;
  if (depth >= 2) return null;
  for (const part of element.children) {
    const found = domainOf(part, depth + 1);
    if (found) return found;
  }
  return null;
}

function cpusOf(root: XmlElement): number | null {
  const vcpu = child(root, 'vcpu');
  const count = Number(attribute(vcpu, 'current') ?? vcpu?.text.trim());
  return Number.isInteger(count) && count > 0 && count <= 4096 ? count : null;
}

function memoryOf(memory: XmlElement | undefined): number | null {
  const perUnit = KIB_OF.get((attribute(memory, 'unit') ?? 'KiB').toLowerCase());
  const value = Number(memory?.text.trim());
  if (!perUnit || !memory || !Number.isFinite(value) || value <= 0) return null;
  return Math.round((value * perUnit) / 1024);
}

/** As `-cpu` takes it. `host-passthrough` and `host-model` mean all that the host has: "max" is that for every accelerator. */
function cpuModelOf(cpu: XmlElement | undefined): string | null {
  if (!cpu) return null;
  const mode = attribute(cpu, 'mode') ?? 'custom';
  if (mode !== 'custom') return 'max';
  const model = child(cpu, 'model')?.text.trim();
  if (!model) return null;
  const features = children(cpu, 'feature').map((feature) => {
    const off = ['disable', 'forbid'].includes(attribute(feature, 'policy') ?? 'require');
    return `${attribute(feature, 'name')}=${off ? 'off' : 'on'}`;
  });
  return [model, ...features].join(',');
}

function firmwareOf(os: XmlElement | undefined): Domain['firmware'] {
  if (!os) return null;
  if (attribute(os, 'firmware') === 'efi' || child(os, 'nvram')) return 'uefi';
  const loader = child(os, 'loader');
  if (attribute(loader, 'type') === 'pflash') return 'uefi';
  return loader && /OVMF|AAVMF|edk2/i.test(loader.text) ? 'uefi' : 'bios';
}

function optionsOf(root: XmlElement): Domain['machineOptions'] {
  const options: Domain['machineOptions'] = {};
  const hpet = children(child(root, 'clock'), 'timer').find((timer) => attribute(timer, 'name') === 'hpet');
  if (attribute(hpet, 'present') === 'no') options.hpet = 'off';
  if (attribute(child(child(root, 'features'), 'vmport'), 'state') === 'off') options.vmport = 'off';
  return options;
}

function toDisk(disk: XmlElement): DomainDisk {
  const source = child(disk, 'source');
  const path = attribute(source, 'file') ?? attribute(source, 'dev') ?? attribute(source, 'volume');
  return {
    target: attribute(child(disk, 'target'), 'dev') ?? '',
    bus: attribute(child(disk, 'target'), 'bus') ?? '',
    device: attribute(disk, 'device') ?? 'disk',
    source: path === null ? null : path.slice(path.lastIndexOf('/') + 1),
    address: child(disk, 'address')?.attributes ?? {},
    serial: child(disk, 'serial')?.text.trim() ?? null,
  };
}

function toDevice(element: XmlElement): DomainDevice {
  const model = attribute(element, 'model') ?? attribute(child(element, 'model'), 'type') ?? '';
  return {
    kind: element.name,
    type: attribute(element, 'type') ?? '',
    model,
    index: Number(attribute(element, 'index') ?? 0) || 0,
    address: child(element, 'address')?.attributes ?? {},
    element,
  };
}
