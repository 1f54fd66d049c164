/** How far a journal (jbd2) has come on the disk, as a replay would take it. */
import type { ByteSource } from '../../types.js';
import { measureJournal, openJournal } from './journal.js';
import { readExtSuperblock } from './superblock.js';

const SEQUENCES = 2 ** 32;

export interface JournalPosition {
  /** Number of the newest whole transaction. Of an empty journal the number before the next one: a mount skips one number more. */
  committed: number;
  empty: boolean;
  /** When it was committed, since 1970 by the guest's clock; null when the journal is empty: then nothing of it is kept. */
  seconds: number | null;
  journalUuid: string | null;
  /** Where the journal begins in the volume. */
  offset: number;
  blockBytes: number;
  /** Commit blocks carry a checksum that holds for this journal alone. */
  checksums: boolean;
}

const INCOMPAT_CHECKSUMS = 0x18;

/** Null when there is no journal inside the volume, or it cannot be read. */
export async function readJournalPosition(source: ByteSource): Promise<JournalPosition | null> {
  const sb = await readExtSuperblock(source);
  if (!sb?.hasJournal || sb.journalInode === 0 || sb.isJournalDevice) return null;
  const opened = await openJournal(source, sb);
  if (!opened) return null;
  const { journal, jsb } = opened;
  const last = jsb.start === 0 ? null : (await measureJournal(journal, jsb)).lastCommit;
  return {
    // The superblock names the transaction that comes next at its start.
    committed: last?.sequence ?? (jsb.sequence + SEQUENCES - 1) % SEQUENCES,
    empty: jsb.start === 0,
    seconds: last?.seconds ?? null,
    journalUuid: jsb.uuid,
    offset: journal.offset,
    blockBytes: jsb.blockBytes,
    checksums: (jsb.incompat & INCOMPAT_CHECKSUMS) !== 0,
  };
}
