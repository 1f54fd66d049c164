/**
 * Volumes that only exist once something is assembled: LVM and mdraid, as the appliance's kernel made them from the overlays.
 * Its own tables say where their bytes lie, so that the host can read them straight from the images.
 */
import type { ApplianceSession } from '../labs/appliance/appliance.js';
import type { VolumeSegment } from '../types.js';
import { readTables, TABLES_SCRIPT, type Tables } from './stacked-tables.js';

const TIMEOUT_MS = 120_000;
const SECTOR_BYTES = 512;

/** A block device of the appliance's kernel. `placement` null: no plain mapping to the disks. */
export interface StackedDevice {
  id: string;
  device: string;
  sizeBytes: number;
  placement: VolumeSegment[] | null;
  /** Of an array: its id as its members carry it, hexadecimal digits only. */
  arrayUuid: string | null;
}

export interface StackedDevices {
  devices: StackedDevice[];
  /** Logical volumes that a group names and that could not be activated: `vg0/data`. */
  inactive: string[];
}

/** @param diskOfLabel `diska` -> `disk0` */
export async function readStackedDevices(appliance: ApplianceSession, diskOfLabel: Map<string, string>): Promise<StackedDevices> {
  const result = await appliance.script(TABLES_SCRIPT, { timeoutMs: TIMEOUT_MS });
  return parseStackedDevices(result.stdout, diskOfLabel);
}

export function parseStackedDevices(text: string, diskOfLabel: Map<string, string>): StackedDevices {
  const tables = readTables(text);
  const disks = new Map([...tables.labels].flatMap(([label, kernelName]) => (diskOfLabel.has(label) ? [[kernelName, diskOfLabel.get(label) as string]] : [])));
  const devices: StackedDevice[] = [];
  for (const [kernelName, dmName] of tables.dmNames) {
    const logical = tables.logicalVolumes.get(dmName);
    if (logical === undefined || isPool(logical.attributes)) continue; // internal parts of mirrors and pools are no volumes
    devices.push(describe(kernelName, logical.id, `/dev/mapper/${dmName}`, tables, disks));
  }
  for (const kernelName of tables.mdLevels.keys()) {
    const device = describe(kernelName, `md/${arrayName(kernelName, tables)}`, `/dev/${kernelName}`, tables, disks);
    if (device.sizeBytes > 0) devices.push(device); // an array that lacks members has no size
  }
  const active = new Set(tables.dmNames.values());
  const inactive = [...tables.logicalVolumes].filter(([dmName, { attributes }]) => !active.has(dmName) && !isPool(attributes)).map(([, { id }]) => id);
  return { devices, inactive };
}

/** Thin, cache and VDO pools hold the data of the volumes made from them, in no form of their own. By the first letter of lvs(8)'s attributes. */
function isPool(attributes: string): boolean {
  return /^[tCd]/.test(attributes);
}

/** The name its members carry (`host:data`, without the host), as long as it is one of its own; else the kernel's, which any start may change. */
function arrayName(kernelName: string, tables: Tables): string {
  const nameOf = (kernel: string) => /^(?:[^:]*:)?([\w.-]+)$/.exec(tables.mdNames.get(kernel) ?? '')?.[1] ?? null;
  const own = nameOf(kernelName);
  const shared = [...tables.mdLevels.keys()].some((other) => other !== kernelName && nameOf(other) === own);
  return own === null || shared ? kernelName : own;
}

function describe(kernelName: string, id: string, device: string, tables: Tables, disks: Map<string, string>): StackedDevice {
  const arrayUuid = tables.mdUuids.get(kernelName)?.replaceAll(':', '') ?? null;
  return { id, device, sizeBytes: tables.blocks.get(kernelName)?.sizeBytes ?? 0, placement: place(kernelName, tables, disks, 0), arrayUuid };
}

/** Follows a device down to the disks; depth is bounded because a table could name itself. */
function place(kernelName: string, tables: Tables, disks: Map<string, string>, depth: number): VolumeSegment[] | null {
  const block = tables.blocks.get(kernelName);
  if (!block || depth > 8) return null;
  const disk = disks.get(kernelName);
  if (disk !== undefined) return [{ offset: 0, lengthBytes: block.sizeBytes, disk, diskOffset: 0 }];
  if (tables.dmNames.has(kernelName)) return placeMapped(tables.dmLines.get(tables.dmNames.get(kernelName) as string) ?? [], tables, disks, depth);
  if (tables.mdLevels.has(kernelName)) return placeMirror(kernelName, block.sizeBytes, tables, disks, depth);
  const parent = kernelName.replace(/p?\d+$/, '');
  if (block.startSector === null || parent === kernelName) return null;
  return part(place(parent, tables, disks, depth + 1), block.startSector * SECTOR_BYTES, block.sizeBytes);
}

/** Device-mapper `linear` only: `START LENGTH linear MAJOR:MINOR OFFSET`, in sectors. */
function placeMapped(lines: string[], tables: Tables, disks: Map<string, string>, depth: number): VolumeSegment[] | null {
  const segments: VolumeSegment[] = [];
  for (const line of lines) {
    const match = /^(\d+) (\d+) linear (\d+:\d+) (\d+)$/.exec(line);
    const below = match && [...tables.blocks].find(([, block]) => block.number === match[3]);
    const inner = below ? part(place(below[0], tables, disks, depth + 1), Number(match[4]) * SECTOR_BYTES, Number(match[2]) * SECTOR_BYTES) : null;
    if (!match || !inner) return null;
    segments.push(...inner.map((segment) => ({ ...segment, offset: segment.offset + Number(match[1]) * SECTOR_BYTES })));
  }
  return segments.length > 0 ? segments : null;
}

/** Every member in sync of a mirror holds the whole volume; the first one serves. */
function placeMirror(kernelName: string, sizeBytes: number, tables: Tables, disks: Map<string, string>, depth: number): VolumeSegment[] | null {
  const member = tables.mdMembers.get(kernelName)?.find((candidate) => candidate.inSync);
  if (tables.mdLevels.get(kernelName) !== 'raid1' || !member) return null;
  return part(place(member.kernelName, tables, disks, depth + 1), member.offsetBytes, sizeBytes);
}

/** The segments of a part of a device, as offsets into that part. */
function part(segments: VolumeSegment[] | null, offset: number, lengthBytes: number): VolumeSegment[] | null {
  if (!segments) return null;
  const result: VolumeSegment[] = [];
  for (const segment of segments) {
    const from = Math.max(segment.offset, offset);
    const to = Math.min(segment.offset + segment.lengthBytes, offset + lengthBytes);
    if (to > from) result.push({ offset: from - offset, lengthBytes: to - from, disk: segment.disk, diskOffset: segment.diskOffset + (from - segment.offset) });
  }
  return result;
}
