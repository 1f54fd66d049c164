/** The shell script that replays and checks one file system inside the appliance, and the way back from its output. */
import { KEPT_PREFIX } from '../../../src/labs/lab.js';
import type { FileSystemType } from '../../../src/types.js';

/** How a kind of file system is mounted for replay, and checked afterwards. */
interface Recipe {
  /** Null: it has no log that this appliance can replay. */
  mount: string | null;
  /** Mounts it read-only at `$kept` while the checker reads, which so warms the memory for the list of its files. Null: it would not. */
  keep: string | null;
  tools: { name: string; command: string }[];
}

const ext = (type: string): Recipe => ({
  // Whatever the guest chose: an error must not stop the appliance.
  mount: `mount -t ${type} -o rw,errors=remount-ro "$device" "$folder"`,
  keep: `mount -t ${type} -o ro,nosuid,nodev,errors=remount-ro${type === 'ext4' ? ',inode_readahead_blks=2048' : ''} "$device" "$kept"`,
  tools: [{ name: 'e2fsck', command: 'e2fsck -fn "$device"' }],
});

const RECIPES: Partial<Record<FileSystemType, Recipe>> = {
  ext2: ext('ext2'),
  ext3: ext('ext3'),
  ext4: ext('ext4'),
  // Two disks of one restore point may be copies of each other.
  xfs: {
    mount: 'mount -t xfs -o rw,nouuid "$device" "$folder"',
    keep: null,
    tools: [{ name: 'xfs_repair', command: 'xfs_repair -n "$device" 2>&1 | grep -v "^ *- agno = [0-9]*$"' }],
  },
  btrfs: {
    mount: 'btrfs device scan >/dev/null 2>&1; mount -t btrfs -o rw "$device" "$folder"',
    keep: null,
    tools: [{ name: 'btrfs check', command: 'btrfs check --readonly "$device"' }],
  },
  ntfs: {
    mount: null,
    keep: null,
    tools: [
      { name: 'ntfsfix', command: 'ntfsfix -n "$device"' },
      { name: 'ntfsinfo', command: 'ntfsinfo -m "$device"' },
      {
        name: 'walk',
        command:
          'if mount -t ntfs-3g -o ro "$device" "$folder"; then find "$folder" -xdev 2>&1 >/dev/null | head -n 200; umount "$folder"; else echo "not mounted"; fi',
      },
    ],
  },
  fat: { mount: null, keep: null, tools: [{ name: 'fsck.fat', command: 'fsck.fat -n "$device"' }] },
  exfat: { mount: null, keep: null, tools: [{ name: 'fsck.exfat', command: 'fsck.exfat -n "$device"' }] },
};

export function hasChecker(type: FileSystemType): boolean {
  return RECIPES[type] !== undefined;
}

export function replaysLog(type: FileSystemType): boolean {
  return RECIPES[type]?.mount != null;
}

/** Printed of every tool; a damaged file system can fill gigabytes. */
const MAX_OUTPUT_BYTES = 256 * 1024;
/** The end of what the kernel said meanwhile. */
const MAX_KERNEL_CHARACTERS = 12_000;

/**
 * Builtins of bash wherever there is one: a program costs 30 ms under emulation.
 * @param device name in the appliance, quoted here.
 * @param marker random word that starts every section: nothing from the guest can forge it.
 */
export function consistencyScript(type: FileSystemType, device: string, marker: string, expected: { sizeBytes: number; uuid: string | null }): string {
  const recipe = RECIPES[type];
  const lines = [
    `device=${quote(device)}`,
    'export LC_ALL=C',
    `name=$(readlink -f "$device"); name=\${name##*/}`,
    `folder=/tmp/snapproof-volume-$name kept=${KEPT_PREFIX}$name`,
    '[ -d "$folder" ] || mkdir "$folder"',
    `echo ${marker} > /dev/kmsg`,
    ...identityLines(marker, expected),
  ];
  if (recipe?.mount) lines.push(...replayLines(type, recipe.mount, marker));
  if (recipe?.keep) lines.push(`[ "$mounted" = 0 ] && mkdir -p "$kept" && { ${recipe.keep}; } 2>/dev/null`);
  for (const tool of recipe?.tools ?? [])
    lines.push(`echo "${marker} tool ${tool.name}"`, `{ ${tool.command}; } 2>&1 </dev/null | head -c ${MAX_OUTPUT_BYTES}`, 'echo');
  lines.push(`echo "${marker} end"`, 'exit 0');
  return lines.join('\n');
}

