/** The devices of a stream: what each section's name says, and what its PCI configuration space says. */
import type { ByteSource } from '../../types.js';
import type { StreamDevice } from '../../ways.js';
import { type DescribedDevice, findField, findType } from '../stream/description.js';
import { keyOf, type Section, type StreamContent } from '../stream/walk.js';
import { CONFIG_BYTES, readPciConfig } from './pci-config.js';
import { readVirtio } from './virtio.js';

const MAX_DEVICES = 2000;
/** Of a virtio device, up to what is known of it here: the configuration and 1024 queues at most. */
const VIRTIO_BYTES = 60 * 1024;

export async function readDevices(source: ByteSource, content: StreamContent, signal: AbortSignal): Promise<StreamDevice[]> {
  const devices: StreamDevice[] = [];
  const described = new Map((content.description?.devices ?? []).map((device) => [keyOf(device), device]));
  for (const section of content.sections.slice(0, MAX_DEVICES)) {
    devices.push(await readDevice(source, section, described.get(keyOf(section)), signal));
  }
  return devices;
}

async function readDevice(source: ByteSource, section: Section, layout: DescribedDevice | undefined, signal: AbortSignal): Promise<StreamDevice> {
  const { name, instance } = section;
  const device: StreamDevice = { name, instance, pciAddress: pciAddressOf(name), pci: null, virtio: null };
  const kind = kindOf(name);
  if (kind.startsWith('virtio-') && kind !== 'virtio-vga' && device.pciAddress) {
    const state = await source.read(section.offset, Math.min(section.lengthBytes, VIRTIO_BYTES));
    return { ...device, ...(await readVirtio(kind, state, signal)) };
  }
  const place = layout ? findType(layout, 'pci config') : null;
  if (!place || place.offset + CONFIG_BYTES > section.lengthBytes) return device;
  const config = readPciConfig(await source.read(section.offset + place.offset, CONFIG_BYTES));
  if (!config) return device;
  const usbPorts = kind === 'xhci' && layout ? (findField(layout, 'ports', 'anywhere')?.elements ?? null) : null;
  return { ...device, pci: { ...config.facts, usbPorts } };
}

/** `0000:00:08.0:00.0/virtio-scsi` gives `08.0:00.0`; what hangs on a device, as in `0000:00:02.0/1/usb-ptr`, has none. */
export function pciAddressOf(name: string): string | null {
  return /^[\da-f]{4}:[\da-f]{2}:([\da-f]{2}\.[0-7](?::[\da-f]{2}\.[0-7])*)\/[^/]+$/.exec(name)?.[1] ?? null;
}

/** The part behind the last address: `virtio-blk`. */
export function kindOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
