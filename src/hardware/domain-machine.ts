/** The devices of a domain of libvirt as QEMU must be told of them, by the rules by which libvirt itself does. */
import type { SnapshotImage } from '../types.js';
import type { Domain, DomainDevice, DomainDisk } from './domain.js';
import { CARDS, CONTROLLERS, INPUTS, lookUp, number, portOf, SCREENS, SOUNDS, slotOf, usbOf } from './domain-drivers.js';
import type { Device } from './properties.js';
import { attribute, child } from './xml.js';

export interface DomainSlot {
  device: Device;
  /** As a stream names it; null for buses whose disks it does not name. */
  place: string | null;
  /** `vda` */
  target: string;
  /** Name of its file alone. */
  source: string | null;
}

export interface DomainMachine {
  devices: Device[];
  /** Disks with an image, in the domain's order, by their device: what the disks of the restore point are held against. */
  slots: DomainSlot[];
  /** What cannot be given: devices of the host, folders of the host. */
  leftOut: string[];
}

export function machineOfDomain(domain: Domain, machineType: string): DomainMachine {
  const builder = new DomainBuilder(domain, /q35/.test(machineType));
  for (const device of domain.devices.filter(({ kind }) => kind === 'controller')) builder.addController(device);
  for (const disk of domain.disks) builder.addDisk(disk);
  for (const device of domain.devices.filter(({ kind }) => kind !== 'controller')) builder.add(device);
  return { devices: builder.devices, slots: builder.slots, leftOut: builder.leftOut };
}

/** By slot: the disk whose file has the name that libvirt knows, else the next one in order; null when none is left. */
export function disksOf(slots: DomainSlot[], images: SnapshotImage[]): (string | null)[] {
  const fileOf = ({ layers }: SnapshotImage) => layers[0]?.path.slice(layers[0].path.lastIndexOf('/') + 1);
  const disks = slots.map(({ source }) => {
    const same = source === null ? [] : images.filter((image) => fileOf(image) === source);
    return same.length === 1 ? (same[0]?.name ?? null) : null;
  });
  const free = images.map(({ name }) => name).filter((name) => !disks.includes(name));
  return disks.map((disk) => disk ?? free.shift() ?? null);
}

/** Puts the disks into their places. Gives what is left out because there is no disk for it. */
export function giveDisks({ slots }: DomainMachine, images: SnapshotImage[]): string[] {
  const disks = disksOf(slots, images);
  for (const [index, { device }] of slots.entries()) device.drive = disks[index] ?? 'none';
  return slots.filter((_, index) => disks[index] === null).map(({ target }) => `the disk ${target.slice(0, 20)}, which is not in the restore point`);
}

class DomainBuilder {
  readonly devices: Device[] = [];
  readonly slots: DomainMachine['slots'] = [];
  readonly leftOut: string[] = [];
  /** Address of each PCI controller, for the place of what hangs on it. */
  private readonly buses: Map<number, Record<string, string>>;
  private readonly scsi: Map<number, Record<string, string>>;
  private nets = 0;
  private serials = 0;
  private screens = 0;
  private sounds = 0;

  constructor(
    domain: Domain,
    private readonly q35: boolean,
  ) {
    const addresses = (wanted: string) =>
      new Map(domain.devices.filter(({ kind, type }) => kind === 'controller' && type === wanted).map(({ index, address }) => [index, address]));
    this.buses = addresses('pci');
    this.scsi = addresses('scsi');
  }

