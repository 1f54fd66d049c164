/**
 * Volumes that only exist once something is assembled: LVM and mdraid, as the appliance's kernel made them from the overlays.
 * Its own tables say where their bytes lie, so that the host can read them straight from the images.
 */
import type { ApplianceSession } from '../labs/appliance/appliance.js';
import type { VolumeSegment } from '../types.js';

const TIMEOUT_MS = 120_000;
const SECTOR_BYTES = 512;

/** A block device of the appliance's kernel. `placement` null: no plain mapping to the disks. */
export interface StackedDevice {
  id: string;
  device: string;
  sizeBytes: number;
  placement: VolumeSegment[] | null;
}

/** Fields are separated by tabs; device-mapper and md names hold none. */
const SCRIPT = `
vgchange -ay --sysinit >/dev/null 2>&1
mdadm --assemble --scan --run >/dev/null 2>&1
udevadm settle 2>/dev/null
for l in /dev/disk/guestfs/*; do printf 'label\\t%s\\t%s\\n' "$(basename $l)" "$(basename "$(readlink -f $l)")"; done
for b in /sys/class/block/*; do
  k=\${b##*/}; printf 'block\\t%s\\t%s\\t%s\\t%s\\n' "$k" "$(cat $b/dev)" "$(cat $b/size)" "$(cat $b/start 2>/dev/null)"
  [ -d $b/dm ] && printf 'dm\\t%s\\t%s\\t%s\\n' "$k" "$(cat $b/dm/name)" "$(cat $b/dm/uuid)"
  [ -d $b/md ] && printf 'md\\t%s\\t%s\\n' "$k" "$(cat $b/md/level)"
  for m in $b/md/dev-*; do
    [ -d $m ] && printf 'member\\t%s\\t%s\\t%s\\t%s\\n' "$k" "$(basename "$(readlink -f $m/block)")" "$(cat $m/offset)" "$(cat $m/state)"
  done
done
dmsetup table 2>/dev/null | sed 's/: /\\t/;s/^/table\\t/'
lvs --noheadings --separator '\t' -o vg_name,lv_name,lv_dm_path 2>/dev/null | sed 's/^ */lv\\t/'
`;

/** @param diskOfLabel `diska` -> `disk0` */
export async function readStackedDevices(appliance: ApplianceSession, diskOfLabel: Map<string, string>): Promise<StackedDevice[]> {
  const result = await appliance.script(SCRIPT, { timeoutMs: TIMEOUT_MS });
  return parseStackedDevices(result.stdout, diskOfLabel);
}

interface Tables {
  labels: Map<string, string>;
  blocks: Map<string, { number: string; sizeBytes: number; startSector: number | null }>;
  dmNames: Map<string, string>;
  dmLines: Map<string, string[]>;
  mdLevels: Map<string, string>;
  mdMembers: Map<string, { kernelName: string; offsetBytes: number; inSync: boolean }[]>;
  logicalVolumes: Map<string, string>;
}

export function parseStackedDevices(text: string, diskOfLabel: Map<string, string>): StackedDevice[] {
  const tables = readTables(text);
  const diskOfDevice = new Map(
    [...tables.labels].flatMap(([label, kernelName]) => (diskOfLabel.has(label) ? [[kernelName, diskOfLabel.get(label) as string]] : [])),
  );
  const devices: StackedDevice[] = [];
  for (const [kernelName, dmName] of tables.dmNames) {
    const logicalVolume = tables.logicalVolumes.get(dmName);
    if (logicalVolume === undefined) continue; // internal parts of mirrors and pools are no volumes
    devices.push(describe(kernelName, logicalVolume, `/dev/mapper/${dmName}`, tables, diskOfDevice));
  }
  for (const kernelName of tables.mdLevels.keys()) devices.push(describe(kernelName, `md/${kernelName}`, `/dev/${kernelName}`, tables, diskOfDevice));
  return devices;
}

function describe(kernelName: string, id: string, device: string, tables: Tables, disks: Map<string, string>): StackedDevice {
  return { id, device, sizeBytes: tables.blocks.get(kernelName)?.sizeBytes ?? 0, placement: place(kernelName, tables, disks, 0) };
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

function readTables(text: string): Tables {
  const tables: Tables = {
    labels: new Map(),
    blocks: new Map(),
    dmNames: new Map(),
    dmLines: new Map(),
    mdLevels: new Map(),
    mdMembers: new Map(),
    logicalVolumes: new Map(),
  };
  for (const line of text.split('\n')) {
    const [kind = '', name = '', a = '', b = '', c = ''] = line.split('\t');
    if (kind === 'block') tables.blocks.set(name, { number: a, sizeBytes: Number(b) * SECTOR_BYTES, startSector: c === '' ? null : Number(c) });
    else if (kind === 'label') tables.labels.set(name, a);
    else if (kind === 'dm') tables.dmNames.set(name, a);
    else if (kind === 'md') tables.mdLevels.set(name, a);
    else if (kind === 'member') append(tables.mdMembers, name, { kernelName: a, offsetBytes: Number(b) * SECTOR_BYTES, inSync: c.includes('in_sync') });
    else if (kind === 'table') append(tables.dmLines, name, a);
    else if (kind === 'lv') tables.logicalVolumes.set(b.replace('/dev/mapper/', ''), `${name}/${a}`);
  }
  return tables;
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
