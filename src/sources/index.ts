/** From the paths on the command line to restore points. Nothing of an image but its header is read here. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import type { RestorePoint } from '../types.js';
import { readFolder, readPlainImage } from './folder.js';
import { lookAt } from './host-paths.js';
import { MANIFEST_NAME, readManifest } from './manifest.js';

export { MANIFEST_NAME, restorePointSchema } from './manifest.js';

/**
 * Each path is an image, a folder holding a restore point, or its manifest. The same restore point named twice counts once.
 * @throws UsageError for the first path that cannot be used.
 */
export async function loadRestorePoints(paths: string[]): Promise<RestorePoint[]> {
  if (paths.length === 0)
    throw new UsageError({ code: 'source.none', message: 'no restore point was named', advice: 'Name an image, a folder or a restore-point.json.' });
  const loaded = new Map<string, RestorePoint>();
  for (const path of paths) {
    const restorePoint = await loadRestorePoint(path);
    loaded.set(restorePoint.id, restorePoint);
  }
  return [...loaded.values()];
}

async function loadRestorePoint(path: string): Promise<RestorePoint> {
  const place = await lookAt(path);
  if (place.kind === 'folder') {
    const manifest = join(place.path, MANIFEST_NAME);
    return (await stat(manifest).catch(() => null)) ? readManifest((await lookAt(manifest)).path) : readFolder(place.path);
  }
  return place.kind === 'file' && place.path.endsWith('.json') ? readManifest(place.path) : readPlainImage(place.path);
}
