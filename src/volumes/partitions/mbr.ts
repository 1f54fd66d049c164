/**
 * MBR partition tables with chains of extended boot records.
 * Format: "Master boot record" as described in UEFI 2.10, section 5.2, and the extended boot record convention of DOS.
 */
import type { ByteSource } from '../../types.js';
import { readWithin } from '../reading.js';
import type { Partition } from './partition.js';

/** MBR tables count in sectors of 512 bytes, on nearly every disk. */
const SECTOR_BYTES = 512;
const EXTENDED_TYPES = new Set([0x05, 0x0f, 0x85]);
const PROTECTIVE_TYPE = 0xee;
/** More logical partitions than any system supports; a longer chain is a trap. */
const MAX_LOGICAL = 256;

interface MbrEntry {
  status: number;
  type: number;
  firstSector: number;
  sectors: number;
}

export interface MbrTable {
  /** True when an entry of type 0xEE says that a GPT describes this disk. */
  protective: boolean;
  /** Primary and logical partitions, without the extended container and the protective entry. */
  partitions: Partition[];
  /** Why the chain of logical partitions could not be followed to its end. */
  chainDamage: string | null;
}

/** Reads the MBR; null when sector 0 holds none (no signature, or entries no partitioning tool would write). */
export async function readMbr(source: ByteSource): Promise<MbrTable | null> {
  const sector = await readWithin(source, 0, SECTOR_BYTES);
  const entries = sector ? readEntries(sector) : null;
  if (!entries?.some(isUsed) || entries.some((entry) => isUsed(entry) && (entry.status & 0x7f) !== 0)) return null;
  const table: MbrTable = { protective: false, partitions: [], chainDamage: null };
  for (const [index, entry] of entries.entries()) {
    if (!isUsed(entry)) continue;
    if (entry.type === PROTECTIVE_TYPE) table.protective = true;
    else if (EXTENDED_TYPES.has(entry.type)) table.chainDamage = await followChain(source, entry.firstSector, table.partitions);
    else table.partitions.push(partitionOf(entry, index + 1, 0));
  }
  table.partitions.sort((a, b) => a.number - b.number);
  const signature = sector?.readUInt32LE(440) ?? 0;
  for (const partition of table.partitions) partition.uuid = signature === 0 ? null : partitionUuid(signature, partition.number);
  return table;
}

/** As Linux makes it: the signature of the disk and the number, both hexadecimal. */
function partitionUuid(signature: number, number: number): string {
  return `${signature.toString(16).padStart(8, '0')}-${number.toString(16).padStart(2, '0')}`.toUpperCase();
}

/** Logical partitions count from their own record, links from the start of the container. */
async function followChain(source: ByteSource, containerSector: number, partitions: Partition[]): Promise<string | null> {
  const seen = new Set<number>();
  let recordSector = containerSector;
  for (let number = 5; ; number++) {
    if (seen.has(recordSector)) return 'the chain of logical partitions runs in a circle';
    if (seen.size >= MAX_LOGICAL) return `the chain of logical partitions has more than ${MAX_LOGICAL} members`;
    seen.add(recordSector);
    const sector = await readWithin(source, recordSector * SECTOR_BYTES, SECTOR_BYTES);
    const entries = sector ? readEntries(sector) : null;
    if (!entries) return `the record of logical partition ${number}, at sector ${recordSector}, is missing`;
    const [logical, link] = entries as [MbrEntry, MbrEntry];
    if (isUsed(logical)) partitions.push(partitionOf(logical, number, recordSector));
    if (!isUsed(link)) return null;
    recordSector = containerSector + link.firstSector;
  }
}

function readEntries(sector: Buffer): MbrEntry[] | null {
  if (sector.readUInt16LE(510) !== 0xaa55) return null;
  return [446, 462, 478, 494].map((at) => ({
    status: sector.readUInt8(at),
    type: sector.readUInt8(at + 4),
    firstSector: sector.readUInt32LE(at + 8),
    sectors: sector.readUInt32LE(at + 12),
  }));
}

function isUsed(entry: MbrEntry): boolean {
  return entry.type !== 0 && entry.sectors !== 0;
}

function partitionOf(entry: MbrEntry, number: number, baseSector: number): Partition {
  const type = `0x${entry.type.toString(16).padStart(2, '0')}`;
  return { number, type, uuid: null, name: null, offset: (baseSector + entry.firstSector) * SECTOR_BYTES, lengthBytes: entry.sectors * SECTOR_BYTES };
}
