/**
 * The configuration space of a PCI device. Little-endian: vendor 0, device 2, status 6, revision 8, class 0A (sub) and 0B (base),
 * header type 0E, subsystem 2C, first capability 34. A capability is its id, the place of the next one, and its own fields.
 * Source: PCI Local Bus 3.0, chapter 6; PCI Express Base 3.0, 7.8 (capability structure); virtio 1.1, 4.1.4 (vendor capabilities).
 */
import type { PciFacts } from '../../ways.js';

export const CONFIG_BYTES = 256;
const MAX_CAPABILITIES = 48;
const CAPABILITY = { slotId: 0x04, vendor: 0x09, express: 0x10, msix: 0x11 };
const VIRTIO_VENDOR = 0x1af4;
/** Device/port types in the PCI Express capability that have slots: root port, downstream port of a switch. */
const PORTS = [4, 6];

export interface PciConfig {
  facts: PciFacts;
  express: boolean;
}

/** Null when the bytes are no configuration space. */
export function readPciConfig(config: Buffer): PciConfig | null {
  if (config.length < CONFIG_BYTES) return null;
  const vendor = config.readUInt16LE(0);
  if (vendor === 0 || vendor === 0xffff) return null;
  const found = capabilities(config);
  const express = found.get(CAPABILITY.express);
  const msix = found.get(CAPABILITY.msix);
  const slotId = found.get(CAPABILITY.slotId);
  const facts: PciFacts = {
    id: `${hex(vendor)}:${hex(config.readUInt16LE(2))}`,
    subsystem: `${hex(config.readUInt16LE(0x2c))}:${hex(config.readUInt16LE(0x2e))}`,
    revision: config.readUInt8(8),
    classCode: hex(config.readUInt16LE(0x0a)),
    multifunction: (config.readUInt8(0x0e) & 0x80) !== 0,
    msixVectors: msix === undefined ? null : (config.readUInt16LE(msix + 2) & 0x7ff) + 1,
    port: express === undefined ? null : portOf(config, express),
    chassis: slotId === undefined ? null : config.readUInt8(slotId + 3),
    modern: vendor === VIRTIO_VENDOR && found.has(CAPABILITY.vendor),
    usbPorts: null,
  };
  return { facts, express: express !== undefined };
}

/** Places by id, the first of each. A capability may need 24 bytes, so that none is taken whose fields would leave the space. */
function capabilities(config: Buffer): Map<number, number> {
  const found = new Map<number, number>();
  let at = (config.readUInt16LE(6) & 0x10) !== 0 ? config.readUInt8(0x34) & 0xfc : 0;
  for (let i = 0; i < MAX_CAPABILITIES && at >= 0x40 && at <= CONFIG_BYTES - 4; i++) {
    const id = config.readUInt8(at);
    if (!found.has(id) && (id !== CAPABILITY.express || at <= CONFIG_BYTES - 24)) found.set(id, at);
    at = config.readUInt8(at + 1) & 0xfc;
  }
  return found;
}

function portOf(config: Buffer, at: number): PciFacts['port'] {
  const type = (config.readUInt16LE(at + 2) >> 4) & 0xf;
  if (!PORTS.includes(type)) return null;
  return { number: config.readUInt8(at + 0x0f), slot: config.readUInt32LE(at + 0x14) >>> 19 };
}

const hex = (value: number): string => value.toString(16).padStart(4, '0');
