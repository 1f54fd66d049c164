/** Where the bytes of a volume lie in the files of the restore point. */
import type { Exposure } from '../labs/lab.js';
import type { ByteMap, Volume } from '../types.js';
import { composeMap } from './map.js';

/**
 * The bytes of a volume as captured, or as they are now on the overlay (take it anew after every write).
 * Null when the volume has no plain place on the disks (RAID 5, thin pools): read it through the appliance.
 */
export async function volumeMap(volume: Pick<Volume, 'sizeBytes' | 'placement'>, exposure: Exposure, when: 'captured' | 'current'): Promise<ByteMap | null> {
  if (!volume.placement) return null;
  const disks = [...new Set(volume.placement.map((segment) => segment.disk))];
  const maps = new Map(await Promise.all(disks.map(async (disk) => [disk, await exposure[when](disk)] as const)));
  const placements = volume.placement.map(({ offset, lengthBytes, disk, diskOffset }) => {
    return { offset, lengthBytes, inner: maps.get(disk) ?? null, innerOffset: diskOffset };
  });
  return composeMap(volume.sizeBytes, placements);
}
