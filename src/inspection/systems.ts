/** The operating systems of a guest, told by their own files. */
import { posix } from 'node:path';
import { readGuestFile } from '../bytes/read-file.js';
import type { GuestFiles, GuestLocation, OperatingSystem, SystemMount, UntestedItem, Volume } from '../types.js';
import { type FstabLine, needsDisk, parseFstab, resolveMount } from './fstab.js';

const TEXT_BYTES = 256 * 1024;
const PROBED = ['/usr/lib/os-release', '/etc/fstab', '/etc/hostname'];
/** A program every Linux has, where it lies and where older ones have it. */
const PROGRAMS = ['/usr/bin/env', '/usr/bin/dash', '/usr/bin/bash', '/bin/sh', '/sbin/init'];

export interface FoundSystem {
  system: OperatingSystem;
  /** Disks its fstab wants and the restore point lacks. */
  missing: UntestedItem[];
}

/** Looks for a root folder at the top of every volume, and one level below on btrfs, where subvolumes lie. */
export async function findSystems(files: GuestFiles, volumes: Volume[]): Promise<FoundSystem[]> {
  const found: FoundSystem[] = [];
  for (const volume of volumes) {
    for (const root of await rootCandidates(files, volume)) {
      const system = (await describeUnix(files, volumes, volume, root)) ?? (await describeWindows(files, root));
      if (system) found.push(system);
    }
  }
  return found;
}

async function rootCandidates(files: GuestFiles, volume: Volume): Promise<GuestLocation[]> {
  const top = { volume: volume.id, path: '/' };
  if (volume.content.kind !== 'filesystem') return [];
  if (volume.content.type !== 'btrfs') return [top];
  const folders = (await files.list(top)).filter((entry) => entry.type === 'directory');
  return [top, ...folders.map((entry) => entry.location)];
}

async function describeUnix(files: GuestFiles, volumes: Volume[], volume: Volume, root: GuestLocation): Promise<FoundSystem | null> {
  const at = (path: string): GuestLocation => ({ volume: root.volume, path: posix.join(root.path, path) });
  await files.map([...PROBED, ...PROGRAMS].map(at)); // one question to the appliance instead of one per file
  const release = (await readText(files, at('/etc/os-release'))) ?? (await readText(files, at('/usr/lib/os-release')));
  const fstab = await readText(files, at('/etc/fstab'));
  if (release === null && fstab === null) return null;
  const fields = parseRelease(release ?? '');
  const lines = parseFstab(fstab ?? '');
  const mounts = withRoot(
    lines.filter((line) => line.mountPoint.startsWith('/')).map((line) => resolveMount(line, volumes, volume)),
    volume,
    root,
  );
  const system: OperatingSystem = {
    root,
    type: fields.ID === 'freebsd' ? 'freebsd' : 'linux',
    distro: fields.ID ?? 'unknown',
    productName: fields.PRETTY_NAME ?? fields.NAME ?? 'unknown',
    version: fields.VERSION_ID ?? '',
    arch: await architecture(files, at),
    hostname: ((await readText(files, at('/etc/hostname'))) ?? '').trim(),
    kernels: (await files.list(at('/boot'))).map((entry) => posix.basename(entry.location.path)).filter((name) => /^(vmlinuz|vmlinux|kernel)/.test(name)),
    mounts,
  };
  return { system, missing: missingDisks(lines, mounts, system) };
}

function withRoot(mounts: SystemMount[], volume: Volume, root: GuestLocation): SystemMount[] {
  const type = volume.content.kind === 'filesystem' ? volume.content.type : 'auto';
  const subvolume = root.path === '/' ? null : root.path.slice(1);
  const own: SystemMount = { mountPoint: '/', spec: volume.id, type, device: volume.device, subvolume, location: root };
  return [own, ...mounts.filter((mount) => mount.mountPoint !== '/')];
}

function missingDisks(lines: FstabLine[], mounts: SystemMount[], system: OperatingSystem): UntestedItem[] {
  return lines
    .filter((line) => line.mountPoint !== '/' && needsDisk(line) && !mounts.some((mount) => mount.mountPoint === line.mountPoint && mount.location))
    .map((line) => ({
      what: `${line.mountPoint} of ${system.hostname || system.productName}`,
      why: `the guest's fstab mounts ${line.spec} there, and no disk of this restore point holds it`,
      holdsData: true,
    }));
}

/** The shell-like assignments of os-release(5). */
function parseRelease(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim());
    if (match) fields[match[1] as string] = match[2] ?? match[3] ?? match[4] ?? '';
  }
  return fields;
}

/** By the machine field of an ELF program every Linux has: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
async function architecture(files: GuestFiles, at: (path: string) => GuestLocation): Promise<string> {
  for (const path of PROGRAMS) {
    const head = await readGuestFile(files, at(path), 20);
    if (head?.length !== 20 || head.toString('latin1', 0, 4) !== '\x7fELF') continue;
    const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
    return (
      ({ 62: 'x86_64', 3: 'i386', 183: 'aarch64', 40: 'arm', 21: 'ppc64', 22: 's390x', 243: 'riscv64' } as Record<number, string>)[machine] ?? `elf-${machine}`
    );
  }
  return 'unknown';
}

async function describeWindows(files: GuestFiles, root: GuestLocation): Promise<FoundSystem | null> {
  const windows = await child(files, root, 'windows');
  const system32 = windows && (await child(files, windows, 'system32'));
  const kernel = system32 && (await child(files, system32, 'ntoskrnl.exe'));
  if (!kernel) return null;
  const own: SystemMount = { mountPoint: '/', spec: root.volume, type: 'ntfs', device: null, subvolume: null, location: root };
  const kernels = [posix.basename(kernel.path)];
  return {
    system: { root, type: 'windows', distro: 'windows', productName: 'Windows', version: '', arch: 'unknown', hostname: '', kernels, mounts: [own] },
    missing: [],
  };
}

/** NTFS does not tell upper case from lower. */
async function child(files: GuestFiles, folder: GuestLocation, name: string): Promise<GuestLocation | null> {
  const entry = (await files.list(folder)).find((candidate) => posix.basename(candidate.location.path).toLowerCase() === name);
  return entry?.location ?? null;
}

async function readText(files: GuestFiles, location: GuestLocation): Promise<string | null> {
  return (await readGuestFile(files, location, TEXT_BYTES))?.toString('utf8') ?? null;
}
