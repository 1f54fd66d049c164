/**
 * Which of QEMU's devices a PCI identity is: vendor:device, told apart by the class where one identity serves several.
 * Source: docs/specs/pci-ids.rst of QEMU for its own; the rest was read from machines of QEMU 7.2 with these devices.
 */
import type { StreamDevice } from '../ways.js';

/** What the machine brings itself: never given as a device. By `id address`, or `id` anywhere. */
const BUILT_IN = new Set(['8086:1237', '8086:7000', '8086:7113', '8086:29c0', '8086:2918', '8086:2930', '8086:7010 01.1', '8086:2922 1f.2']);

const DRIVERS: Record<string, string> = {
  '1af4:1000': 'virtio-net-pci',
  '1af4:1041': 'virtio-net-pci',
  '1af4:1001': 'virtio-blk-pci',
  '1af4:1042': 'virtio-blk-pci',
  '1af4:1002': 'virtio-balloon-pci',
  '1af4:1045': 'virtio-balloon-pci',
  '1af4:1003': 'virtio-serial-pci',
  '1af4:1043': 'virtio-serial-pci',
  '1af4:1004': 'virtio-scsi-pci',
  '1af4:1048': 'virtio-scsi-pci',
  '1af4:1005': 'virtio-rng-pci',
  '1af4:1044': 'virtio-rng-pci',
  '1af4:1050 0300': 'virtio-vga',
  '1af4:1050 0380': 'virtio-gpu-pci',
  '1af4:1052 0900': 'virtio-keyboard-pci',
  '1af4:1052 0902': 'virtio-mouse-pci',
  '1af4:1052 0980': 'virtio-tablet-pci',
  '1b36:0001': 'pci-bridge',
  '1b36:0002': 'pci-serial',
  '1b36:000c': 'pcie-root-port',
  '1b36:000d': 'qemu-xhci',
  '1b36:000e': 'pcie-pci-bridge',
  '1b36:0011': 'pvpanic-pci',
  '1b36:0100 0300': 'qxl-vga',
  '1b36:0100 0380': 'qxl',
  '1234:1111 0300': 'VGA',
  '1013:00b8': 'cirrus-vga',
  '15ad:0405': 'vmware-svga',
  '15ad:07b0': 'vmxnet3',
  '15ad:07c0': 'pvscsi',
  '1000:0012': 'lsi53c895a',
  '1000:0054': 'mptsas1068',
  '1000:0060': 'megasas',
  '1000:005b': 'megasas-gen2',
  '8086:100e': 'e1000',
  '8086:1008': 'e1000-82544gc',
  '8086:100f': 'e1000-82545em',
  '8086:10d3': 'e1000e',
  '8086:10c9': 'igb',
  '10ec:8139': 'rtl8139',
  '10ec:8029': 'ne2k_pci',
  '1022:2000': 'pcnet',
  '8086:2922': 'ich9-ahci',
  '8086:7010': 'piix3-ide',
  '8086:7111': 'piix4-ide',
  '8086:7020': 'piix3-usb-uhci',
  '8086:7112': 'piix4-usb-uhci',
  '8086:2934': 'ich9-usb-uhci1',
  '8086:2935': 'ich9-usb-uhci2',
  '8086:2936': 'ich9-usb-uhci3',
  '8086:2937': 'ich9-usb-uhci4',
  '8086:2938': 'ich9-usb-uhci5',
  '8086:2939': 'ich9-usb-uhci6',
  '8086:293a': 'ich9-usb-ehci1',
  '8086:293c': 'ich9-usb-ehci2',
  '8086:24cd': 'usb-ehci',
  '106b:003f': 'pci-ohci',
  '1033:0194': 'nec-usb-xhci',
  '8086:25ab': 'i6300esb',
  '8086:2668': 'intel-hda',
  '8086:293e': 'ich9-intel-hda',
  '8086:2415': 'AC97',
  '1274:5000': 'ES1370',
  '8086:244e': 'i82801b11-bridge',
  '8086:3420': 'ioh3420',
  '104c:8232': 'x3130-upstream',
  '104c:8233': 'xio3130-downstream',
};

/** By the name of the section, where the stream does not describe its devices. */
const BY_KIND: Record<string, string> = {
  'virtio-net': 'virtio-net-pci',
  'virtio-blk': 'virtio-blk-pci',
  'virtio-balloon': 'virtio-balloon-pci',
  'virtio-console': 'virtio-serial-pci',
  'virtio-scsi': 'virtio-scsi-pci',
  'virtio-rng': 'virtio-rng-pci',
  'pcie-root-port': 'pcie-root-port',
  'bochs-display': 'bochs-display',
  vga: 'VGA',
  xhci: 'qemu-xhci',
  e1000: 'e1000',
  e1000e: 'e1000e',
  rtl8139: 'rtl8139',
};
const BUILT_IN_KINDS = new Set(['I440FX', 'PIIX3', 'piix4_pm', 'mch', 'ICH9LPC', 'ich9_smb', 'ide', 'ich9_ahci', 'virtio-vga']);

/** @param kind the section's own name. `built-in`: the machine has it anyway. Null: nothing is known that is this. */
export function driverOf({ pci, pciAddress }: StreamDevice, kind: string): string | null {
  if (!pci) return BUILT_IN_KINDS.has(kind) ? 'built-in' : byKind(kind);
  if (BUILT_IN.has(pci.id) || BUILT_IN.has(`${pci.id} ${pciAddress}`)) return 'built-in';
  if (pci.id === '1234:1111' && pci.classCode === '0380') return kind === 'bochs-display' ? kind : 'secondary-vga';
  return DRIVERS[`${pci.id} ${pci.classCode}`] ?? DRIVERS[pci.id] ?? byKind(kind);
}

function byKind(kind: string): string | null {
  return Object.hasOwn(BY_KIND, kind) ? (BY_KIND[kind] ?? null) : null;
}
