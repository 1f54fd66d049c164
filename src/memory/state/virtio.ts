/**
 * The state of a virtio device on PCI, as far as it tells which device it is: be32 version and configuration space (256 bytes, 4096
 * on PCI Express), 16 bytes of interrupt state; with MSI-X 16 bytes per vector, a bit for each, be16 vector; be8 status, be8 isr,
 * be16 selected queue, be32 features, be32 length and bytes of the device's own configuration; be32 number of queues, and of each
 * be32 size, be64 address, be16 index, with MSI-X be16 vector; then what is the device's own.
 * Source: docs/devel/migration/virtio.rst of QEMU (the order of the parts), virtio 1.1 chapter 5 (the configurations), and streams
 * of QEMU 7.2.
 */
import { Cursor, type Reading } from '../../bytes/cursor.js';
import { BufferSource } from '../../bytes/source.js';
import { FormatError } from '../../errors.js';
import type { PciFacts, VirtioFacts } from '../../ways.js';
import { CONFIG_BYTES, readPciConfig } from './pci-config.js';

const EXPRESS_BYTES = 4096;
const INTERRUPT_BYTES = 16;
const MAX_QUEUES = 1024;
const MAX_MACS = 64;
const VLAN_BYTES = 512;
const SECTOR_BYTES = 512;

export interface VirtioState {
  pci: PciFacts;
  virtio: VirtioFacts;
}

/** @param kind the section's own name: `virtio-blk`. Null when the bytes do not have the shape. */
export async function readVirtio(kind: string, state: Buffer, signal: AbortSignal): Promise<VirtioState | null> {
  const cursor = new Cursor(new BufferSource(state));
  try {
    return await cursor.run(readState(cursor, kind), signal);
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

function* readState(cursor: Cursor, kind: string): Reading<VirtioState | null> {
  yield* cursor.skip(4);
  const config = readPciConfig(yield* cursor.peek(CONFIG_BYTES));
  if (!config) return null;
  const { msixVectors } = config.facts;
  yield* cursor.skip((config.express ? EXPRESS_BYTES : CONFIG_BYTES) + INTERRUPT_BYTES);
  if (msixVectors !== null) yield* cursor.skip(msixVectors * 16 + Math.ceil(msixVectors / 8) + 2);
  yield* cursor.skip(8);
  const own = Buffer.from(yield* cursor.bytes((yield* cursor.bytes(4)).readUInt32BE(0)));
  const queues = (yield* cursor.bytes(4)).readUInt32BE(0);
  if (queues > MAX_QUEUES) return null;
  yield* cursor.skip(queues * (4 + 8 + 2 + (msixVectors === null ? 0 : 2)));
  const virtio: VirtioFacts = { queues, capacityBytes: kind === 'virtio-blk' ? capacityOf(own) : null, mac: null, vnetHeader: false, ports: [] };
  if (kind === 'virtio-net') yield* readNet(cursor, virtio);
  if (kind === 'virtio-console') virtio.ports = yield* readPorts(cursor);
  return { pci: config.facts, virtio };
}

/** Filled when the guest asks for it: zero says nothing. */
function capacityOf(own: Buffer): number | null {
  const bytes = own.length >= 8 ? Number(own.readBigUInt64LE(0)) * SECTOR_BYTES : 0;
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : null;
}

/** Address, 12 bytes of flags, be32 number of addresses that it listens to and these, VLANs, be32 whether packets have a header. */
function* readNet(cursor: Cursor, virtio: VirtioFacts): Reading<void> {
  virtio.mac = (yield* cursor.bytes(6)).toString('hex').replaceAll(/..(?!$)/g, '$&:');
  yield* cursor.skip(12);
  const macs = (yield* cursor.bytes(4)).readUInt32BE(0);
  if (macs > MAX_MACS) return;
  yield* cursor.skip(macs * 6 + VLAN_BYTES);
  virtio.vnetHeader = (yield* cursor.bytes(4)).readUInt32BE(0) !== 0;
}

/** be16 columns, be16 rows, be32 most ports, then a bit for each port. The first is reserved for a console. */
function* readPorts(cursor: Cursor): Reading<number[]> {
  yield* cursor.skip(4);
  const most = (yield* cursor.bytes(4)).readUInt32BE(0);
  const map = yield* cursor.bytes(Math.ceil(Math.min(most, 512) / 32) * 4);
  const ports: number[] = [];
  for (let port = 1; port < Math.min(most, 512); port++) {
    if ((map.readUInt32BE((port >> 5) * 4) >>> (port & 31)) & 1) ports.push(port);
  }
  return ports;
}