  addController(controller: DomainDevice): void {
    const { type, model, index, element } = controller;
    if (/^pcie?-root$/.test(model) || type === 'ide' || type === 'ccid') return;
    if (type === 'fdc' || type === 'sata') {
      this.addPlainController(controller);
      return;
    }
    const driver = Object.hasOwn(CONTROLLERS, type) ? lookUp(CONTROLLERS[type] ?? {}, model) : null;
    if (!driver) {
      if (model !== 'none') this.leftOut.push(`the controller ${type} ${model}`);
      return;
    }
    const id = type === 'pci' ? `pci.${index}` : `${type}${index}`;
    const target = child(element, 'target');
    const device: Device = { driver, id: driver.startsWith('ich9-usb-uhci') ? `${id}-${driver.at(-1)}` : id, ...this.pci(controller.address) };
    if (type === 'pci') Object.assign(device, portOf(driver, index, attribute(target, 'port'), attribute(target, 'chassis')));
    if (type === 'usb') Object.assign(device, usbOf(driver, index, attribute(element, 'ports'), attribute(child(element, 'master'), 'startport')));
    this.devices.push(device);
  }

  private addPlainController({ type, index, address }: DomainDevice): void {
    if (type === 'fdc' && this.q35) this.devices.push({ driver: 'isa-fdc' });
    if (type === 'sata' && !this.isBuiltInSata(index)) this.devices.push({ driver: 'ich9-ahci', id: `sata${index}`, ...this.pci(address) });
  }

  private isBuiltInSata(index: number): boolean {
    return this.q35 && index === 0;
  }

  addDisk(disk: DomainDisk): void {
    const device = this.diskDevice(disk);
    if (!device) {
      if (disk.device !== 'floppy') this.leftOut.push(`the ${disk.device} ${disk.target}`);
      return;
    }
    if (disk.serial && disk.device === 'disk') device.serial = disk.serial;
    this.devices.push(device);
    if (disk.device === 'disk') this.slots.push({ device, place: this.placeOfDisk(disk), target: disk.target, source: disk.source });
  }

  private diskDevice({ bus, device, address }: DomainDisk): Device | null {
    const cd = device === 'cdrom';
    const [controller = '0', onBus = '0', target = '0', unit = '0'] = [address.controller, address.bus, address.target, address.unit];
    if (device !== 'disk' && !cd) return null;
    if (bus === 'virtio' && !cd) return { driver: 'virtio-blk-pci', ...this.pci(address) };
    if (bus === 'scsi')
      return { driver: cd ? 'scsi-cd' : 'scsi-hd', bus: `scsi${controller}.0`, channel: number(onBus), 'scsi-id': number(target), lun: number(unit) };
    if (bus === 'sata')
      return { driver: cd ? 'ide-cd' : 'ide-hd', bus: this.isBuiltInSata(number(controller)) ? `ide.${number(unit)}` : `sata${controller}.${number(unit)}` };
    if (bus === 'ide') return { driver: cd ? 'ide-cd' : 'ide-hd', bus: `ide.${number(onBus)}`, unit: number(unit) };
    return bus === 'usb' && !cd ? { driver: 'usb-storage', bus: 'usb0.0' } : null;
  }

  /** As a stream names it; null for buses whose disks a stream does not name. */
  private placeOfDisk({ bus, address }: DomainDisk): string | null {
    if (bus !== 'scsi') return bus === 'virtio' ? this.place(address) : null;
    const controller = this.scsi.get(number(address.controller ?? '0'));
    const place = controller ? this.place(controller) : null;
    return place === null ? null : `${place} ${number(address.bus ?? '0')}:${number(address.target ?? '0')}:${number(address.unit ?? '0')}`;
  }

  add(device: DomainDevice): void {
    const built = this.build(device);
    if (built === null) this.leftOut.push(`the device ${[device.kind, device.type, device.model].filter(Boolean).join(' ')}`);
    else this.devices.push(...built);
  }

  /** Empty: it is there without being asked for. Null: it cannot be given. */
  private build(device: DomainDevice): Device[] | null {
    const builders: Record<string, () => Device[] | null> = {
      interface: () => this.card(device),
      video: () => this.screen(device),
      input: () => this.input(device),
      sound: () => this.sound(device),
      serial: () => this.serial(device),
      channel: () => this.channel(device),
      watchdog: () => (device.model === 'i6300esb' ? [{ driver: device.model, ...this.pci(device.address) }] : []),
      memballoon: () => (device.model === 'none' ? [] : [{ driver: 'virtio-balloon-pci', ...this.pci(device.address) }]),
      rng: () => [{ driver: 'virtio-rng-pci', ...this.pci(device.address) }],
      panic: () => (device.model === 'isa' || device.model === '' ? [{ driver: 'pvpanic' }] : []),
      console: () => [],
    };
    return Object.hasOwn(builders, device.kind) ? (builders[device.kind]?.() ?? null) : null;
  }

