/**
 * The superblocks of btrfs. All numbers are little-endian.
 * Format: "On-disk Format" in the btrfs documentation, section "Superblock".
 */
import { createHash } from 'node:crypto';
import type { ByteSource } from '../../types.js';
import { crc32c } from '../checksums.js';
import { readWithin, textField, toSafeNumber, uuidField } from '../reading.js';

const SUPERBLOCK_BYTES = 4096;
const MAGIC = '_BHRfS_M';
/** The primary copy and its mirrors. */
export const SUPERBLOCK_OFFSETS = [64 * 1024, 64 * 1024 ** 2, 256 * 1024 ** 3];

export interface BtrfsSuperblock {
  offset: number;
  uuid: string | null;
  deviceUuid: string | null;
  label: string | null;
  generation: number;
  /** Address of the log tree; 0 means nothing to replay. */
  logRoot: number;
  totalBytes: number;
  devices: number;
  deviceId: number;
  checksumType: string;
  /** Null where the kind of checksum is not one we compute. */
  checksumValid: boolean | null;
}

/** Null when no superblock lies there. */
export async function readBtrfsSuperblock(source: ByteSource, offset: number): Promise<BtrfsSuperblock | null> {
  const sb = await readWithin(source, offset, SUPERBLOCK_BYTES);
  if (!sb || sb.toString('latin1', 0x40, 0x48) !== MAGIC) return null;
  const kind = sb.readUInt16LE(0xc4);
  return {
    offset,
    uuid: uuidField(sb, 0x20),
    deviceUuid: uuidField(sb, 0xc9 + 66),
    label: textField(sb, 0x12b, 256),
    generation: toSafeNumber(sb.readBigUInt64LE(0x48)),
    logRoot: toSafeNumber(sb.readBigUInt64LE(0x60)),
    totalBytes: toSafeNumber(sb.readBigUInt64LE(0x70)),
    devices: toSafeNumber(sb.readBigUInt64LE(0x88)),
    deviceId: toSafeNumber(sb.readBigUInt64LE(0xc9)),
    checksumType: ['crc32c', 'xxhash64', 'sha256', 'blake2b'][kind] ?? `unknown (${kind})`,
    checksumValid: checksumHolds(sb, kind),
  };
}

function checksumHolds(sb: Buffer, kind: number): boolean | null {
  const body = sb.subarray(0x20);
  if (kind === 0) return crc32c(body) === sb.readUInt32LE(0);
  if (kind === 2) return createHash('sha256').update(body).digest().equals(sb.subarray(0, 32));
  return null;
}
