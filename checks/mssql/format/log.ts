/**
 * Log files of SQL Server. After a page of file header lie virtual log files (VLFs), each with a header of 8 KiB, then log blocks of
 * 512 bytes to 60 KiB. The first byte of each sector of a block carries the parity of its VLF's present use. Microsoft documents the
 * terms ("SQL Server transaction log architecture and management guide"); the offsets were read off files that servers wrote.
 */
import { type Lsn, sectorSum, wordsOf } from './page.js';

export const SECTOR_BYTES = 512;
export const VLF_HEADER_BYTES = 8192;
export const FIRST_VLF_AT = 8192;
export const MAX_BLOCK_BYTES = 65_536;
const VLF_MARK = 0xab;

export interface VlfHeader {
  /** 64 or 128; 0 when it was never used. */
  parity: number;
  /** Number in the order of use; 0 when it was never used. */
  number: number;
  sizeBytes: number;
}

/** The VLF that begins at `offset` of its file; null when there is none. Sizes are checked against `leftBytes` of the file. */
export function parseVlf(head: Buffer, offset: number, leftBytes: number): VlfHeader | null {
  if (head.length < 32 || head[0] !== VLF_MARK) return null;
  const sizeBytes = Number(head.readBigUInt64LE(16));
  const fits = sizeBytes >= VLF_HEADER_BYTES && sizeBytes % SECTOR_BYTES === 0 && sizeBytes <= leftBytes;
  if (!fits || Number(head.readBigUInt64LE(24)) !== offset) return null;
  const parity = head[1] ?? 0;
  return [0, 64, 128].includes(parity) ? { parity, number: head.readUInt32LE(4), sizeBytes } : null;
}

export interface LogBlock {
  records: number;
  /** With padding: the next block begins behind it. */
  lengthBytes: number;
  /** Length of the block before, also of that in the VLF before. */
  previousBytes: number;
}

const FIRST_SECTOR = 0x10;
const LAST_SECTOR = 0x08;
const PARITY_BITS = 0xc0;

/** Length of the block whose header is at `offset`, or 0 when that cannot be one of this VLF. `block`: its own number. */
export function blockLength(bytes: Buffer, offset: number, vlf: VlfHeader, block: number): number {
  if (offset + 28 > bytes.length) return 0;
  const first = bytes[offset] ?? 0;
  if ((first & PARITY_BITS) !== vlf.parity || !(first & FIRST_SECTOR)) return 0;
  if (bytes.readUInt32LE(offset + 12) !== vlf.number || bytes.readUInt32LE(offset + 16) !== block) return 0;
  const lengthBytes = bytes.readUInt16LE(offset + 6);
  const used = bytes.readUInt16LE(offset + 4);
  return lengthBytes % SECTOR_BYTES === 0 && used <= lengthBytes ? lengthBytes : 0;
}

/** The block of `lengthBytes` (from `blockLength`) at `offset`; null when a sector is of another use of the VLF, or its sum does not fit. */
export function parseBlock(bytes: Buffer, offset: number, lengthBytes: number, vlf: VlfHeader): LogBlock | null {
  if (lengthBytes === 0 || offset + lengthBytes > bytes.length) return null;
  const sectors = lengthBytes / SECTOR_BYTES;
  for (let sector = 0; sector < sectors; sector++) {
    const mark = bytes[offset + sector * SECTOR_BYTES] ?? 0;
    const expected = vlf.parity | (sector === 0 ? FIRST_SECTOR : 0) | (sector === sectors - 1 ? LAST_SECTOR : 0);
    if (mark !== expected) return null;
  }
  if (!sumFits(bytes, offset, sectors)) return null;
  return { records: bytes.readUInt16LE(offset + 2), lengthBytes, previousBytes: bytes.readUInt16LE(offset + 10) };
}

/** Without page checksums in the database, log blocks have none either: 0. */
function sumFits(bytes: Buffer, offset: number, sectors: number): boolean {
  const stored = bytes.readUInt32LE(offset + 24);
  if (stored === 0) return true;
  return sectorSum(wordsOf(bytes.subarray(offset, offset + sectors * SECTOR_BYTES)), 0, sectors, 6) === stored;
}

export function lastLsn(vlf: VlfHeader, block: number, { records }: LogBlock): Lsn {
  return { vlf: vlf.number, block, slot: records };
}
