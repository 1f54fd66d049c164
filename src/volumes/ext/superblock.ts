/**
 * The superblock of ext2, ext3 and ext4.
 * Format: "ext4 Data Structures and Algorithms" in the Linux kernel's documentation (filesystems/ext4/globals.rst).
 */
import type { ByteSource, FileSystemType } from '../../types.js';
import { crc32c } from '../checksums.js';
import { readWithin, textField, uuidField } from '../reading.js';

export const SUPERBLOCK_OFFSET = 1024;
const MAGIC = 0xef53;

const COMPAT_HAS_JOURNAL = 0x4;
const COMPAT_ORPHAN_FILE = 0x1000;
const INCOMPAT_RECOVER = 0x4;
const INCOMPAT_JOURNAL_DEVICE = 0x8;
const INCOMPAT_64BIT = 0x80;
const RO_COMPAT_METADATA_CSUM = 0x400;
const RO_COMPAT_ORPHAN_PRESENT = 0x10000;
const STATE_VALID = 1;
const STATE_ERRORS = 2;
/** What ext3 knows: everything else makes it ext4. */
const EXT3_INCOMPAT = 0x2 | 0x4 | 0x8 | 0x10;
const EXT3_RO_COMPAT = 0x1 | 0x2 | 0x4;

export interface ExtSuperblock {
  type: Extract<FileSystemType, 'ext2' | 'ext3' | 'ext4'>;
  uuid: string | null;
  label: string | null;
  lastMountedOn: string | null;
  /** Seconds since 1970. */
  mountTime: number;
  writeTime: number;
  blockBytes: number;
  firstDataBlock: number;
  inodeBytes: number;
  descriptorBytes: number;
  hasJournal: boolean;
  needsRecovery: boolean;
  isJournalDevice: boolean;
  markedValid: boolean;
  markedErrors: boolean;
  errorCount: number;
  firstErrorFunction: string | null;
  journalInode: number;
  journalUuid: string | null;
  journalDevice: number;
  firstOrphanInode: number;
  /** With an orphan file: set while the file system is mounted, or when it holds orphans. */
  orphanFile: boolean;
  orphanPresent: boolean;
  /** Null where the file system has no checksums. */
  checksumValid: boolean | null;
}

/** Reads the primary superblock; null when the magic is not there or its sizes are impossible. */
export async function readExtSuperblock(source: ByteSource): Promise<ExtSuperblock | null> {
  const sb = await readWithin(source, SUPERBLOCK_OFFSET, 1024);
  if (!sb || sb.readUInt16LE(0x38) !== MAGIC || sb.readUInt32LE(0x18) > 6) return null;
  const compat = sb.readUInt32LE(0x5c);
  const incompat = sb.readUInt32LE(0x60);
  const roCompat = sb.readUInt32LE(0x64);
  const state = sb.readUInt16LE(0x3a);
  return {
    type: extType(compat, incompat, roCompat),
    uuid: uuidField(sb, 0x68),
    label: textField(sb, 0x78, 16),
    lastMountedOn: textField(sb, 0x88, 64),
    mountTime: sb.readUInt32LE(0x2c) + sb.readUInt8(0x275) * 2 ** 32,
    writeTime: sb.readUInt32LE(0x30) + sb.readUInt8(0x274) * 2 ** 32,
    blockBytes: 1024 << sb.readUInt32LE(0x18),
    firstDataBlock: sb.readUInt32LE(0x14),
    inodeBytes: sb.readUInt32LE(0x4c) === 0 ? 128 : sb.readUInt16LE(0x58),
    descriptorBytes: incompat & INCOMPAT_64BIT ? sb.readUInt16LE(0xfe) : 32,
    hasJournal: (compat & COMPAT_HAS_JOURNAL) !== 0,
    needsRecovery: (incompat & INCOMPAT_RECOVER) !== 0,
    isJournalDevice: (incompat & INCOMPAT_JOURNAL_DEVICE) !== 0,
    markedValid: (state & STATE_VALID) !== 0,
    markedErrors: (state & STATE_ERRORS) !== 0,
    errorCount: sb.readUInt32LE(0x194),
    firstErrorFunction: textField(sb, 0x1a8, 32),
    journalInode: sb.readUInt32LE(0xe0),
    journalUuid: uuidField(sb, 0xd0),
    journalDevice: sb.readUInt32LE(0xe4),
    firstOrphanInode: sb.readUInt32LE(0xe8),
    orphanFile: (compat & COMPAT_ORPHAN_FILE) !== 0,
    orphanPresent: (roCompat & RO_COMPAT_ORPHAN_PRESENT) !== 0,
    checksumValid: roCompat & RO_COMPAT_METADATA_CSUM ? crc32c(sb.subarray(0, 0x3fc), 0xffffffff, true) === sb.readUInt32LE(0x3fc) : null,
  };
}

function extType(compat: number, incompat: number, roCompat: number): ExtSuperblock['type'] {
  if (incompat & ~EXT3_INCOMPAT || roCompat & ~EXT3_RO_COMPAT) return 'ext4';
  return compat & COMPAT_HAS_JOURNAL ? 'ext3' : 'ext2';
}
