/**
 * A file system whose first superblock was overwritten is not unknown data: its copies further in still name it.
 * A copy counts only when it says that it lies where it was found, and that the file system fills this volume.
 */
import type { ByteSource, VolumeContent } from '../../types.js';
import { readWithin, textField, toSafeNumber, uuidField } from '../reading.js';

/** A volume may be a little larger than its file system. */
const LEAST_FILL = 0.9;
const EXT_MAGIC = 0xef53;
/** First block of group 1 by block size: a group has as many blocks as one block has bits. */
const EXT_COPIES = [
  { blockBytes: 1024, block: 8193 },
  { blockBytes: 2048, block: 16384 },
  { blockBytes: 4096, block: 32768 },
];
/** mkfs divides a disk into four groups, or more on large or striped ones. */
const XFS_GROUPS = [4, 2, 8, 16, 32];

/** Null when no such copy is found. */
export async function identifyByCopies(source: ByteSource): Promise<VolumeContent | null> {
  return (await findExtCopy(source)) ?? (await findXfsCopy(source));
}

function fills(source: ByteSource, sizeBytes: number): boolean {
  return sizeBytes <= source.sizeBytes && sizeBytes >= source.sizeBytes * LEAST_FILL;
}

async function findExtCopy(source: ByteSource): Promise<VolumeContent | null> {
  for (const { blockBytes, block } of EXT_COPIES) {
    const sb = await readWithin(source, block * blockBytes, 1024);
    if (sb?.readUInt16LE(0x38) !== EXT_MAGIC || sb.readUInt16LE(0x5a) !== 1 || 1024 << sb.readUInt32LE(0x18) !== blockBytes) continue;
    if (!fills(source, sb.readUInt32LE(0x04) * blockBytes)) continue;
    return { kind: 'filesystem', type: sb.readUInt32LE(0x60) & 0x40 ? 'ext4' : 'ext3', uuid: uuidField(sb, 0x68), label: textField(sb, 0x78, 16) };
  }
  return null;
}

async function findXfsCopy(source: ByteSource): Promise<VolumeContent | null> {
  for (const groups of XFS_GROUPS) {
    const offset = Math.ceil(Math.floor(source.sizeBytes / 4096) / groups) * 4096;
    const sb = await readWithin(source, offset, 512);
    if (sb?.toString('latin1', 0, 4) !== 'XFSB' || sb.readUInt32BE(84) * sb.readUInt32BE(4) !== offset) continue;
    if (!fills(source, toSafeNumber(sb.readBigUInt64BE(8)) * sb.readUInt32BE(4))) continue;
    return { kind: 'filesystem', type: 'xfs', uuid: uuidField(sb, 32), label: textField(sb, 108, 12) };
  }
  return null;
}
