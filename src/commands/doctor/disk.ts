/** Free space where snapproof writes. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { workFolderBase } from '../../process/run-folder.js';
import { cacheFolder, stateFolderPath } from '../../process/user-folders.js';
import { type Component, component } from './component.js';

const GIB = 1024 ** 3;

/** What each place needs at least: overlays grow with what recovery writes, an appliance is about 400 MiB, a record a few KiB. */
export async function diskComponents(): Promise<Component[]> {
  return Promise.all([
    freeSpace('disk: temporary', 'overlays of guests', 2 * GIB, async () => workFolderBase()),
    freeSpace('disk: cache', 'the appliance, the sample', GIB, () => cacheFolder()),
    freeSpace('disk: state', 'the ledger', GIB / 10, async () => stateFolderPath()),
  ]);
}

async function freeSpace(name: string, neededFor: string, leastBytes: number, place: () => Promise<string>): Promise<Component> {
  try {
    const path = await place();
    const bytes = await freeBytes(path);
    const usable = bytes >= leastBytes;
    const least = usable ? '' : `; at least ${gibibytes(leastBytes)} are needed`;
    return component(name, neededFor, { usable, why: `${gibibytes(bytes)} free in ${path}${least}` });
  } catch (error) {
    return component(name, neededFor, { present: false, usable: false, why: error instanceof Error ? error.message : String(error) });
  }
}

/** Of the file system that would hold `path`, which need not exist yet. */
async function freeBytes(path: string): Promise<number> {
  const info = await statfs(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && dirname(path) !== path) return null;
    throw error;
  });
  return info ? info.bavail * info.bsize : freeBytes(dirname(path));
}

function gibibytes(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
