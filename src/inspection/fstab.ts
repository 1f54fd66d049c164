/** A guest's fstab held against the volumes that are there. Format: fstab(5). */
import { posix } from 'node:path';
import type { GuestLocation, SystemMount, Volume } from '../types.js';

/** What no disk stands behind. */
const NO_DISK = new Set([
  'proc',
  'sysfs',
  'tmpfs',
  'devpts',
  'devtmpfs',
  'nfs',
  'nfs4',
  'cifs',
  'overlay',
  'cgroup',
  'cgroup2',
  'efivarfs',
  'debugfs',
  'fuse',
  '9p',
  'virtiofs',
  'none',
]);

export interface FstabLine {
  spec: string;
  mountPoint: string;
  type: string;
  options: string[];
}

/** Lines that name a mount; comments and malformed lines are passed over. */
export function parseFstab(text: string): FstabLine[] {
  const lines: FstabLine[] = [];
  for (const line of text.split('\n')) {
    const [spec, mountPoint, type, options] = line.trim().split(/\s+/).map(unescapeOctal);
    if (!spec || spec.startsWith('#') || !mountPoint || !type) continue;
    // An escape may spell a NUL, which no path and no shell can hold.
    if (line.includes('\\000')) continue;
    lines.push({ spec, mountPoint: mountPoint.startsWith('/') ? posix.normalize(mountPoint) : mountPoint, type, options: (options ?? 'defaults').split(',') });
  }
  return lines;
}

function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Whether a line promises a file system on a disk that this machine needs. */
export function needsDisk(line: FstabLine): boolean {
  return (
    !NO_DISK.has(line.type) &&
    line.type !== 'swap' &&
    line.mountPoint.startsWith('/') &&
    !line.options.some((option) => option === 'noauto' || option === 'nofail' || option === 'bind') &&
    !/^\/dev\/(sr|cdrom|fd)\d*/.test(line.spec)
  );
}

/** The line as a mount of this restore point. */
export function resolveMount(line: FstabLine, volumes: Volume[], root: Volume): SystemMount {
  const volume = line.mountPoint === '/' ? root : findVolume(line.spec, volumes);
  const subvolume = subvolumeOption(line.options);
  const location: GuestLocation | null = volume ? { volume: volume.id, path: subvolume === null ? '/' : posix.join('/', subvolume) } : null;
  return { mountPoint: line.mountPoint, spec: line.spec, type: contentType(volume) ?? line.type, device: volume?.device ?? null, subvolume, location };
}

/** A name with a comma would add mount options of the guest's choice. */
function subvolumeOption(options: string[]): string | null {
  const value = options.find((option) => option.startsWith('subvol='))?.slice('subvol='.length);
  return value && !value.includes(',') ? value.replace(/^\//, '') : null;
}

function contentType(volume: Volume | undefined): string | null {
  return volume?.content.kind === 'filesystem' ? volume.content.type : null;
}

/** The volume that a spec (`UUID=`, `LABEL=`, a device path) means. Device letters count the disks in their order. */
export function findVolume(spec: string, volumes: Volume[]): Volume | undefined {
  const [key, value = ''] = spec.split('=', 2) as [string, string?];
  const wanted = value.replaceAll('"', '');
  if (key === 'UUID') return volumes.find((volume) => 'uuid' in volume.content && volume.content.uuid?.toLowerCase() === wanted.toLowerCase());
  if (key === 'LABEL') return volumes.find((volume) => volume.content.kind === 'filesystem' && volume.content.label === wanted);
  if (key === 'PARTLABEL') return volumes.find((volume) => volume.partition?.name === wanted);
  const logical = /^\/dev\/(?:mapper\/)?(.+)$/.exec(spec)?.[1] ?? '';
  const byDevice = volumes.find((volume) => volume.device === spec || volume.id === logical || volume.device === `/dev/mapper/${logical}`);
  if (byDevice) return byDevice;
  const letters = /^(?:sd|vd|xvd|hd)([a-z])(\d*)$/.exec(logical);
  if (!letters) return undefined;
  const disk = `disk${(letters[1] as string).charCodeAt(0) - 97}`;
  return volumes.find((volume) => volume.id === (letters[2] ? `${disk}/p${letters[2]}` : disk));
}
