/** The state of btrfs as captured: its superblock copies compared, and whether a log tree waits to be replayed. */
import type { ByteSource, CaptureState, Facts } from '../../types.js';
import { type BtrfsSuperblock, readBtrfsSuperblock, SUPERBLOCK_OFFSETS } from './superblock.js';

/** Facts: `generation`, `logRoot`, `devices`, `damagedCopies`. btrfs keeps no plain unmount mark: at rest it is `quiesced`. */
export async function readBtrfsState(source: ByteSource): Promise<CaptureState> {
  const offsets = SUPERBLOCK_OFFSETS.filter((offset) => offset + 4096 <= source.sizeBytes);
  const copies = await Promise.all(offsets.map((offset) => readBtrfsSuperblock(source, offset)));
  const sound = copies.filter((copy) => copy !== null && copy.checksumValid !== false) as BtrfsSuperblock[];
  const [primary] = copies;
  const facts: Facts = { copies: copies.length, damagedCopies: copies.length - sound.length, ...describe(sound[0]) };
  if (!primary || primary.checksumValid === false) {
    const rest = sound.length > 0 ? 'a mirror of it is good' : 'so are its mirrors';
    return { state: 'damaged', why: `the primary superblock is damaged (its checksum is wrong); ${rest}`, facts };
  }
  const other = sound.find((copy) => copy.generation !== primary.generation || copy.uuid !== primary.uuid);
  if (other && Math.abs(other.generation - primary.generation) > 1) {
    const why = `the copies of the superblock stem from different instants: generation ${primary.generation} and ${other.generation}`;
    return { state: 'damaged', why, facts };
  }
  return primary.logRoot !== 0
    ? { state: 'needs-replay', why: 'a log tree of synced files waits to be replayed', facts }
    : { state: 'quiesced', why: 'no log tree waits to be replayed: the last transaction was whole (frozen, unmounted, or between two syncs)', facts };
}

function describe(copy: BtrfsSuperblock | undefined): Facts {
  if (!copy) return {};
  const { generation, logRoot, devices, deviceId, checksumType, totalBytes } = copy;
  return { generation, logRoot, devices, deviceId, checksumType, totalBytes };
}
