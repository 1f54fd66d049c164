/** A machine for disks of which nothing is known but what is on them. */
import type { OperatingSystem, SnapshotImage } from '../types.js';
import type { Device } from './properties.js';

export const DEFAULT_CPUS = 2;
export const DEFAULT_MEMORY_MIB = 2048;

export interface DefaultRequest {
  images: SnapshotImage[];
  /** What the manifest says of each disk: `virtio`, `scsi`, `sata`, `ide`, `nvme`; null: nothing. */
  buses: (string | null)[];
  systems: OperatingSystem[];
  network: boolean;
}

/** Systems of before 2008 know neither AHCI nor PCI Express: their disks were on IDE. */
export function defaultMachineType({ buses, systems }: DefaultRequest): 'pc' | 'q35' {
  const old = systems.some(({ kernels }) => kernels.length > 0 && kernels.every((kernel) => /(^|[^\d.])2\.[0-6]\./.test(kernel)));
  return old || buses.includes('ide') ? 'pc' : 'q35';
}

export function defaultDevices(request: DefaultRequest, machineType: string): Device[] {
  const devices: Device[] = [{ driver: 'VGA' }, { driver: 'isa-serial', index: 0, chardev: 'serial0' }];
  const places = new DiskPlaces(machineType);
  for (const [index, image] of request.images.entries()) devices.push(...places.place(image.name, busOf(request, index)));
  if (request.network) devices.push({ driver: prefersVirtio(request.systems) ? 'virtio-net-pci' : 'e1000', netdev: 'net0' });
  return devices;
}

/** Drivers of virtio are part of Linux; SATA is what everything else knows. Formats of other hypervisors come from machines without virtio. */
function busOf({ buses, systems, images }: DefaultRequest, index: number): string {
  const stated = buses[index];
  if (stated && /^(virtio|scsi|sata|ide|nvme)$/.test(stated)) return stated;
  const format = images[index]?.format;
  return prefersVirtio(systems) && (format === 'qcow2' || format === 'raw') ? 'virtio' : 'sata';
}

function prefersVirtio(systems: OperatingSystem[]): boolean {
  return systems.length > 0 && systems.every(({ type }) => type === 'linux');
}

/** Controllers come with the first disk that needs one. */
export class DiskPlaces {
  private scsi = 0;
  private ide = 0;
  private nvme = 0;

  constructor(private readonly machineType: string) {}

  place(drive: string, bus: string): Device[] {
    if (bus === 'virtio') return [{ driver: 'virtio-blk-pci', drive }];
    if (bus === 'nvme') return [{ driver: 'nvme', drive, serial: `nvme${this.nvme++}` }];
    if (bus === 'scsi') return this.onScsi(drive);
    const place = this.nextIde();
    return place ? [{ driver: 'ide-hd', drive, ...place }] : this.onScsi(drive);
  }

  /** Six ports of the q35's AHCI; of the pc's IDE two buses with two places each. Null when all are taken. */
  nextIde(): Device | null {
    const at = this.ide++;
    if (/q35/.test(this.machineType)) return at < 6 ? { bus: `ide.${at}` } : null;
    return at < 4 ? { bus: `ide.${at >> 1}`, unit: at & 1 } : null;
  }

  private onScsi(drive: string): Device[] {
    const target = this.scsi++;
    const disk = { driver: 'scsi-hd', drive, bus: 'scsi-disks.0', channel: 0, 'scsi-id': target, lun: 0 };
    return target === 0 ? [{ driver: 'virtio-scsi-pci', id: 'scsi-disks' }, disk] : [disk];
  }
}
