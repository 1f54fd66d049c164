/** The shell texts that run inside the appliance. Values enter them only as base64 or through `shellQuote`. */
import { shellQuote } from '../lab.js';

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

/** The whole tree is listed: fewer, larger reads through the block server. */
const LIST_READAHEAD = 'inode_readahead_blks=2048';

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
  // Whatever the guest chose: an error must not stop the appliance.
  if (target.type.startsWith('ext')) return ['errors=remount-ro', ...(target.type === 'ext4' ? [LIST_READAHEAD] : [])];
  if (target.type === 'xfs') return ['nouuid']; // clones of one machine carry the same id
  if (target.type === 'btrfs') return [target.subvolume === null ? 'subvolid=5' : `subvol=${target.subvolume}`];
  return [];
}

/** Prints words, each ended by NUL. The shell does it itself: no limit of the kernel on arguments applies. */
export function printWords(words: string[]): string {
  return `printf '%s\\0' ${words.map(shellQuote).join(' ')}`;
}
