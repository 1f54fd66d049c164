/**
 * The superblock of XFS. All numbers are big-endian.
 * Format: "XFS Algorithms & Data Structures", third edition, chapter "Superblocks".
 */
import type { ByteSource } from '../../types.js';
import { crc32c } from '../checksums.js';
import { readWithin, textField, toSafeNumber, uuidField } from '../reading.js';

const MAGIC = 'XFSB';
const VERSION_MASK = 0xf;
const VERSION_5 = 5;
const VERSION_LOGV2 = 0x400;
const INCOMPAT_NEEDS_REPAIR = 0x10;

export interface XfsSuperblock {
  uuid: string | null;
  label: string | null;
  blockBytes: number;
  sectorBytes: number;
  version: number;
  /** Of one allocation group, in blocks; and how many there are. */
  groupBlocks: number;
  groups: number;
  /** Byte at which the log starts, or null when it lies on another device. */
  logOffset: number | null;
  logBytes: number;
  logVersion: 1 | 2;
  logSectorBytes: number;
  /** Records are padded to it; 1 or 0: not padded. */
  logStripeBytes: number;
  needsRepair: boolean;
  inProgress: boolean;
  /** Null before version 5. */
  checksumValid: boolean | null;
}

/** Reads the superblock of allocation group 0; null when the magic is not there or its sizes are impossible. */
export async function readXfsSuperblock(source: ByteSource): Promise<XfsSuperblock | null> {
  const sb = await readWithin(source, 0, 512);
  if (!sb || sb.toString('latin1', 0, 4) !== MAGIC) return null;
  const blockBytes = sb.readUInt32BE(4);
  const sectorBytes = sb.readUInt16BE(102);
  if (!isPowerOfTwo(blockBytes, 512, 65536) || !isPowerOfTwo(sectorBytes, 512, 32768)) return null;
  const versionBits = sb.readUInt16BE(100);
  const version = versionBits & VERSION_MASK;
  const logStart = toSafeNumber(sb.readBigUInt64BE(48));
  return {
    uuid: uuidField(sb, 32),
    label: textField(sb, 108, 12),
    blockBytes,
    sectorBytes,
    version,
    groupBlocks: sb.readUInt32BE(84),
    groups: sb.readUInt32BE(88),
    logOffset: logStart === 0 ? null : blockPlace(logStart, sb.readUInt32BE(84), sb.readUInt8(124)) * blockBytes,
    logBytes: sb.readUInt32BE(96) * blockBytes,
    logVersion: versionBits & VERSION_LOGV2 ? 2 : 1,
    logSectorBytes: sb.readUInt16BE(194) || 512,
    logStripeBytes: sb.readUInt32BE(196),
    needsRepair: version === VERSION_5 && (sb.readUInt32BE(216) & INCOMPAT_NEEDS_REPAIR) !== 0,
    inProgress: sb.readUInt8(126) !== 0,
    checksumValid: version === VERSION_5 ? await checksumHolds(source, sectorBytes) : null,
  };
}

function isPowerOfTwo(value: number, least: number, most: number): boolean {
  return value >= least && value <= most && (value & (value - 1)) === 0;
}

/** A block number is the group in its upper bits and the block within the group below: groups need not fill their bits. */
function blockPlace(block: number, groupBlocks: number, groupBits: number): number {
  const span = 2 ** groupBits;
  return Math.floor(block / span) * groupBlocks + (block % span);
}

async function checksumHolds(source: ByteSource, sectorBytes: number): Promise<boolean> {
  const sector = await readWithin(source, 0, sectorBytes);
  if (!sector) return false;
  const stored = sector.readUInt32LE(224);
  sector.writeUInt32LE(0, 224);
  return crc32c(sector) === stored;
}
