/** What the appliance's kernel says of its block devices, device-mapper tables and arrays, and the script that asks it. */

const SECTOR_BYTES = 512;

/**
 * Starts udev, which both need and the appliance does without otherwise, then assembles. Arrays first: a volume group may lie on them.
 * Fields are separated by tabs; no name of a device holds one.
 */
export const TABLES_SCRIPT = `
for udev in /lib/systemd/systemd-udevd /sbin/udevd; do [ -x $udev ] && break; done
[ -e /run/udev/control ] || { $udev --daemon; udevadm trigger; udevadm settle --timeout=60; } >/dev/null 2>&1
modprobe -a dm_mod md_mod 2>/dev/null
mdadm --assemble --scan --run >/dev/null 2>&1
udevadm settle 2>/dev/null
vgchange -ay --sysinit >/dev/null 2>&1
udevadm settle 2>/dev/null
for l in /dev/disk/guestfs/*; do printf 'label\\t%s\\t%s\\n' "$(basename $l)" "$(basename "$(readlink -f $l)")"; done
for b in /sys/class/block/*; do
  k=\${b##*/}; printf 'block\\t%s\\t%s\\t%s\\t%s\\n' "$k" "$(cat $b/dev)" "$(cat $b/size)" "$(cat $b/start 2>/dev/null)"
  [ -d $b/dm ] && printf 'dm\\t%s\\t%s\\t%s\\n' "$k" "$(cat $b/dm/name)" "$(cat $b/dm/uuid)"
  [ -d $b/md ] && printf 'md\\t%s\\t%s\\n' "$k" "$(cat $b/md/level)" && mdadm --detail --export /dev/$k 2>/dev/null | sed -n "s/^MD_\\(UUID\\|NAME\\)=/detail\\t$k\\t\\1\\t/p"
  for m in $b/md/dev-*; do
    [ -d $m ] && printf 'member\\t%s\\t%s\\t%s\\t%s\\n' "$k" "$(basename "$(readlink -f $m/block)")" "$(cat $m/offset)" "$(cat $m/state)"
  done
done
dmsetup table 2>/dev/null | sed 's/: /\\t/;s/^/table\\t/'
lvs --noheadings --separator '\t' -o vg_name,lv_name,lv_dm_path,lv_attr 2>/dev/null | sed 's/^ */lv\\t/'
`;

/** By the kernel's names, except where said otherwise. */
export interface Tables {
  /** Label of a disk to its device. */
  labels: Map<string, string>;
  blocks: Map<string, { number: string; sizeBytes: number; startSector: number | null }>;
  /** To the name in the device mapper. */
  dmNames: Map<string, string>;
  /** By name in the device mapper. */
  dmLines: Map<string, string[]>;
  mdLevels: Map<string, string>;
  mdUuids: Map<string, string>;
  mdNames: Map<string, string>;
  mdMembers: Map<string, { kernelName: string; offsetBytes: number; inSync: boolean }[]>;
  /** By name in the device mapper; also those that are not active. */
  logicalVolumes: Map<string, { id: string; attributes: string }>;
}

export function readTables(text: string): Tables {
  const tables: Tables = {
    labels: new Map(),
    blocks: new Map(),
    dmNames: new Map(),
    dmLines: new Map(),
    mdLevels: new Map(),
    mdUuids: new Map(),
    mdNames: new Map(),
    mdMembers: new Map(),
    logicalVolumes: new Map(),
  };
  for (const line of text.split('\n')) readLine(line.split('\t'), tables);
  return tables;
}

function readLine([kind = '', name = '', a = '', b = '', c = '']: string[], tables: Tables): void {
  if (kind === 'block') tables.blocks.set(name, { number: a, sizeBytes: Number(b) * SECTOR_BYTES, startSector: c === '' ? null : Number(c) });
  else if (kind === 'label') tables.labels.set(name, a);
  else if (kind === 'dm') tables.dmNames.set(name, a);
  else if (kind === 'md') tables.mdLevels.set(name, a);
  else if (kind === 'detail') (a === 'UUID' ? tables.mdUuids : tables.mdNames).set(name, b);
  else if (kind === 'member') append(tables.mdMembers, name, { kernelName: a, offsetBytes: Number(b) * SECTOR_BYTES, inSync: c.includes('in_sync') });
  else if (kind === 'table') append(tables.dmLines, name, a);
  else if (kind === 'lv') tables.logicalVolumes.set(b.replace('/dev/mapper/', ''), { id: `${name}/${a}`, attributes: c });
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
