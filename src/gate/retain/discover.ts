/** Finds all restore points below folders, and what cannot be looked at: an overlay that was not seen may need what would go. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SnapproofError, UsageError } from '../../errors.js';
import { loadRestorePoints, MANIFEST_NAME } from '../../sources/index.js';
import type { RestorePoint } from '../../types.js';

export interface FoundPoint {
  /** Its folder, or the image or manifest that was named. */
  path: string;
  restorePoint: RestorePoint;
}

export interface Discovery {
  found: FoundPoint[];
  /** Places that may hold restore points and could not be read, as sentences. */
  unreadable: string[];
}

const MAX_FOLDERS = 100_000;

/**
 * A folder with a manifest or images is a restore point; its folders are searched all the same. Links to folders are not followed.
 * @throws UsageError for a path at which there is nothing
 */
export async function discover(paths: string[]): Promise<Discovery> {
  const discovery: Discovery = { found: [], unreadable: [] };
  const seen = new Set<string>();
  for (const path of paths) {
    const real = await realpath(path).catch((cause: Error) => {
      throw new UsageError({ code: 'source.missing', message: `${path} cannot be read: ${cause.message}`, cause });
    });
    if ((await stat(real)).isDirectory()) await searchFolder(real, seen, discovery);
    else await take(real, discovery, true);
  }
  return discovery;
}

async function searchFolder(top: string, seen: Set<string>, discovery: Discovery): Promise<void> {
  const open = [top];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    if (seen.has(folder)) continue;
    seen.add(folder);
    if (seen.size > MAX_FOLDERS) throw new UsageError({ code: 'retain.too-many', message: `There are more than ${MAX_FOLDERS} folders below ${top}.` });
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: Error) => {
      discovery.unreadable.push(`The folder ${folder} cannot be read (${error.message}): what lies in it may need others.`);
      return [];
    });
    if (entries.some((entry) => !entry.isDirectory()))
      await take(
        folder,
        discovery,
        entries.some(({ name }) => name === MANIFEST_NAME),
      );
    open.push(...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder as string, name)));
  }
}

/** @param certain it is one; else a folder without images is simply none */
async function take(path: string, discovery: Discovery, certain: boolean): Promise<void> {
  try {
    const [restorePoint] = await loadRestorePoints([path]);
    if (restorePoint && !discovery.found.some((other) => other.restorePoint.id === restorePoint.id)) discovery.found.push({ path, restorePoint });
  } catch (error) {
    if (!(error instanceof SnapproofError)) throw error;
    if (!certain && error.code === 'source.no-image') return;
    discovery.unreadable.push(`The restore point ${path} cannot be read, so nobody knows what it needs: ${error.message}.`);
  }
}
