/** The shell texts that run inside the appliance. Values enter them only as base64 or through `shellQuote`. */
import { shellQuote } from '../lab.js';

/** Kept of each stream of a script: libguestfs refuses answers over 4 MiB. */
const OUTPUT_BYTES = 1_400_000;

/**
 * Runs a bash script with a time limit and prints three lines: exit code, standard output and error in base64.
 * Few programs: on software emulation each start of one costs 20 ms.
 * It must reach bash through `inlineCommand` or the scratch disk, never as it is.
 */
export function scriptWrapper(script: string, timeoutMs: number): string {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  const encode = (file: string) => `[ -s ${file} ] && head -c ${OUTPUT_BYTES} ${file} | base64 -w0; echo`;
  const run = `timeout -k 5 ${seconds} bash -c ${shellQuote(script)} >/tmp/out 2>/tmp/err </dev/null`;
  return [run, 'echo $?', encode('/tmp/out'), encode('/tmp/err')].join('\n');
}

/** guestfish takes lines of 8 KiB, and writes some characters as four. */
const INLINE_CHARACTERS = 4000;

/**
 * The script as a command for `debug sh`; null when it is too long for one line.
 * libguestfs hands the command to two shells, one inside the other: nothing in it may mean anything to the outer one.
 */
export function inlineCommand(script: string): string | null {
  const encoded = Buffer.from(script).toString('base64');
  return encoded.length > INLINE_CHARACTERS ? null : `echo ${encoded} | base64 -d | bash`;
}

/**
 * Runs a shell script with the guest's root as its root, in namespaces of its own: every process and mount of it ends with it,
 * and its network is an empty loopback. The guest's /run and /tmp are empty and in memory, as after a boot.
 */
export function guestWrapper(script: string, timeoutMs: number): string {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  const inside = [
    'set -e',
    'mount -t proc proc /sysroot/proc',
    'mount --rbind /dev /sysroot/dev',
    'mount -t tmpfs -o mode=1777 tmpfs /sysroot/dev/shm',
    'mount -t sysfs -o ro sysfs /sysroot/sys 2>/dev/null || true',
    'mount -t tmpfs -o mode=0755 tmpfs /sysroot/run',
    'mount -t tmpfs -o mode=1777 tmpfs /sysroot/tmp',
    'ip link set lo up 2>/dev/null || true',
    `echo ${Buffer.from(script).toString('base64')} | base64 -d >/sysroot/run/snapproof.sh`,
    `exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root timeout -k 5 ${seconds} chroot /sysroot /bin/sh /run/snapproof.sh`,
  ].join('\n');
  return `unshare --mount --pid --net --ipc --uts --fork --kill-child bash -c ${shellQuote(inside)} ; code=$?; sync; exit $code`;
}

export interface MountTarget {
  device: string;
  type: string;
  subvolume: string | null;
}

/** Mounts one file system. Even read-only, mounting replays its log, onto the overlay. */
export function mountCommand(target: MountTarget, place: string, mode: 'read-only' | 'writable'): string {
  const options = [mode === 'read-only' ? 'ro' : 'rw', 'nosuid', 'nodev', ...typeOptions(target)];
  const type = target.type === 'ntfs' ? 'ntfs-3g' : target.type === 'fat' ? 'vfat' : target.type;
  return `mkdir -p -- ${shellQuote(place)} 2>/dev/null || true; mount -t ${shellQuote(type)} -o ${shellQuote(options.join(','))} -- ${shellQuote(target.device)} ${shellQuote(place)}`;
}

function typeOptions(target: MountTarget): string[] {
  if (target.type === 'xfs') return ['nouuid']; // clones of one machine carry the same id
  if (target.type === 'btrfs') return [target.subvolume === null ? 'subvolid=5' : `subvol=${target.subvolume}`];
  return [];
}