  private card({ type, model, address, element }: DomainDevice): Device[] | null {
    const driver = model.startsWith('virtio') ? 'virtio-net-pci' : CARDS.includes(model) ? model : model === '' ? 'rtl8139' : null;
    if (!driver || type === 'hostdev') return null;
    const mac = attribute(child(element, 'mac'), 'address');
    return [{ driver, netdev: `net${this.nets++}`, ...(mac === null ? {} : { mac }), ...this.pci(address) }];
  }

  private screen({ address, element }: DomainDevice): Device[] | null {
    const type = attribute(child(element, 'model'), 'type') ?? '';
    const drivers = Object.hasOwn(SCREENS, type) ? SCREENS[type] : undefined;
    if (!drivers) return type === 'none' ? [] : null;
    return [{ driver: drivers[this.screens++ === 0 ? 0 : 1], ...this.pci(address) }];
  }

  private input({ type, address, element }: DomainDevice): Device[] | null {
    if (!['keyboard', 'mouse', 'tablet'].includes(type)) return null;
    const bus = attribute(element, 'bus') ?? '';
    const driver = lookUp(INPUTS, `${type} ${bus}`);
    if (!driver) return [];
    return [bus === 'usb' ? { driver, bus: 'usb0.0' } : { driver, ...this.pci(address) }];
  }

  private sound({ model, address }: DomainDevice): Device[] | null {
    const driver = lookUp(SOUNDS, model);
    if (!driver) return null;
    if (!driver.endsWith('hda')) return [{ driver, audiodev: 'audio0', ...this.pci(address) }];
    const id = `sound${this.sounds++}`;
    return [
      { driver, id, ...this.pci(address) },
      { driver: 'hda-duplex', bus: `${id}.0`, cad: 0, audiodev: 'audio0' },
    ];
  }

  private serial({ element, address }: DomainDevice): Device[] {
    const target = child(element, 'target');
    const chardev = `serial${this.serials++}`;
    if (attribute(target, 'type') === 'pci-serial') return [{ driver: 'pci-serial', chardev, ...this.pci(address) }];
    return [{ driver: 'isa-serial', chardev, index: Math.min(3, number(attribute(target, 'port') ?? '0')) }];
  }

  private channel({ element, address }: DomainDevice): Device[] {
    const target = child(element, 'target');
    if (attribute(target, 'type') !== 'virtio') return [];
    const name = attribute(target, 'name');
    return [
      {
        driver: 'virtserialport',
        bus: `virtio-serial${number(address.controller ?? '0')}.0`,
        nr: number(address.port ?? '1'),
        ...(name === null ? {} : { name }),
      },
    ];
  }

  /** Bus, slot and function; nothing when it has no address of its own. */
  private pci(address: Record<string, string>): Device {
    if (address.type !== 'pci') return {};
    const bus = number(address.bus ?? '0');
    const place = { bus: bus === 0 ? (this.q35 ? 'pcie.0' : 'pci.0') : `pci.${bus}`, addr: slotOf(address) };
    return address.multifunction === 'on' ? { ...place, multifunction: true } : place;
  }

  /** As a stream names it: `02.1:00.0`. */
  private place(address: Record<string, string>, depth = 0): string | null {
    if (address.type !== 'pci' || depth > 8) return null;
    const bus = number(address.bus ?? '0');
    if (bus === 0) return slotOf(address);
    const above = this.buses.get(bus);
    const place = above ? this.place(above, depth + 1) : null;
    return place === null ? null : `${place}:${slotOf(address)}`;
  }
}
