/** Which Debian package brings a host tool: so that a missing one is named together with the command that installs it. */
import { MissingToolError } from '../../errors.js';

const PACKAGES: Record<string, string> = {
  bwrap: 'bubblewrap',
  prlimit: 'util-linux',
  'qemu-img': 'qemu-utils',
  'qemu-io': 'qemu-utils',
  'qemu-nbd': 'qemu-utils',
  'qemu-storage-daemon': 'qemu-system-common',
  nbdkit: 'nbdkit',
  e2fsck: 'e2fsprogs',
  dumpe2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  xfs_repair: 'xfsprogs',
  xfs_db: 'xfsprogs',
  btrfs: 'btrfs-progs',
  ntfsfix: 'ntfs-3g',
  ntfsinfo: 'ntfs-3g',
  'fsck.fat': 'dosfstools',
  'fsck.exfat': 'exfatprogs',
  sgdisk: 'gdisk',
  sqlite3: 'sqlite3',
};

/** The error for a tool that is not on this host. */
export function missingTool(tool: string, cause?: unknown): MissingToolError {
  const debianPackage = PACKAGES[tool];
  const advice = debianPackage ? `Install it: apt-get install ${debianPackage}` : `Install the package that brings ${tool}.`;
  return new MissingToolError({ code: 'sandbox.tool-missing', message: `The program "${tool}" is not on this host. ${advice}`, advice, cause });
}
