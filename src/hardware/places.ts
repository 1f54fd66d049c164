/** Where devices stand, as a stream names it: `03.0`, behind bridges `02.1:00.0`, on a SCSI controller `06.0 0:0:1`. */
import type { Device } from './properties.js';

const MAX_DEPTH = 8;

/** The devices that have an address of their own, by it. */
export function placesOf(devices: Device[]): Map<string, Device> {
  const byId = new Map(devices.filter(({ id }) => id !== undefined).map((device) => [String(device.id), device]));
  const places = new Map<string, Device>();
  for (const device of devices) {
    const place = placeOf(device, byId);
    if (place !== null) places.set(place, device);
  }
  return places;
}

function placeOf(device: Device, byId: Map<string, Device>): string | null {
  if (!String(device.driver).startsWith('scsi-')) return pciPlaceOf(device, byId, 0);
  const controller = byId.get(String(device.bus).replace(/\.0$/, ''));
  const place = controller ? pciPlaceOf(controller, byId, 0) : null;
  return place === null ? null : `${place} ${device.channel ?? 0}:${device['scsi-id'] ?? 0}:${device.lun ?? 0}`;
}

/** Null for what has no PCI address of its own. */
function pciPlaceOf({ addr, bus }: Device, byId: Map<string, Device>, depth: number): string | null {
  const own = slotOf(addr);
  if (own === null || depth > MAX_DEPTH) return null;
  if (bus === undefined || bus === 'pcie.0' || bus === 'pci.0') return own;
  const bridge = byId.get(String(bus));
  const above = bridge ? pciPlaceOf(bridge, byId, depth + 1) : null;
  return above === null ? null : `${above}:${own}`;
}

/** `0x3`, `3.1` as `03.0`, `03.1`. */
function slotOf(addr: unknown): string | null {
  const match = typeof addr === 'string' ? /^(?:0x)?([\da-f]{1,2})(?:\.(?:0x)?([0-7]))?$/i.exec(addr) : null;
  return match ? `${(match[1] as string).toLowerCase().padStart(2, '0')}.${match[2] ?? '0'}` : null;
}
