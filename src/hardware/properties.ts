/**
 * Which devices and which of their properties reach QEMU. All of it comes from files of the backup, and a device can name files and
 * devices of the host (`romfile`, `drive`, `chardev`, `host`): only what is listed here passes, and only with values of a known shape.
 */

export type DeviceValue = string | number | boolean;
export type Device = Record<string, DeviceValue>;

/** Names as QEMU lists them with `-device help`. */
const DRIVERS = new Set([
  ...['virtio-blk-pci', 'scsi-hd', 'scsi-cd', 'ide-hd', 'ide-cd', 'nvme', 'usb-storage'],
  ...['virtio-scsi-pci', 'lsi53c895a', 'megasas', 'megasas-gen2', 'mptsas1068', 'pvscsi', 'ich9-ahci', 'ahci', 'piix3-ide', 'piix4-ide', 'isa-fdc'],
  ...['virtio-net-pci', 'e1000', 'e1000-82544gc', 'e1000-82545em', 'e1000e', 'igb', 'rtl8139', 'vmxnet3', 'pcnet', 'ne2k_pci'],
  ...['VGA', 'secondary-vga', 'bochs-display', 'qxl-vga', 'qxl', 'virtio-vga', 'virtio-gpu-pci', 'cirrus-vga', 'vmware-svga'],
  ...['qemu-xhci', 'nec-usb-xhci', 'usb-ehci', 'pci-ohci', 'piix3-usb-uhci', 'piix4-usb-uhci'],
  ...['ich9-usb-ehci1', 'ich9-usb-ehci2', 'ich9-usb-uhci1', 'ich9-usb-uhci2', 'ich9-usb-uhci3', 'ich9-usb-uhci4', 'ich9-usb-uhci5', 'ich9-usb-uhci6'],
  ...['usb-tablet', 'usb-mouse', 'usb-kbd', 'usb-hub'],
  ...['virtio-serial-pci', 'virtserialport', 'virtconsole', 'virtio-balloon-pci', 'virtio-rng-pci'],
  ...['virtio-keyboard-pci', 'virtio-mouse-pci', 'virtio-tablet-pci'],
  ...['isa-serial', 'pci-serial', 'isa-parallel', 'i6300esb', 'ib700', 'pvpanic', 'pvpanic-pci', 'vmgenid', 'vmcoreinfo'],
  ...['intel-hda', 'ich9-intel-hda', 'hda-duplex', 'hda-micro', 'hda-output', 'AC97', 'ES1370'],
  ...['pcie-root-port', 'ioh3420', 'x3130-upstream', 'xio3130-downstream', 'pcie-pci-bridge', 'pci-bridge', 'i82801b11-bridge'],
]);

type Rule = (value: unknown) => DeviceValue | null;

const number: Rule = (value) => {
  const parsed = typeof value === 'string' && /^(0x[\da-f]{1,8}|\d{1,15})$/i.test(value) ? Number(value) : value;
  return typeof parsed === 'number' && Number.isSafeInteger(parsed) && parsed >= 0 ? parsed : null;
};
const bool: Rule = (value) => (/^(on|yes|true)$/.test(String(value)) ? true : /^(off|no|false)$/.test(String(value)) ? false : null);
const matching =
  (pattern: RegExp): Rule =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? value : null;
const name = matching(/^[A-Za-z][\w.-]{0,39}$/);
const onOffAuto = matching(/^(on|off|auto)$/);
const text = matching(/^[\w .:-]{0,64}$/);
const address: Rule = (value) =>
  typeof value === 'number' && value >= 0 && value < 32 ? value.toString(16) : matching(/^(0x)?[\da-f]{1,2}(\.(0x)?[0-7])?$/i)(value);

const RULES: Record<string, Rule> = {
  id: name,
  bus: name,
  masterbus: name,
  addr: address,
  drive: matching(/^disk\d{1,3}$/),
  netdev: matching(/^net\d{1,2}$/),
  chardev: matching(/^serial\d{1,2}$/),
  audiodev: matching(/^audio0$/),
  // Any other would be a file of the host.
  romfile: matching(/^$/),
  mac: matching(/^([\da-f]{2}:){5}[\da-f]{2}$/i),
  guid: matching(/^(auto|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})$/i),
  name: text,
  serial: text,
  product: text,
  vendor: text,
  ver: text,
  'disable-legacy': onOffAuto,
};
for (const property of [
  ...['romsize', 'rombar', 'bootindex', 'acpi-index', 'vectors', 'num-queues', 'num_queues', 'queue-size', 'virtqueue_size', 'max_ports', 'nr', 'unit'],
  ...['channel', 'scsi-id', 'lun', 'logical_block_size', 'physical_block_size', 'p2', 'p3', 'firstport', 'chassis', 'slot', 'chassis_nr', 'index'],
  ...['iobase', 'irq', 'cad', 'vgamem_mb', 'vgamem', 'ram_size', 'vram_size', 'ram_size_mb', 'vram_size_mb', 'vram64_size_mb', 'xres', 'yres'],
  ...['max_outputs', 'rx_queue_size', 'tx_queue_size', 'host_mtu'],
]) {
  RULES[property] = number;
}
for (const property of [
  ...['multifunction', 'disable-modern', 'mq', 'edid', 'removable', 'packed', 'iommu_platform', 'event_idx', 'indirect_desc', 'ats', 'page-per-vq'],
  ...['mrg_rxbuf', 'csum', 'guest_csum', 'gso', 'host_tso4', 'host_tso6', 'host_ecn', 'host_ufo', 'guest_tso4', 'guest_tso6', 'guest_ecn', 'guest_ufo'],
  ...['ctrl_vq', 'ctrl_rx', 'ctrl_vlan', 'guest_announce', 'discard', 'write-zeroes', 'scsi', 'config-wce', 'hotplug', 'param_change', 'deflate-on-oom'],
  ...['free-page-reporting', 'free-page-hint', 'seg_max_adjust', 'request-merging', 'shpc'],
]) {
  RULES[property] = bool;
}
/** Of speed and convenience only: nothing is said when they are left out. */
const IMMATERIAL = new Set([
  'iothread',
  'share-rw',
  'write-cache',
  'werror',
  'rerror',
  'ioeventfd',
  'host',
  'display',
  'rng',
  'event',
  'failover',
  'x-pcie-lnksta-dllla',
]);

export interface Admitted {
  device: Device;
  /** Names of properties that were not taken. */
  leftOut: string[];
}

/** The device as far as it may reach QEMU; null when its driver may not. */
export function admitDevice(wanted: unknown): Admitted | null {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) return null;
  const { driver, ...properties } = wanted as Record<string, unknown>;
  if (typeof driver !== 'string' || !DRIVERS.has(driver)) return null;
  const device: Device = { driver };
  const leftOut: string[] = [];
  for (const [property, value] of Object.entries(properties).slice(0, 100)) {
    const admitted = ruleOf(driver, property)?.(value) ?? null;
    if (admitted !== null) device[property] = admitted;
    else if (!IMMATERIAL.has(property)) leftOut.push(property.slice(0, 40));
  }
  return { device, leftOut };
}

/** A port is a number on a root port, and a place in a tree on USB. */
function ruleOf(driver: string, property: string): Rule | undefined {
  if (property === 'port') return driver.startsWith('usb-') ? matching(/^\d{1,2}(\.\d{1,2}){0,4}$/) : number;
  return Object.hasOwn(RULES, property) ? RULES[property] : undefined;
}
