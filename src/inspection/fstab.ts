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
  'autofs',
  'securityfs',
  'hugetlbfs',
  'bpf',
  '9p',
  'virtiofs',
  'none',
]);

/** File systems of other machines; FUSE ones say so in their subtype. */
const NETWORK_TYPE = /^(nfs\d*|cifs|smb\d*|smbfs|ceph|glusterfs|lustre|ocfs2|gfs2|afs|davfs|beegfs|fuse\..*)$/;

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
    !NETWORK_TYPE.test(line.type) &&
    line.type !== 'swap' &&
    line.mountPoint.startsWith('/') &&
    !line.options.some((option) => option === 'noauto' || option === 'nofail' || option === 'rbind' || option === 'bind' || option === '_netdev') &&
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
  const [key, wanted] = splitSpec(spec);
  const same = (own: string | null | undefined) => own?.toLowerCase() === wanted.toLowerCase();
  if (key === 'UUID') return volumes.find(({ content }) => isOpened(content) && same(content.uuid));
  if (key === 'LABEL') return volumes.find(({ content }) => content.kind === 'filesystem' && content.label === wanted);
  if (key === 'PARTLABEL') return volumes.find(({ partition }) => partition?.name === wanted);
  if (key === 'PARTUUID') return volumes.find(({ partition }) => same(partition?.uuid));
  return findByDevice(spec, volumes);
}

/** `UUID=x` and `/dev/disk/by-uuid/x` are the same, and so on. */
function splitSpec(spec: string): [key: string, value: string] {
  const link = /^\/dev\/disk\/by-(uuid|label|partuuid|partlabel)\/(.+)$/.exec(spec);
  if (link)
    return [
      (link[1] as string).toUpperCase(),
      (link[2] as string).replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    ];
  const at = spec.indexOf('=');
  return at < 0 ? ['', spec] : [spec.slice(0, at), spec.slice(at + 1).replaceAll('"', '')];
}

/** Members and encrypted volumes have ids too, but nothing is mounted from them. */
function isOpened(content: Volume['content']): content is Extract<Volume['content'], { kind: 'filesystem' | 'swap' }> {
  return content.kind === 'filesystem' || content.kind === 'swap';
}

function findByDevice(spec: string, volumes: Volume[]): Volume | undefined {
  const logical = /^\/dev\/(?:mapper\/)?(.+)$/.exec(spec)?.[1] ?? '';
  const array = /^md\/?(.+)$/.exec(logical)?.[1];
  const byDevice = volumes.find(({ id, device }) => device === spec || id === logical || device === `/dev/mapper/${logical}` || id === `md/${array}`);
  if (byDevice) return byDevice;
  const letters = /^(?:sd|vd|xvd|hd)([a-z])(\d*)$/.exec(logical);
  if (letters) return findPartition((letters[1] as string).charCodeAt(0) - 97, letters[2], volumes);
  const nvme = /^nvme(\d+)n1(?:p(\d+))?$/.exec(logical);
  return nvme ? findPartition(Number(nvme[1]), nvme[2], volumes) : undefined;
}

function findPartition(disk: number, partition: string | undefined, volumes: Volume[]): Volume | undefined {
  const id = partition ? `disk${disk}/p${partition}` : `disk${disk}`;
  return volumes.find((volume) => volume.id === id);
}
