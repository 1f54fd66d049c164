/** What the user pointed at, looked at on the host: with a clear error where it cannot be used. */
import { constants, type Stats } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import { UsageError } from '../errors.js';

export interface HostPath {
  /** Symbolic links resolved. */
  path: string;
  kind: 'folder' | 'file' | 'device';
}

/** @throws UsageError when there is nothing, no permission, or neither file, folder nor block device. */
export async function lookAt(path: string): Promise<HostPath> {
  const { real, info } = await Promise.all([realpath(path), stat(path)])
    .then(([real, info]) => ({ real, info }))
    .catch((error: NodeJS.ErrnoException) => {
      throw explain(path, error);
    });
  const kind = kindOf(info);
  if (!kind) throw new UsageError({ code: 'source.not-a-file', message: `${path} is neither a file, a folder nor a block device` });
  await assertReadable(real);
  return { path: real, kind };
}

/** Tried by opening it: what permission bits say does not hold on every file system. @throws UsageError */
export async function assertReadable(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw explain(path, error);
  });
  await handle.close();
}

export function isInside(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below !== '' && below !== '..' && !below.startsWith('../') && !isAbsolute(below);
}

/** The operating system's error as a plain sentence. */
export function explain(path: string, error: NodeJS.ErrnoException): UsageError {
  const details = { cause: error };
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    return new UsageError({
      code: 'source.missing',
      message: `there is nothing at ${path}`,
      advice: 'Name an image, a folder or a restore-point.json that is there.',
      ...details,
    });
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new UsageError({ code: 'source.permission', message: `no permission to read ${path}`, advice: 'Run as a user who may read it.', ...details });
  }
  return new UsageError({ code: 'source.unreadable', message: `${path} cannot be read: ${error.message}`, ...details });
}

function kindOf(info: Stats): HostPath['kind'] | null {
  if (info.isDirectory()) return 'folder';
  if (info.isBlockDevice()) return 'device';
  return info.isFile() ? 'file' : null;
}
