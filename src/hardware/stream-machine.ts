/**
 * The machine that a stream was saved from, as QEMU must be told to build it again: PCI devices at their addresses with the
 * properties that change what is saved, and what hangs on them.
 */
import { kindOf } from '../memory/index.js';
import type { MemoryFacts, StreamDevice } from '../ways.js';
import { driverOf } from './pci-drivers.js';
import type { Device } from './properties.js';

/** A disk that the machine had. */
export interface DiskSlot {
  device: Device;
  /** For people and for the manifest's devices: `03.0`, or `06.0 0:0:1` on a SCSI controller. */
  place: string;
  capacityBytes: number | null;
  /** It may be a CD drive instead: the stream does not tell. */
  perhapsCd: boolean;
}

export interface StreamMachine {
  machineOptions: Record<string, 'on' | 'off'>;
  devices: Device[];
  slots: DiskSlot[];
  flashBytes: number[];
  /** Sections of QEMU's user-mode network, which are of the host's side and not of a card. */
  userNetworks: number;
  /** Devices of the stream that cannot be built here: with them missing, QEMU refuses the stream. */
  missing: string[];
}

/** Sections of the machine itself and of its processors. */
const BUILT_IN = new Set([
  ...['timer', 'cpu_common', 'cpu', 'kvm-tpr-opt', 'apic', 'fw_cfg', 'PCIHost', 'PCIBUS', 'dma', 'i8259', 'ioapic', 'hpet', 'mc146818rtc', 'i8254'],
  ...['pcspk', 'ps2kbd', 'ps2mouse', 'pckbd', 'vmmouse', 'port92', 'i2c_bus', 'acpi_build', 'globalstate', 'kvmclock', 'smbus-eeprom', 'pflash_cfi01'],
  ...['audio', 'cpuhp', 'memhp', 'serial', 'hda-audio', 'rtc', 'acpi_erst', 'vmstate_configuration'],
]);
const USER_NETWORK = 'slirp';
const USB = new Map([
  ['usb-ptr', 'usb-tablet'],
  ['usb-kbd', 'usb-kbd'],
  ['usb-hub', 'usb-hub'],
  ['usb-storage', 'usb-storage'],
]);
/** Options of a PC whose section is missing when they are off, by the section. */
const OPTIONAL: Record<string, string> = { hpet: 'hpet', vmmouse: 'vmport', pckbd: 'i8042', i8254: 'pit' };
const HAS_ROM = /^(virtio-net-pci|e1000.*|igb|rtl8139|vmxnet3|pcnet|ne2k_pci|VGA|secondary-vga|bochs-display|qxl.*|virtio-vga|cirrus-vga|vmware-svga)$/;
const MIB = 2 ** 20;

