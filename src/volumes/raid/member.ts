/**
 * Members of Linux software RAID: superblocks 0.90, 1.0, 1.1 and 1.2.
 * Format: md(4) and the "RAID superblock formats" page of the Linux RAID wiki. Numbers of version 1 are little-endian.
 */
import type { ByteSource } from '../../types.js';
import { readWithin, textField, toSafeNumber, uuidField } from '../reading.js';

const MAGIC = 0xa92b4efc;
const SECTOR_BYTES = 512;
const V1_BYTES = 256;
const ROLES_AT = 256;
const MAX_MEMBERS = 1920;
const LEVELS: Record<string, string> = { '-4': 'multipath', '-1': 'linear', 0: 'raid0', 1: 'raid1', 4: 'raid4', 5: 'raid5', 6: 'raid6', 10: 'raid10' };

export interface RaidMember {
  version: '0.90' | '1.0' | '1.1' | '1.2';
  arrayUuid: string | null;
  name: string | null;
  level: string;
  /** Number of active members the array is made of. */
  disks: number;
  /** Position in the array, or `spare`, `faulty`, `journal`. */
  role: string;
  deviceNumber: number;
  /** Raised by every change of state: equal, or one apart, on members captured at one instant. */
  events: number;
  updatedAt: number;
  dataOffset: number;
  dataBytes: number;
  checksumValid: boolean;
}

/** Null when no superblock lies where one of the versions would be. */
export async function readRaidMember(source: ByteSource): Promise<RaidMember | null> {
  const places = [
    { version: '1.1', sector: 0 },
    { version: '1.2', sector: 8 },
    { version: '1.0', sector: Math.floor((Math.floor(source.sizeBytes / SECTOR_BYTES) - 16) / 8) * 8 },
  ] as const;
  for (const { version, sector } of places) {
    const member = await readVersion1(source, version, sector);
    if (member) return member;
  }
  return readVersion090(source);
}

async function readVersion1(source: ByteSource, version: RaidMember['version'], sector: number): Promise<RaidMember | null> {
  const sb = await readWithin(source, sector * SECTOR_BYTES, V1_BYTES);
  if (!sb || sb.readUInt32LE(0) !== MAGIC || sb.readUInt32LE(4) !== 1 || toSafeNumber(sb.readBigUInt64LE(144)) !== sector) return null;
  const maxDevices = sb.readUInt32LE(220);
  const roles = maxDevices <= MAX_MEMBERS ? await readWithin(source, sector * SECTOR_BYTES + ROLES_AT, maxDevices * 2) : null;
  const deviceNumber = sb.readUInt32LE(160);
  return {
    version,
    arrayUuid: uuidField(sb, 16),
    name: textField(sb, 32, 32),
    level: levelName(sb.readInt32LE(72)),
    disks: sb.readUInt32LE(92),
    role: roles && deviceNumber < maxDevices ? roleName(roles.readUInt16LE(deviceNumber * 2)) : 'unknown',
    deviceNumber,
    events: toSafeNumber(sb.readBigUInt64LE(200)),
    // Seconds in the lower 40 bits, microseconds above.
    updatedAt: Number(sb.readBigUInt64LE(192) & 0xffffffffffn),
    dataOffset: toSafeNumber(sb.readBigUInt64LE(128)) * SECTOR_BYTES,
    dataBytes: toSafeNumber(sb.readBigUInt64LE(136)) * SECTOR_BYTES,
    checksumValid: roles !== null && sumOfWords(Buffer.concat([sb, roles])) === sb.readUInt32LE(216),
  };
}

/** Sum of all words with the checksum itself taken as zero, its carry added once. */
function sumOfWords(superblock: Buffer): number {
  const data = Buffer.from(superblock);
  data.writeUInt32LE(0, 216);
  let sum = 0n;
  let at = 0;
  for (; at + 4 <= data.length; at += 4) sum += BigInt(data.readUInt32LE(at));
  if (at + 2 <= data.length) sum += BigInt(data.readUInt16LE(at));
  return Number(((sum & 0xffffffffn) + (sum >> 32n)) & 0xffffffffn);
}

/** The old superblock lies in the last whole 64 KiB, in the byte order of its machine; little-endian is read here. */
async function readVersion090(source: ByteSource): Promise<RaidMember | null> {
  const offset = Math.floor(source.sizeBytes / 65536) * 65536 - 65536;
  const sb = offset >= 0 ? await readWithin(source, offset, 4096) : null;
  if (!sb || sb.readUInt32LE(0) !== MAGIC || sb.readUInt32LE(4) !== 0 || sb.readUInt32LE(8) < 90) return null;
  const uuid = Buffer.concat([sb.subarray(20, 24), sb.subarray(52, 64)]);
  const state = sb.readUInt32LE(3968 + 16);
  return {
    version: '0.90',
    arrayUuid: uuidField(uuid, 0),
    name: null,
    level: levelName(sb.readInt32LE(28)),
    disks: sb.readUInt32LE(40),
    role: state & 1 ? 'faulty' : sb.readUInt32LE(3968 + 12) < sb.readUInt32LE(40) ? String(sb.readUInt32LE(3968 + 12)) : 'spare',
    deviceNumber: sb.readUInt32LE(3968),
    events: sb.readUInt32LE(156) + sb.readUInt32LE(160) * 2 ** 32,
    updatedAt: sb.readUInt32LE(128),
    dataOffset: 0,
    dataBytes: sb.readUInt32LE(32) * 1024,
    checksumValid: sumOfWords090(sb) === sb.readUInt32LE(152),
  };
}

function sumOfWords090(superblock: Buffer): number {
  let sum = 0n;
  for (let at = 0; at < 4096; at += 4) if (at !== 152) sum += BigInt(superblock.readUInt32LE(at));
  return Number(((sum & 0xffffffffn) + (sum >> 32n)) & 0xffffffffn);
}

function levelName(level: number): string {
  return LEVELS[String(level)] ?? `level ${level}`;
}

function roleName(role: number): string {
  if (role === 0xffff) return 'spare';
  if (role === 0xfffe) return 'faulty';
  return role === 0xfffd ? 'journal' : String(role);
}
