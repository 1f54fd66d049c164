/**
 * GUID partition tables. Format: UEFI specification 2.10, section 5.3.
 * Numbers come from the guest: entry counts and sizes are bounded before anything is read.
 */
import type { ByteSource } from '../../types.js';
import { crc32 } from '../checksums.js';
import { readWithin, textField, toSafeNumber } from '../reading.js';
import type { Partition } from './partition.js';

const MAX_ENTRY_BYTES = 4096;
const MAX_TABLE_BYTES = 1024 * 1024;
const UNUSED = '00000000-0000-0000-0000-000000000000';

/** One of the two copies. `damage` null: its checksums hold. */
export interface GptCopy {
  headerOffset: number;
  sectorBytes: number;
  alternateOffset: number;
  entriesCrc: number;
  diskGuid: string;
  partitions: Partition[];
  damage: string | null;
}

/** Reads the copy whose header is said to lie at `headerOffset`; null when there is no header at all. */
export async function readGptCopy(source: ByteSource, headerOffset: number, sectorBytes: number): Promise<GptCopy | null> {
  const sector = await readWithin(source, headerOffset, 512);
  if (sector?.toString('latin1', 0, 8) !== 'EFI PART') return null;
  const copy: GptCopy = {
    headerOffset,
    sectorBytes,
    alternateOffset: toSafeNumber(sector.readBigUInt64LE(32)) * sectorBytes,
    entriesCrc: sector.readUInt32LE(88),
    diskGuid: guidField(sector, 56),
    partitions: [],
    damage: headerDamage(sector, headerOffset, sectorBytes),
  };
  if (copy.damage) return copy;
  return { ...copy, ...(await readEntries(source, sector, sectorBytes)) };
}

function headerDamage(sector: Buffer, headerOffset: number, sectorBytes: number): string | null {
  const headerBytes = sector.readUInt32LE(12);
  if (headerBytes < 92 || headerBytes > 512) return `its header claims ${headerBytes} bytes`;
  const unsummed = Buffer.from(sector.subarray(0, headerBytes));
  unsummed.writeUInt32LE(0, 16);
  if (crc32(unsummed) !== sector.readUInt32LE(16)) return 'the checksum of its header is wrong';
  if (toSafeNumber(sector.readBigUInt64LE(24)) * sectorBytes !== headerOffset) return 'its header says that it lies elsewhere';
  return null;
}

async function readEntries(source: ByteSource, header: Buffer, sectorBytes: number): Promise<{ partitions: Partition[]; damage: string | null }> {
  const count = header.readUInt32LE(80);
  const entryBytes = header.readUInt32LE(84);
  if (entryBytes < 128 || entryBytes > MAX_ENTRY_BYTES || count * entryBytes > MAX_TABLE_BYTES) {
    return { partitions: [], damage: `it claims ${count} entries of ${entryBytes} bytes` };
  }
  const table = await readWithin(source, toSafeNumber(header.readBigUInt64LE(72)) * sectorBytes, count * entryBytes);
  if (!table) return { partitions: [], damage: 'its entries lie beyond the end of the disk' };
  if (crc32(table) !== header.readUInt32LE(88)) return { partitions: [], damage: 'the checksum of its entries is wrong' };
  const partitions: Partition[] = [];
  for (let i = 0; i < count; i++) {
    const partition = readEntry(table.subarray(i * entryBytes, (i + 1) * entryBytes), i + 1, sectorBytes);
    if (partition) partitions.push(partition);
  }
  return { partitions, damage: null };
}

function readEntry(entry: Buffer, number: number, sectorBytes: number): Partition | null {
  const type = guidField(entry, 0);
  if (type === UNUSED) return null;
  const first = toSafeNumber(entry.readBigUInt64LE(32));
  const last = toSafeNumber(entry.readBigUInt64LE(40));
  return {
    number,
    type,
    uuid: guidField(entry, 16),
    name: textField(entry, 56, 72, 'utf16le'),
    offset: first * sectorBytes,
    lengthBytes: Math.max(0, last - first + 1) * sectorBytes,
  };
}

/** GUIDs are stored with their first three groups little-endian. Upper case, as partitioning tools print them. */
function guidField(buffer: Buffer, offset: number): string {
  const hex = (from: number, to: number) => buffer.toString('hex', offset + from, offset + to);
  const reversed = (from: number, to: number) =>
    Buffer.from(buffer.subarray(offset + from, offset + to))
      .reverse()
      .toString('hex');
  return `${reversed(0, 4)}-${reversed(4, 6)}-${reversed(6, 8)}-${hex(8, 10)}-${hex(10, 16)}`.toUpperCase();
}
