/** libvirt's names of devices and QEMU's, by the rules by which libvirt itself builds QEMU's command line. */
import type { Device } from './properties.js';

export const CONTROLLERS: Record<string, Record<string, string>> = {
  pci: {
    ...{ 'pcie-root-port': 'pcie-root-port', 'pcie-to-pci-bridge': 'pcie-pci-bridge', 'pci-bridge': 'pci-bridge' },
    ...{ 'dmi-to-pci-bridge': 'i82801b11-bridge', 'pcie-switch-upstream-port': 'x3130-upstream', 'pcie-switch-downstream-port': 'xio3130-downstream' },
  },
  usb: {
    ...{ 'qemu-xhci': 'qemu-xhci', 'nec-xhci': 'nec-usb-xhci', ehci: 'usb-ehci', 'pci-ohci': 'pci-ohci', 'piix3-uhci': 'piix3-usb-uhci' },
    ...{ 'piix4-uhci': 'piix4-usb-uhci', 'ich9-ehci1': 'ich9-usb-ehci1', 'ich9-uhci1': 'ich9-usb-uhci1', 'ich9-uhci2': 'ich9-usb-uhci2' },
    ...{ 'ich9-uhci3': 'ich9-usb-uhci3', '': 'piix3-usb-uhci' },
  },
  scsi: {
    ...{ 'virtio-scsi': 'virtio-scsi-pci', lsilogic: 'lsi53c895a', lsisas1068: 'mptsas1068', lsisas1078: 'megasas', vmpvscsi: 'pvscsi' },
    ...{ 'virtio-transitional': 'virtio-scsi-pci', 'virtio-non-transitional': 'virtio-scsi-pci', '': 'lsi53c895a' },
  },
  'virtio-serial': {
    '': 'virtio-serial-pci',
    virtio: 'virtio-serial-pci',
    'virtio-transitional': 'virtio-serial-pci',
    'virtio-non-transitional': 'virtio-serial-pci',
  },
};
export const CARDS = ['e1000', 'e1000e', 'e1000-82544gc', 'e1000-82545em', 'igb', 'rtl8139', 'vmxnet3', 'pcnet', 'ne2k_pci'];
export const SCREENS: Record<string, [string, string]> = {
  ...{ vga: ['VGA', 'secondary-vga'], cirrus: ['cirrus-vga', 'cirrus-vga'], vmvga: ['vmware-svga', 'vmware-svga'], qxl: ['qxl-vga', 'qxl'] },
  ...{ virtio: ['virtio-vga', 'virtio-gpu-pci'], bochs: ['bochs-display', 'bochs-display'] },
};
export const INPUTS: Record<string, string> = {
  ...{ 'tablet usb': 'usb-tablet', 'mouse usb': 'usb-mouse', 'keyboard usb': 'usb-kbd' },
  ...{ 'tablet virtio': 'virtio-tablet-pci', 'mouse virtio': 'virtio-mouse-pci', 'keyboard virtio': 'virtio-keyboard-pci' },
};
export const SOUNDS: Record<string, string> = { ich6: 'intel-hda', ich9: 'ich9-intel-hda', ac97: 'AC97', es1370: 'ES1370' };

export function portOf(driver: string, index: number, port: string | null, chassis: string | null): Device {
  if (driver === 'pci-bridge') return { chassis_nr: chassis === null ? index : number(chassis) };
  if (driver !== 'pcie-root-port' && driver !== 'xio3130-downstream') return {};
  return { chassis: chassis === null ? index : number(chassis), ...(port !== null && driver === 'pcie-root-port' ? { port: number(port) } : {}) };
}

export function usbOf(driver: string, index: number, ports: string | null, startPort: string | null): Device {
  if (ports !== null && driver.endsWith('xhci')) return { p2: number(ports), p3: number(ports) };
  return startPort !== null ? { masterbus: `usb${index}.0`, firstport: number(startPort) } : {};
}

export function slotOf({ slot = '0', function: own = '0' }: Record<string, string>): string {
  return `${number(slot).toString(16).padStart(2, '0')}.${number(own) % 8}`;
}

export function number(text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 && value < 65_536 ? value : 0;
}

export function lookUp(table: Record<string, string>, key: string): string | null {
  return Object.hasOwn(table, key) ? (table[key] ?? null) : null;
}
