/** How far the logs of mounted file systems had come, as the kernel in memory knows it. */
import { FormatError } from '../../../src/errors.js';
import type { LinuxKernel, StructureView } from './kernel.js';

/** jbd2, of ext3 and ext4. */
export interface JournalHead {
  kind: 'jbd2';
  /** The newest transaction that the kernel knows to be wholly on the disk. */
  committed: number;
  /** The one that is on its way there. */
  committing: number | null;
  /** The journal's superblock on the disk says that it is empty: nothing was committed since it was mounted, flushed or frozen. */
  flushed: boolean;
  aborted: boolean;
}

/** Log sequence numbers of XFS: cycle and block. */
export interface XfsLogHead {
  kind: 'xfs';
  /** Everything before it was handed out to be written; nothing from it on was. */
  next: { cycle: number; block: number };
  /** A record that is known to be wholly on the disk. Null when the kernel does not keep it. */
  written: { cycle: number; block: number } | null;
  shutDown: boolean;
}

export interface BtrfsHead {
  kind: 'btrfs';
  committed: number;
  /** Its superblocks may just be on their way to the disk. */
  committing: number | null;
  /** Address of the log tree in the superblock that was written last; 0: none. Null while another may be on its way. */
  logRoot: number | null;
  aborted: boolean;
}

export type LogHead = JournalHead | XfsLogHead | BtrfsHead;

/** @returns null when this file system keeps none that is read here; a text that says why it could not be read */
export async function readLogHead(kernel: LinuxKernel, block: StructureView, type: string): Promise<LogHead | string | null> {
  const reader = { ext4: readJournal, ext3: readJournal, xfs: readXfsLog, btrfs: readBtrfs }[type];
  if (!reader) return null;
  try {
    return await reader(kernel, block);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

const JOURNAL_ABORTED = 0x2n;
const JOURNAL_FLUSHED = 0x8n;

async function readJournal(kernel: LinuxKernel, block: StructureView): Promise<JournalHead | null> {
  const address = await memberPointer(kernel, block, 'ext4_sb_info', 's_journal');
  if (address === 0n) return null;
  const journal = await kernel.view('journal_s', address);
  const committing = journal.value('j_committing_transaction');
  return {
    kind: 'jbd2',
    committed: journal.number('j_commit_sequence'),
    committing: committing === 0n ? null : (await kernel.view('transaction_s', committing)).number('t_tid'),
    flushed: (journal.value('j_flags') & JOURNAL_FLUSHED) !== 0n,
    aborted: (journal.value('j_flags') & JOURNAL_ABORTED) !== 0n || journal.value('j_errno') !== 0n,
  };
}

/** Bits of the log's state since 5.17; flags before. */
const LOG_IO_ERROR_BIT = 1n << 3n;

async function readXfsLog(kernel: LinuxKernel, block: StructureView): Promise<XfsLogHead> {
  const log = await kernel.view('xlog', await memberPointer(kernel, block, 'xfs_mount', 'm_log'));
  const written = log.has('l_last_sync_lsn')
    ? log.value('l_last_sync_lsn.counter', 'l_last_sync_lsn')
    : log.has('l_ailp') && kernel.hasField('xfs_ail', 'ail_head_lsn')
      ? (await log.follow('l_ailp', 'xfs_ail')).value('ail_head_lsn')
      : null;
  return {
    kind: 'xfs',
    next: { cycle: log.number('l_curr_cycle'), block: log.number('l_curr_block') },
    written: written === null ? null : { cycle: Number(written >> 32n), block: Number(written & 0xffff_ffffn) },
    shutDown: (log.value('l_opstate', 'l_flags') & LOG_IO_ERROR_BIT) !== 0n,
  };
}

/** States of a transaction from the one on in which its superblock is made and written: COMMIT_DOING, numbered one higher since 6.5. */
const WRITING_SUPERBLOCKS = 2;
const MAX_TRANSACTIONS = 16;

async function readBtrfs(kernel: LinuxKernel, block: StructureView): Promise<BtrfsHead> {
  const info = await block.follow('s_fs_info', 'btrfs_fs_info');
  const committed = info.number('last_trans_committed');
  let committing: number | null = null;
  for (const address of await kernel.list(info.place('trans_list'), 'btrfs_transaction', 'list', MAX_TRANSACTIONS)) {
    const transaction = await kernel.view('btrfs_transaction', address);
    if (transaction.number('transid') === committed + 1 && transaction.number('state') >= WRITING_SUPERBLOCKS) committing = committed + 1;
  }
  const logRoot = committing === null ? await readLogRoot(kernel, info) : null;
  return { kind: 'btrfs', committed, committing, logRoot, aborted: (await fileSystemError(kernel, info)) !== 0n };
}

const SUPERBLOCK_LOG_ROOT = 0x60n;

/** Each fsync writes the superblocks with another log tree, without a new generation. */
async function readLogRoot(kernel: LinuxKernel, info: StructureView): Promise<number | null> {
  const tree = info.value('log_root_tree');
  const commits = tree === 0n ? null : (await kernel.view('btrfs_root', tree)).slice('log_commit');
  if (commits?.some((byte) => byte !== 0)) return null;
  return Number(await kernel.pointer(info.value('super_for_commit') + SUPERBLOCK_LOG_ROOT));
}

/** The error that stopped it; before 6.2 a bit of its state. */
async function fileSystemError(kernel: LinuxKernel, info: StructureView): Promise<bigint> {
  return kernel.hasField('btrfs_fs_info', 'fs_error') ? info.value('fs_error') : info.value('fs_state') & 1n;
}

async function memberPointer(kernel: LinuxKernel, block: StructureView, structure: string, member: string): Promise<bigint> {
  const { offset } = kernel.field(structure, member);
  return kernel.pointer(block.value('s_fs_info') + BigInt(offset));
}
