/** The fence around a restore point: which files a chain may consist of. */
import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { quote, refuse } from './header.js';

const ALLOW = 'If that file belongs to the backup, put it into the folder of the restore point, or name its folder in the policy (allowedFolders).';

export class AllowedFolders {
  private constructor(private readonly folders: string[]) {}

  /** @throws UsageError when one of them does not exist. */
  static async of(folders: string[]): Promise<AllowedFolders> {
    return new AllowedFolders(await Promise.all(folders.map(existing)));
  }

  /** The real path of a layer. @throws FormatError when it lies outside, also by a symbolic link, or is not there. */
  async admit(path: string, what: string): Promise<string> {
    if (!this.holds(path) && !(await this.holdsLinked(path))) throw outside(what, path);
    const real = await realpath(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES') throw noPermission(path, error);
      if (error.code === 'ELOOP') throw refuse('chain.cyclic', `the symbolic links of ${what} ${quote(path)} lead in a circle`);
      throw refuse('missing', `${what} ${quote(path)} is not there`, 'The backup is incomplete: find the missing file, or take a new full backup.');
    });
    if (!this.holds(real)) throw outside(what, real);
    return real;
  }

  /** The file a header names as its backing file, seen from the layer that names it. @throws FormatError */
  async admitBacking(name: string, layerPath: string): Promise<string> {
    // Anything like `json:`, `nbd:` or `file:` makes qemu open something else than a plain file.
    if (/^[^/]*:/.test(name)) throw refuse('chain.protocol', `the backing file ${quote(name)} is not a plain file name, which is refused`, ALLOW);
    return this.admit(resolve(dirname(layerPath), name), 'the backing file');
  }

  private holds(path: string): boolean {
    return this.folders.some((folder) => {
      const below = relative(folder, path);
      return below !== '' && !below.startsWith('..') && !isAbsolute(below);
    });
  }

  /** A path through a linked folder names the same place as its real folder; the file itself need not exist. */
  private async holdsLinked(path: string): Promise<boolean> {
    const folder = await realpath(dirname(path)).catch(() => null);
    return folder !== null && (this.folders.includes(folder) || this.holds(folder));
  }
}

export function noPermission(path: string, cause: unknown): UsageError {
  const advice = 'Run as a user who may read it, or change its permissions.';
  return new UsageError({ code: 'image.permission', message: `no permission to read ${path}`, advice, cause });
}

function outside(what: string, path: string): Error {
  return refuse('chain.outside', `${what} ${quote(path)} lies outside the folders that belong to the restore point, which is refused`, ALLOW);
}

async function existing(folder: string): Promise<string> {
  return realpath(folder).catch((cause) => {
    throw new UsageError({ code: 'policy.allowed-folder', message: `the allowed folder ${folder} does not exist or cannot be read`, cause });
  });
}
