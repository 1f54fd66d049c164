/**
 * A folder of the host as if it were a guest's volume: for unit tests and for cluster folders that were copied out.
 * The same interface as the files of a real guest; links are followed inside the folder only.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { ByteMap, GuestEntry, GuestFiles, GuestLocation } from '../types.js';
import { wholeSource } from './map.js';

const MAX_LINKS = 40;

export class FolderFiles implements GuestFiles {
  /** @param folders host folder by volume id. */
  constructor(private readonly folders: Record<string, string>) {}

  async stat(location: GuestLocation): Promise<GuestEntry | null> {
    return this.statNow(location);
  }

  /** Without waiting: to ask a thread for each of thousands of files takes longer than all the rest. */
  private statNow(location: GuestLocation): GuestEntry | null {
    const path = this.hostPath(location);
    const info = path === null ? undefined : statOrNothing(path);
    if (path === null || !info) return null;
    const type = info.isFile() ? 'file' : info.isDirectory() ? 'directory' : info.isSymbolicLink() ? 'symlink' : 'other';
    const target = type === 'symlink' ? readlinkSync(path) : null;
    return { location, type, sizeBytes: info.size, target, modifiedAt: info.mtime.toISOString(), uid: info.uid, gid: info.gid, mode: info.mode & 0o7777 };
  }

  async list(folder: GuestLocation, options: { recursive?: boolean } = {}): Promise<GuestEntry[]> {
    const path = this.hostPath(folder);
    const names = path ? await readdir(path).catch(() => []) : [];
    const entries: GuestEntry[] = [];
    for (const name of names.sort()) {
      const entry = this.statNow({ volume: folder.volume, path: posix.join(folder.path, name) });
      if (!entry) continue;
      entries.push(entry);
      if (options.recursive && entry.type === 'directory') entries.push(...(await this.list(entry.location, options)));
    }
    return entries;
  }

  async resolve(location: GuestLocation): Promise<GuestLocation | null> {
    let rest = location.path.split('/').filter(Boolean);
    let done = '/';
    for (let links = 0; rest.length > 0; ) {
      const [name, ...others] = rest as [string, ...string[]];
      const here = { volume: location.volume, path: posix.join(done, name) };
      const entry = this.statNow(here);
      if (!entry) return null;
      rest = others;
      if (entry.type !== 'symlink' || entry.target === null) {
        done = here.path;
        continue;
      }
      if (++links > MAX_LINKS) return null;
      if (entry.target.startsWith('/')) done = '/';
      rest = [...entry.target.split('/').filter(Boolean), ...rest];
    }
    return { volume: location.volume, path: done };
  }

  async map(files: GuestLocation[]): Promise<(ByteMap | null)[]> {
    return files.map((file) => {
      const entry = this.statNow(file);
      const path = this.hostPath(file);
      return entry?.type === 'file' && path ? wholeSource({ kind: 'file', path }, entry.sizeBytes) : null;
    });
  }

  private hostPath(location: GuestLocation): string | null {
    const folder = this.folders[location.volume];
    return folder === undefined ? null : join(folder, posix.normalize(posix.join('/', location.path)));
  }
}

function statOrNothing(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // a folder on the way that is none, or that may not be read
  }
}
