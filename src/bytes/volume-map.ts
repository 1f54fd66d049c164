/** A volume as a byte map: its segments on the disks, and the disks' places in the image files. */
import type { Exposure } from '../labs/lab.js';
import type { ByteMap, Volume } from '../types.js';
import { composeMap } from './map.js';

/**
 * Null when the volume has no plain placement (RAID 5, thin pools): then only the appliance can read it.
 * @param view `captured` as it was backed up, `current` as replay and recovery left it on the overlay
 */
export async function volumeMap(volume: Pick<Volume, 'sizeBytes' | 'placement'>, exposure: Exposure, view: 'captured' | 'current'): Promise<ByteMap | null> {
  if (!volume.placement) return null;
  const disks = new Map<string, ByteMap>();
  for (const { disk } of volume.placement) {
    if (!disks.has(disk)) disks.set(disk, view === 'captured' ? await exposure.captured(disk) : await exposure.current(disk));
  }
  const placements = volume.placement.map((segment) => ({
    offset: segment.offset,
    lengthBytes: segment.lengthBytes,
    inner: disks.get(segment.disk) ?? null,
    innerOffset: segment.diskOffset,
  }));
  return composeMap(volume.sizeBytes, placements);
}
