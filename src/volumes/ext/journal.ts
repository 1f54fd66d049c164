/**
 * The journal (jbd2) of ext3 and ext4: where it starts, and how much of it a mount would replay.
 * Format: the Linux kernel's documentation, filesystems/ext4/journal.rst. All numbers are big-endian.
 */
import type { ByteSource } from '../../types.js';
import { readWithin, uuidField } from '../reading.js';
import { type BlockRun, readInodeRuns } from './inode-blocks.js';
import type { ExtSuperblock } from './superblock.js';

const MAGIC = 0xc03b3998;
const DESCRIPTOR = 1;
const COMMIT = 2;
const REVOKE = 5;
const INCOMPAT_64BIT = 0x2;
const INCOMPAT_CSUM_V2 = 0x8;
const INCOMPAT_CSUM_V3 = 0x10;
const INCOMPAT_FAST_COMMIT = 0x20;
const TAG_SAME_UUID = 0x2;
const TAG_LAST = 0x8;
/** Blocks looked at; the largest journals hold fewer, and a guest may map one block a million times. */
const MAX_READS = 300_000;

export interface JournalSuperblock {
  blockBytes: number;
  /** Number of blocks, and the first that may hold log. */
  blocks: number;
  first: number;
  /** Sequence number expected at `start`. */
  sequence: number;
  /** Block at which replay begins; 0 means nothing to replay. */
  start: number;
  /** Non-zero when the kernel aborted the journal. */
  errno: number;
  incompat: number;
  uuid: string | null;
  /** Blocks at the end kept for fast commits: no part of the circular log. */
  fastCommitBlocks: number;
}

export interface JournalExtent {
  transactions: number;
  /** Blocks of whole transactions from the start on. */
  blocks: number;
  /** Of the last of them; null when there is none. */
  lastCommit: JournalCommit | null;
}

/** A commit block: it makes the transaction of its number whole. */
export interface JournalCommit {
  sequence: number;
  /** Since 1970, by the guest's clock. */
  seconds: number;
}

/** Random access to the blocks of a journal that lies in runs of a volume. */
export class JournalBlocks {
  constructor(
    private readonly source: ByteSource,
    private readonly runs: BlockRun[],
    private readonly blockBytes: number,
  ) {}

  /** Byte of the volume at which the first block lies. */
  get offset(): number {
    return (this.runs[0]?.physical ?? 0) * this.blockBytes;
  }

  async read(block: number): Promise<Buffer | null> {
    const run = this.runs.find((candidate) => block >= candidate.logical && block < candidate.logical + candidate.blocks);
    return run ? readWithin(this.source, (run.physical + block - run.logical) * this.blockBytes, this.blockBytes) : null;
  }
}

/** A file system's own journal, found through its inode; null when that or the journal's superblock is damaged. */
export async function openJournal(source: ByteSource, sb: ExtSuperblock): Promise<{ journal: JournalBlocks; jsb: JournalSuperblock } | null> {
  const runs = await readInodeRuns(source, sb, sb.journalInode);
  const journal = runs && new JournalBlocks(source, runs, sb.blockBytes);
  const jsb = journal && (await readJournalSuperblock(journal));
  return journal && jsb && isSound(jsb, sb, runs) ? { journal, jsb } : null;
}

function isSound(jsb: JournalSuperblock, sb: ExtSuperblock, runs: BlockRun[]): boolean {
  const held = runs.reduce((sum, run) => sum + run.blocks, 0);
  return jsb.blockBytes === sb.blockBytes && jsb.blocks <= held && jsb.first >= 1 && jsb.first + jsb.fastCommitBlocks < jsb.blocks;
}

/** The journal's own superblock, in its block 0; null when it is none. */
export async function readJournalSuperblock(journal: JournalBlocks): Promise<JournalSuperblock | null> {
  const sb = await journal.read(0);
  const type = sb?.readUInt32BE(4);
  if (!sb || sb.readUInt32BE(0) !== MAGIC || (type !== 3 && type !== 4)) return null;
  const second = type === 4;
  const incompat = second ? sb.readUInt32BE(0x28) : 0;
  return {
    blockBytes: sb.readUInt32BE(0xc),
    blocks: sb.readUInt32BE(0x10),
    first: sb.readUInt32BE(0x14),
    sequence: sb.readUInt32BE(0x18),
    start: sb.readUInt32BE(0x1c),
    errno: sb.readInt32BE(0x20),
    incompat,
    uuid: second ? uuidField(sb, 0x30) : null,
    fastCommitBlocks: incompat & INCOMPAT_FAST_COMMIT ? sb.readUInt32BE(0x54) || 256 : 0,
  };
}

/** Walks from the start over every transaction that has its commit block. Bounded by the journal's own length. */
export async function measureJournal(journal: JournalBlocks, sb: JournalSuperblock): Promise<JournalExtent> {
  const end = sb.blocks - sb.fastCommitBlocks;
  const extent: JournalExtent = { transactions: 0, blocks: 0, lastCommit: null };
  if (sb.start < sb.first || sb.start >= end) return extent;
  let sequence = sb.sequence;
  for (let walked = 0, reads = 0; walked < end - sb.first && reads < MAX_READS; reads++) {
    const block = await journal.read(sb.first + ((sb.start - sb.first + walked) % (end - sb.first)));
    if (!block || block.readUInt32BE(0) !== MAGIC || block.readUInt32BE(8) !== sequence) break;
    const type = block.readUInt32BE(4);
    if (type !== DESCRIPTOR && type !== COMMIT && type !== REVOKE) break;
    walked += 1 + (type === DESCRIPTOR ? countTags(block, sb.incompat) : 0);
    if (type !== COMMIT) continue;
    extent.lastCommit = { sequence, seconds: Number(block.readBigUInt64BE(0x30)) + block.readUInt32BE(0x38) / 1e9 };
    sequence = (sequence + 1) >>> 0;
    extent.transactions++;
    extent.blocks = Math.min(walked, end - sb.first);
  }
  return extent;
}

/** Every tag of a descriptor stands for one data block that follows it. */
function countTags(block: Buffer, incompat: number): number {
  const third = (incompat & INCOMPAT_CSUM_V3) !== 0;
  const tagBytes = third ? 16 : 8 + (incompat & INCOMPAT_64BIT ? 4 : 0) + (incompat & INCOMPAT_CSUM_V2 ? 2 : 0);
  const end = block.length - (incompat & (INCOMPAT_CSUM_V2 | INCOMPAT_CSUM_V3) ? 4 : 0);
  let count = 0;
  for (let at = 12; at + tagBytes <= end; ) {
    const flags = third ? block.readUInt32BE(at + 4) : block.readUInt16BE(at + 6);
    count++;
    if (flags & TAG_LAST) break;
    at += tagBytes + (flags & TAG_SAME_UUID ? 0 : 16);
  }
  return count;
}
