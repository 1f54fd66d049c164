/**
 * btrfs answers FIEMAP with addresses of its own logical space; its chunk tree says where on the device they lie.
 * Chunk items: https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html
 */
import type { FileExtent } from './file-extents.js';

export interface BtrfsChunk {
  logical: number;
  lengthBytes: number;
  deviceOffset: number;
}

/** Prints which device of its file system this one is, and the chunk tree; the volume must not be mounted writable. */
export function chunkTreeCommand(quotedDevice: string): string {
  return `btrfs inspect-internal dump-super -- ${quotedDevice} | grep '^dev_item.devid'; btrfs inspect-internal dump-tree -t chunk -- ${quotedDevice}`;
}

/** Chunks with a plain copy on this very device (single, dup, RAID 1); others are left out, so that files in them are copied. */
export function parseChunkTree(printed: string): BtrfsChunk[] {
  const chunks: BtrfsChunk[] = [];
  const own = /^dev_item\.devid\s+(\d+)$/m.exec(printed)?.[1];
  if (own === undefined) return chunks;
  const ownStripe = new RegExp(`stripe \\d+ devid ${own} offset (\\d+)`);
  for (const item of printed.split(/^\titem /m)) {
    const logical = /CHUNK_ITEM (\d+)\)/.exec(item)?.[1];
    const shape = /length (\d+) owner \d+ stripe_len \d+ type ([A-Z0-9_|a-z]+)/.exec(item);
    const stripe = ownStripe.exec(item)?.[1];
    if (!logical || !shape || !stripe || /RAID0|RAID10|RAID5|RAID6/.test(shape[2] as string)) continue;
    chunks.push({ logical: Number(logical), lengthBytes: Number(shape[1]), deviceOffset: Number(stripe) });
  }
  return chunks.sort((a, b) => a.logical - b.logical);
}

/** The same extents by device address; null when one lies in a chunk without a plain copy. */
export function translateExtents(extents: FileExtent[], chunks: BtrfsChunk[]): FileExtent[] | null {
  const result: FileExtent[] = [];
  for (const extent of extents) {
    if (extent.deviceOffset === null) {
      result.push(extent);
      continue;
    }
    let done = 0;
    while (done < extent.lengthBytes) {
      const logical = extent.deviceOffset + done;
      const chunk = chunks.find((candidate) => logical >= candidate.logical && logical < candidate.logical + candidate.lengthBytes);
      if (!chunk) return null;
      const lengthBytes = Math.min(extent.lengthBytes - done, chunk.logical + chunk.lengthBytes - logical);
      result.push({ offset: extent.offset + done, lengthBytes, deviceOffset: chunk.deviceOffset + (logical - chunk.logical) });
      done += lengthBytes;
    }
  }
  return result;
}