export function machineOfStream(facts: MemoryFacts): StreamMachine {
  const q35 = /q35/.test(facts.machineType ?? '');
  const builder = new StreamMachineBuilder(facts, q35);
  const sections = facts.devices.map((device) => ({ device, kind: kindOf(device.name) }));
  // Ports and bridges first: what hangs on them names them.
  for (const { device, kind } of sections) if (device.pciAddress) builder.addPci(device, kind);
  for (const { device, kind } of sections) if (!device.pciAddress) builder.addOther(device, kind);
  const flashes = facts.blocks.filter(({ name }) => /^system\.flash\d$/.test(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    machineOptions: optionsOf(facts, q35),
    devices: builder.devices,
    slots: builder.slots,
    flashBytes: flashes.map(({ sizeBytes }) => sizeBytes),
    userNetworks: facts.devices.filter(({ name }) => name === USER_NETWORK).length,
    missing: builder.missing,
  };
}

function optionsOf(facts: MemoryFacts, q35: boolean): Record<string, 'on' | 'off'> {
  const names = new Set(facts.devices.map(({ name }) => name));
  const options: Record<string, 'on' | 'off'> = {};
  if (!names.has('fw_cfg')) return options;
  for (const [section, option] of Object.entries(OPTIONAL)) if (!names.has(section)) options[option] = 'off';
  if (q35 && !names.has('0000:00:1f.2/ich9_ahci')) options.sata = 'off';
  if (q35 && !names.has('0000:00:1f.3/ich9_smb')) options.smbus = 'off';
  return options;
}

class StreamMachineBuilder {
  readonly devices: Device[] = [];
  readonly slots: DiskSlot[] = [];
  readonly missing: string[] = [];
  /** Ids of devices on which others hang, by PCI address. */
  private readonly byAddress = new Map<string, Device>();
  private nets = 0;
  private serials = 0;
  private chassis = 0;
  private codecs = 0;

  constructor(
    private readonly facts: MemoryFacts,
    private readonly q35: boolean,
  ) {}

  addPci(section: StreamDevice, kind: string): void {
    const address = section.pciAddress as string;
    const driver = driverOf(section, kind);
    if (driver === 'built-in') return;
    if (driver === null || this.byAddress.has(address)) {
      if (driver === null) this.leaveOut(section);
      return;
    }
    const [own = '', ...above] = address.split(':').reverse();
    const bus = above.length === 0 ? (this.q35 ? 'pcie.0' : 'pci.0') : idOf(above.reverse().join(':'));
    const device: Device = { driver, id: idOf(address), bus, addr: own, ...this.properties(section, driver) };
    if (section.pci?.multifunction) device.multifunction = true;
    this.byAddress.set(address, device);
    this.devices.push(device);
    if (driver === 'virtio-blk-pci') this.slots.push({ device, place: address, capacityBytes: section.virtio?.capacityBytes ?? null, perhapsCd: false });
    for (const port of section.virtio?.ports ?? []) this.devices.push({ driver: 'virtserialport', bus: `${idOf(address)}.0`, nr: port });
  }

  private properties(section: StreamDevice, driver: string): Device {
    const address = section.pciAddress as string;
    return {
      ...(HAS_ROM.test(driver) ? this.romOf(address) : {}),
      ...(driver.startsWith('virtio-') ? virtioProperties(section, driver) : {}),
      ...this.videoProperties(address, driver),
      ...this.busProperties(section, driver),
      ...(isNetworkCard(section) ? { netdev: `net${this.nets++}` } : {}),
      ...(driver === 'pci-serial' ? { chardev: `serial${this.serials++}` } : {}),
      ...(driver === 'AC97' || driver === 'ES1370' ? { audiodev: 'audio0' } : {}),
    };
  }

  /** The size of its ROM is part of the stream, whatever file the ROM was read from. */
  private romOf(address: string): Device {
    const rom = this.facts.blocks.find(({ name }) => name.startsWith(`0000:00:${address}/`) && name.endsWith('.rom'));
    return rom ? { romsize: rom.sizeBytes } : { romfile: '' };
  }

  private videoProperties(address: string, driver: string): Device {
    const mib = (block: string) => Math.floor((this.facts.blocks.find(({ name }) => name === `0000:00:${address}/${block}`)?.sizeBytes ?? 0) / MIB);
    const [vga, qxl] = [mib('vga.vram'), mib('qxl.vram')];
    if (['VGA', 'secondary-vga', 'cirrus-vga', 'vmware-svga'].includes(driver) && vga > 0) return { vgamem_mb: vga };
    if (driver === 'bochs-display') return { vgamem: mib('bochs-display-vram') * MIB };
    return driver.startsWith('qxl') && vga > 0 ? { ram_size_mb: vga, vram_size_mb: qxl } : {};
  }

  private busProperties({ pci, pciAddress }: StreamDevice, driver: string): Device {
    if (pci?.port) return { chassis: ++this.chassis, slot: pci.port.slot, ...(driver === 'xio3130-downstream' ? {} : { port: pci.port.number }) };
    if (driver === 'pci-bridge' && pci) return { chassis_nr: pci.chassis ?? ++this.chassis };
    if (driver === 'qemu-xhci' || driver === 'nec-usb-xhci') return pci?.usbPorts ? { p2: Math.ceil(pci.usbPorts / 2), p3: Math.floor(pci.usbPorts / 2) } : {};
    return /^ich9-usb-uhci\d$/.test(driver) ? this.companion(driver, pciAddress as string) : {};
  }

  /** USB 1 beside a USB 2 controller in the same slot serves two of its ports. */
  private companion(driver: string, address: string): Device {
    const slot = address.slice(0, address.lastIndexOf('.'));
    const master = this.facts.devices.find(({ name, pciAddress }) => kindOf(name) === 'ehci' && pciAddress?.startsWith(`${slot}.`));
    return master ? { masterbus: `${idOf(master.pciAddress as string)}.0`, firstport: ((Number(driver.at(-1)) - 1) % 3) * 2 } : {};
  }

  addOther(section: StreamDevice, kind: string): void {
    if (section.name === 'serial') this.devices.push({ driver: 'isa-serial', index: section.instance, chardev: `serial${this.serials++}` });
    else if (section.name === 'fdc') this.addFloppy();
    else if (section.name === 'hda-audio') this.addCodec(section);
    else if (section.name === 'vmgenid') this.devices.push({ driver: 'vmgenid', guid: 'auto' });
    else if (section.name === 'vmcoreinfo') this.devices.push({ driver: 'vmcoreinfo' });
    else if (kind === 'scsi-disk') this.addScsi(section);
    else if (USB.has(kind)) this.addUsb(section, USB.get(kind) as string);
    else if (!BUILT_IN.has(section.name) && section.name !== USER_NETWORK) this.leaveOut(section);
  }

  private addFloppy(): void {
    if (this.q35) this.devices.push({ driver: 'isa-fdc' });
  }

  private addCodec(section: StreamDevice): void {
    const controllers = this.devices.filter(({ driver }) => driver === 'intel-hda' || driver === 'ich9-intel-hda');
    const controller = controllers[Math.min(this.codecs, controllers.length - 1)];
    if (!controller) {
      this.leaveOut(section);
      return;
    }
    this.devices.push({ driver: 'hda-duplex', bus: `${controller.id}.0`, cad: controllers.length === 1 ? this.codecs : 0, audiodev: 'audio0' });
    this.codecs++;
  }

  /** `0000:00:06.0/0:0:1/scsi-disk`: channel, target, unit on the controller there. Behind USB it is part of a usb-storage. */
  private addScsi(section: StreamDevice): void {
    const match = /^0000:00:([\da-f.:]+)\/(\d+):(\d+):(\d+)\/scsi-disk$/.exec(section.name);
    const controller = match ? this.byAddress.get(match[1] as string) : undefined;
    if (!match || !controller) {
      if (match) this.leaveOut(section);
      return;
    }
    const [channel, target, lun] = [Number(match[2]), Number(match[3]), Number(match[4])];
    const device: Device = { driver: 'scsi-hd', bus: `${controller.id}.0`, channel, 'scsi-id': target, lun };
    this.devices.push(device);
    this.slots.push({ device, place: `${match[1]} ${channel}:${target}:${lun}`, capacityBytes: null, perhapsCd: true });
  }

  private addUsb(section: StreamDevice, driver: string): void {
    const match = /^0000:00:([\da-f.:]+)\/([\d.]+)\/[\w-]+$/.exec(section.name);
    const controller = match ? this.byAddress.get(match[1] as string) : undefined;
    if (!controller) {
      this.leaveOut(section);
      return;
    }
    const device: Device = { driver, bus: `${controller.id}.0`, port: match?.[2] as string };
    this.devices.push(device);
    if (driver === 'usb-storage') this.slots.push({ device, place: `${match?.[1]} ${match?.[2]}`, capacityBytes: null, perhapsCd: true });
  }

  private leaveOut({ name }: StreamDevice): void {
    this.missing.push(name.slice(0, 80));
  }
}

function virtioProperties({ pci, virtio }: StreamDevice, driver: string): Device {
  if (!pci) return {};
  const properties: Device = {};
  // Legacy identities lie below 1040; virtio-gpu and virtio-input never had one.
  if (!/^1af4:105/.test(pci.id)) {
    properties['disable-legacy'] = /^1af4:10[4-7]/.test(pci.id) ? 'on' : 'off';
    properties['disable-modern'] = !pci.modern;
  }
  const withVectors = ['virtio-blk-pci', 'virtio-net-pci', 'virtio-scsi-pci', 'virtio-serial-pci'].includes(driver);
  if (withVectors) properties.vectors = pci.msixVectors ?? 0;
  if (!virtio) return properties;
  if (driver === 'virtio-blk-pci') properties['num-queues'] = virtio.queues;
  if (driver === 'virtio-scsi-pci') properties.num_queues = Math.max(1, virtio.queues - 2);
  if (driver === 'virtio-serial-pci') properties.max_ports = Math.max(1, virtio.queues / 2 - 1);
  if (driver === 'virtio-net-pci' && virtio.mac) properties.mac = virtio.mac;
  if (driver === 'virtio-net-pci' && virtio.queues > 3) properties.mq = true;
  return properties;
}

function isNetworkCard({ pci, name }: StreamDevice): boolean {
  return pci ? pci.classCode === '0200' : ['virtio-net', 'e1000', 'e1000e', 'rtl8139'].includes(kindOf(name));
}

const idOf = (address: string): string => `pci-${address.replaceAll(/[:.]/g, '-')}`;

/** What the other end of the machine's network cards must offer, or QEMU refuses the stream. */
export function networkNeeds({ devices }: MemoryFacts): { vnetHeader: boolean; queuePairs: number } {
  const cards = devices.filter(({ name }) => kindOf(name) === 'virtio-net');
  return {
    vnetHeader: cards.some(({ virtio }) => virtio?.vnetHeader === true),
    queuePairs: cards.reduce((most, { virtio }) => Math.max(most, virtio ? Math.floor((virtio.queues - 1) / 2) : 1), 1),
  };
}