/**
 * The kernel may give a disk another name than the one it was added under: nothing is written before size and uuid agree.
 * A file system whose superblock is lost has no uuid to compare.
 */
function identityLines(marker: string, expected: { sizeBytes: number; uuid: string | null }): string[] {
  return [
    'read -r size <"/sys/class/block/$name/size" && size=$((size * 512))',
    'uuid=$(blkid -p -o value -s UUID "$device" 2>/dev/null)',
    `expected=${quote(expected.uuid ?? '')}`,
    `if [ "$size" != ${expected.sizeBytes} ] || { [ -n "$uuid" ] && [ -n "$expected" ] && [ "$uuid" != "$expected" ]; }; then`,
    `  echo "${marker} other"; echo "$device has $size bytes and uuid $uuid"; echo "${marker} end"; exit 0`,
    'fi',
  ];
}

function replayLines(type: FileSystemType, mount: string, marker: string): string[] {
  return [
    // Loading the driver is no part of the replay.
    `known=; while read -r kind other; do [ "\${other:-$kind}" = ${type} ] && known=1; done </proc/filesystems`,
    `[ "$known" ] || modprobe ${type} 2>/dev/null`,
    `echo "${marker} mount"`,
    'read -r begin rest < /proc/uptime',
    `{ ${mount}; } 2>&1`,
    'mounted=$?',
    'read -r end rest < /proc/uptime',
    `echo "${marker} mounted $mounted $begin $end"`,
    `echo "${marker} device $name"`,
    `if [ "$mounted" = 0 ]; then umount "$folder" 2>&1 || echo "${marker} busy"; fi`,
    `echo "${marker} kernel"`,
    `kernel=$(dmesg); kernel=\${kernel##*${marker}}`,
    `[ \${#kernel} -gt ${MAX_KERNEL_CHARACTERS} ] && kernel=\${kernel: -${MAX_KERNEL_CHARACTERS}}`,
    'printf "%s\\n" "$kernel"',
  ];
}

export interface ScriptOutput {
  /** Null: nothing was mounted for replay. */
  mount: { mounted: boolean; busy: boolean; seconds: number; text: string } | null;
  kernel: string;
  /** How the kernel calls the device in its messages: `sda1`, `dm-0`. */
  kernelName: string;
  tools: Record<string, string>;
  /** What the device turned out to be, when it is not the volume. */
  other: string | null;
  /** False when the script was cut off. */
  whole: boolean;
}

export function parseScriptOutput(stdout: string, marker: string): ScriptOutput {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of stdout.split('\n')) {
    if (line.startsWith(`${marker} `)) {
      current = [];
      sections.set(line.slice(marker.length + 1).trim(), current);
    } else current.push(line);
  }
  const textOf = (name: string) => (sections.get(name) ?? []).join('\n').trim();
  const mounted = [...sections.keys()].map((name) => /^mounted (\d+) ([\d.]+) ([\d.]+)$/.exec(name)).find((match) => match !== null);
  const tools = [...sections.keys()].filter((name) => name.startsWith('tool '));
  return {
    mount: mounted
      ? { mounted: mounted[1] === '0', busy: sections.has('busy'), seconds: Math.max(0, Number(mounted[3]) - Number(mounted[2])), text: textOf('mount') }
      : null,
    kernel: textOf('kernel'),
    kernelName: [...sections.keys()].find((name) => name.startsWith('device '))?.slice('device '.length) ?? '',
    tools: Object.fromEntries(tools.map((name) => [name.slice('tool '.length), textOf(name)])),
    other: sections.has('other') ? textOf('other') : null,
    whole: sections.has('end'),
  };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
