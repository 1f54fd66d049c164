/**
 * Blocks of file-system logs that stand in RAM because the guest wrote or read them: commit blocks of jbd2 and record headers of XFS.
 * They may be older than the state of the guest, never newer.
 * Formats: the Linux kernel's documentation, filesystems/ext4/journal.rst; "XFS Algorithms & Data Structures", chapter "Journaling Log".
 */
import { crc32c } from '../../src/volumes/checksums.js';

const COMMIT = 2;
/** All of a commit block that is not zero. */
const COMMIT_BYTES = 64;
const CHECKSUM_AT = 0x10;
const MAX_RECORD_BYTES = 256 * 1024;
const RECORD_HEADER_BYTES = 328;
const LEAST_BUFFER_BYTES = 32 * 1024;

export interface CommitBlock {
  sequence: number;
  seconds: number;
  head: Buffer;
}

/** The kernel uses the buffer of a record again, and clears the record's own place then; what stays is the place of the record before. */
export interface RecordHeader {
  cycle: number;
  previous: number;
  uuid: string;
  /** Of the buffers in memory that records are gathered in. */
  bufferBytes: number;
}

/** Null for other blocks of a journal. */
export function parseCommitBlock(bytes: Buffer): CommitBlock | null {
  if (bytes.length < COMMIT_BYTES || bytes.readUInt32BE(4) !== COMMIT) return null;
  const seconds = Number(bytes.readBigUInt64BE(0x30)) + bytes.readUInt32BE(0x38) / 1e9;
  if (!(seconds < 2 ** 34)) return null;
  return { sequence: bytes.readUInt32BE(8), seconds, head: Buffer.from(bytes.subarray(0, COMMIT_BYTES)) };
}

/** Whether a commit block was written for the journal of this UUID. */
export function isOfJournal({ head }: CommitBlock, uuid: string, blockBytes: number): boolean {
  if (blockBytes < COMMIT_BYTES || blockBytes > 65_536) return false;
  const block = Buffer.alloc(blockBytes);
  head.copy(block);
  block.writeUInt32BE(0, CHECKSUM_AT);
  const seed = crc32c(Buffer.from(uuid.replaceAll('-', ''), 'hex'), 0xffffffff, true);
  return crc32c(block, seed, true) === head.readUInt32BE(CHECKSUM_AT);
}

/** Null when the header claims the impossible. */
export function parseRecordHeader(bytes: Buffer): RecordHeader | null {
  if (bytes.length < RECORD_HEADER_BYTES) return null;
  const version = bytes.readUInt32BE(8);
  const bufferBytes = bytes.readUInt32BE(320);
  if ((version & ~3) !== 0 || bytes.readUInt32BE(12) > MAX_RECORD_BYTES || bufferBytes > MAX_RECORD_BYTES) return null;
  const uuid = bytes.toString('hex', 304, 320).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { cycle: bytes.readUInt32BE(4), previous: bytes.readUInt32BE(36), uuid, bufferBytes: Math.max(bufferBytes, LEAST_BUFFER_BYTES) };
}
