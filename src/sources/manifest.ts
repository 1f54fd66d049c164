/** `restore-point.json`: what a backup program says about the restore point beside it. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../errors.js';
import { formatNamed } from '../images/index.js';
import { parseText } from '../schema/document.js';
import { validate } from '../schema/validate.js';
import type { Consistency, DiskSource, Hardware, RestorePoint } from '../types.js';
import { domainFiles } from './domain-files.js';
import { assertReadable, explain, isInside } from './host-paths.js';
import { restorePointId } from './identity.js';
import schema from './restore-point.schema.json' with { type: 'json' };

export const MANIFEST_NAME = 'restore-point.json';
export const restorePointSchema: object = schema;
const MAX_BYTES = 4 * 2 ** 20;

interface Manifest {
  machine?: string;
  takenAt?: string | null;
  source?: Record<string, unknown>;
  disks: { path: string; format?: string | null; bus?: string | null }[];
  memory?: { path: string; format?: string; snapshot?: string } | null;
  hardware?: Hardware | null;
  declaredConsistency?: Consistency;
}

/**
 * A file it names that is not there is left for the image's guard: that is a fact about the backup, not about the call.
 * @param path real path of the manifest.
 * @throws UsageError with file, line and field.
 */
export async function readManifest(path: string): Promise<RestorePoint> {
  const manifest = await parseManifest(path);
  const folder = dirname(path);
  const disks: DiskSource[] = [];
  for (const disk of manifest.disks) {
    disks.push({ path: await member(path, disk.path), format: disk.format ? formatNamed(disk.format) : null, bus: disk.bus ?? null });
  }
  const { memory } = manifest;
  const takenAt = manifest.takenAt ? new Date(manifest.takenAt).toISOString() : null;
  return {
    id: restorePointId(folder, takenAt, basename(path) === MANIFEST_NAME ? null : basename(path)),
    machine: manifest.machine ?? basename(folder),
    takenAt,
    folder,
    source: manifest.source ?? {},
    disks,
    memory: memory ? { path: await member(path, memory.path), format: memory.format ?? 'unknown', snapshot: memory.snapshot ?? null } : null,
    hardware: manifest.hardware ?? null,
    declaredConsistency: manifest.declaredConsistency ?? 'unknown',
    configs: [path, ...(await domainFiles(folder, await readdir(folder)))],
  };
}

async function parseManifest(path: string): Promise<Manifest> {
  const { size } = await stat(path);
  if (size > MAX_BYTES) throw new UsageError({ code: 'manifest.too-large', message: `${path} has ${size} bytes: no manifest is that large` });
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw explain(path, error);
  });
  const parsed = parseText(text, 'json', path);
  validate(schema, parsed, { file: path, code: 'manifest.invalid' });
  return parsed.value as Manifest;
}

/** Absolute path of a file the manifest names. @throws UsageError when it leaves the folder, also by a link, or may not be read. */
async function member(manifest: string, name: string): Promise<string> {
  const folder = dirname(manifest);
  const path = join(folder, name);
  const real = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return path;
    throw explain(path, error);
  });
  if (name.startsWith('/') || name.includes('\0') || !isInside(folder, path) || !isInside(folder, real)) {
    const message = `${manifest} names ${JSON.stringify(name)}, which lies outside its folder: paths are relative to the manifest and may not leave its folder`;
    throw new UsageError({ code: 'manifest.outside', message });
  }
  if (await stat(real).catch(() => null)) await assertReadable(real);
  return path;
}
