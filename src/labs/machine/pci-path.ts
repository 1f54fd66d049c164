/** Where a PCI device sits, as QEMU writes it in a saved memory: `0000:00:1c.0:00.0` is slot 0 behind the root port at 1c. */
import type { Device } from './devices.js';

const ROOTS = ['pci.0', 'pcie.0'];
const MAX_DEPTH = 8;

/** Null for a device without a fixed address. */
export function romPath(device: Device, devices: Device[]): string | null {
  const slots = slotsOf(device, devices, MAX_DEPTH);
  return slots === null ? null : `0000:00:${slots.join(':')}`;
}

function slotsOf(device: Device, devices: Device[], depth: number): string[] | null {
  const own = slotOf(device.addr);
  if (own === null || depth === 0) return null;
  const { bus } = device;
  if (bus === undefined || (typeof bus === 'string' && ROOTS.includes(bus))) return [own];
  const bridge = devices.find(({ id }) => id !== undefined && id === bus);
  const outer = bridge ? slotsOf(bridge, devices, depth - 1) : null;
  return outer && [...outer, own];
}

/** `0x3`, `3`, `3.1`, `0x1c.0`: hexadecimal, as QEMU reads it. Numbers are what they are. */
function slotOf(address: unknown): string | null {
  if (typeof address === 'number' && Number.isInteger(address) && address >= 0 && address < 256) return slotText(address >> 3, address & 7);
  const match = typeof address === 'string' ? /^(?:0x)?([0-9a-f]{1,2})(?:\.(?:0x)?([0-7]))?$/i.exec(address) : null;
  return match ? slotText(Number.parseInt(match[1] ?? '', 16), Number(match[2] ?? 0)) : null;
}

function slotText(slot: number, functionNumber: number): string {
  return `${slot.toString(16).padStart(2, '0')}.${functionNumber}`;
}
