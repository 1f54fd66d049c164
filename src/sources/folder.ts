/** A folder without a manifest: which of its files are the disks. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { backingNameOf, formatNamed, ImageFile, recognise } from '../images/index.js';
import type { DiskSource, RestorePoint } from '../types.js';
import { domainFiles } from './domain-files.js';
import { explain, isInside } from './host-paths.js';
import { restorePointId } from './identity.js';
import { isMemory } from './memory-files.js';

/** What a raw disk begins with: a boot sector or GPT, or a file system or container on the whole disk. Enough to take a nameless file for a disk. */
const DISK_MARKS: { at: number; bytes: string }[] = [
  { at: 510, bytes: '\x55\xaa' },
  { at: 0, bytes: 'XFSB' },
  { at: 0, bytes: 'LUKS\xba\xbe' },
  { at: 512, bytes: 'LABELONE' },
  { at: 1080, bytes: '\x53\xef' },
  { at: 65_600, bytes: '_BHRfS_M' },
];
const MARKED_BYTES = 65_608;

/** @throws UsageError when there is no image in it. */
export async function readFolder(folder: string): Promise<RestorePoint> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw explain(folder, error);
  });
  const disks: DiskSource[] = [];
  const memories: IgnoredFile[] = [];
  const ignored: IgnoredFile[] = [];
  const configs = await domainFiles(folder, names);
  for (const name of names.filter((name) => !name.startsWith('.')).sort()) {
    const path = join(folder, name);
    const facts = await stat(path).catch(() => null);
    if (!facts?.isFile() || configs.includes(path)) continue;
    if (!(await leadsOutside(path)) && (await isMemory(path))) memories.push({ name, sizeBytes: facts.size });
    else if (await isImage(path)) disks.push({ path, format: null, bus: null });
    else ignored.push({ name, sizeBytes: facts.size });
  }
  // Of several nobody knows which one belongs to the disks: they are named as not looked at.
  const [memory] = memories.length === 1 ? memories : [];
  if (!memory) ignored.push(...memories);
  if (disks.length === 0) {
    const what = ignored.length > 0 ? `none of the ${ignored.length} files in ${folder} is a disk image` : `there is nothing in ${folder}`;
    throw new UsageError({ code: 'source.no-image', message: what, advice: 'Name an image, or put a restore-point.json into the folder.' });
  }
  const point = plainRestorePoint(folder, basename(folder), await withoutBackingFiles(disks), null, { kind: 'folder', ignored });
  return { ...point, configs, memory: memory ? { path: join(folder, memory.name), format: 'unknown', snapshot: null } : null };
}

interface IgnoredFile {
  name: string;
  sizeBytes: number;
}

/** One image alone. */
export function readPlainImage(path: string): RestorePoint {
  const name = basename(path);
  return plainRestorePoint(dirname(path), basename(name, extname(name)), [{ path, format: null, bus: null }], name, { kind: 'image' });
}

function plainRestorePoint(folder: string, machine: string, disks: DiskSource[], member: string | null, source: Record<string, unknown>): RestorePoint {
  return {
    id: restorePointId(folder, null, member),
    machine,
    takenAt: null,
    folder,
    source,
    disks,
    memory: null,
    hardware: null,
    declaredConsistency: 'unknown',
    configs: [],
  };
}

async function isImage(path: string): Promise<boolean> {
  if (formatNamed(extname(path).slice(1))) return true;
  if (await leadsOutside(path)) return false;
  return withImage(path, async (image) => {
    if (await recognise(image)) return true;
    if (image.sizeBytes < 512 || image.sizeBytes % 512 !== 0) return false;
    const head = (await image.read(0, Math.min(MARKED_BYTES, image.sizeBytes))).toString('latin1');
    return DISK_MARKS.some(({ at, bytes }) => head.startsWith(bytes, at));
  });
}

/** Leaves out members that are only the backing files of others. Of a circle one member stays, so that the guard can name it. */
async function withoutBackingFiles(disks: DiskSource[]): Promise<DiskSource[]> {
  const next = new Map<string, string>();
  for (const { path } of disks) {
    const name = (await leadsOutside(path)) ? null : await withImage(path, backingNameOf);
    if (name) next.set(path, resolve(dirname(path), name));
  }
  const used = new Set(next.values());
  const kept = disks.filter(({ path }) => !used.has(path));
  const reached = new Set<string>();
  const follow = (start: string) => {
    for (let at: string | undefined = start; at !== undefined && !reached.has(at); at = next.get(at)) reached.add(at);
  };
  for (const { path } of kept) follow(path);
  for (const disk of disks) {
    if (reached.has(disk.path)) continue;
    kept.push(disk);
    follow(disk.path);
  }
  return disks.filter((disk) => kept.includes(disk));
}

/** A link that leaves the folder is not even read: the guard judges it by its name. */
async function leadsOutside(path: string): Promise<boolean> {
  const [folder, real] = await Promise.all([realpath(dirname(path)), realpath(path)]);
  return !isInside(folder, real);
}

async function withImage<T>(path: string, use: (image: ImageFile) => Promise<T>): Promise<T> {
  const image = await ImageFile.open(path).catch((error: NodeJS.ErrnoException) => {
    throw explain(path, error);
  });
  try {
    return await use(image);
  } finally {
    await image.close();
  }
}
