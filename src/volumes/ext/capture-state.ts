/** The state of ext2, ext3 and ext4 as captured: what the superblock and the journal say before anything replays it. */
import type { ByteSource, CaptureState, Facts } from '../../types.js';
import { instantField } from '../reading.js';
import { type JournalSuperblock, measureJournal, openJournal } from './journal.js';
import { type ExtSuperblock, readExtSuperblock } from './superblock.js';

/** Facts: see the README; `logBytes` is what a mount replays. */
export async function readExtState(source: ByteSource): Promise<CaptureState> {
  const sb = await readExtSuperblock(source);
  if (!sb) return { state: 'damaged', why: 'the first superblock of the file system was overwritten or cannot be read', facts: {} };
  const facts = superblockFacts(sb);
  if (sb.isJournalDevice) return { state: 'unknown', why: 'this volume is the external journal of another file system', facts };
  if (sb.checksumValid === false) return { state: 'damaged', why: 'the checksum of the superblock is wrong', facts };
  if (sb.markedErrors || sb.errorCount > 0) return { state: 'damaged', why: errorText(sb), facts };
  return sb.hasJournal ? journalState(source, sb, facts) : stateWithoutJournal(sb, facts);
}

function superblockFacts(sb: ExtSuperblock): Facts {
  return {
    type: sb.type,
    needsRecovery: sb.needsRecovery,
    markedValid: sb.markedValid,
    markedErrors: sb.markedErrors,
    errorCount: sb.errorCount,
    firstErrorFunction: sb.firstErrorFunction,
    firstOrphanInode: sb.firstOrphanInode,
    orphanFile: sb.orphanFile,
    orphanPresent: sb.orphanPresent,
    mountedAt: instantField(sb.mountTime),
    writtenAt: instantField(sb.writeTime),
    lastMountedOn: sb.lastMountedOn,
  };
}

function errorText(sb: ExtSuperblock): string {
  const where = sb.firstErrorFunction ? `, first in ${sb.firstErrorFunction}` : '';
  return `the guest's own kernel had recorded errors in this file system (${sb.errorCount}${where}) and no check had repaired them`;
}

function stateWithoutJournal(sb: ExtSuperblock, facts: Facts): CaptureState {
  if (sb.markedValid) return { state: 'clean', why: 'it has no journal and is marked as cleanly unmounted', facts };
  return { state: 'unknown', why: 'it has no journal and was in use: only its checker can tell whether it is whole', facts: { ...facts, inUse: true } };
}

async function journalState(source: ByteSource, sb: ExtSuperblock, facts: Facts): Promise<CaptureState> {
  if (sb.journalInode === 0) return externalJournalState(sb, facts);
  const opened = await openJournal(source, sb);
  if (!opened) return { state: 'damaged', why: 'the journal cannot be read: its inode or its superblock is damaged', facts };
  const { journal, jsb } = opened;
  Object.assign(facts, { journalBytes: jsb.blocks * sb.blockBytes, journalStart: jsb.start, journalSequence: jsb.sequence, journalErrno: jsb.errno });
  if (jsb.errno !== 0) return { state: 'damaged', why: `the guest's own kernel had aborted the journal (error ${jsb.errno})`, facts };
  if (!sb.needsRecovery) return stateWithoutReplay(sb, jsb, facts);
  const extent = await measureJournal(journal, jsb);
  Object.assign(facts, { logBytes: extent.blocks * sb.blockBytes, logTransactions: extent.transactions });
  const amount = `${extent.transactions} transactions in ${extent.blocks} blocks of the journal`;
  return { state: 'needs-replay', why: `the superblock says that the journal must be replayed: ${amount}`, facts };
}

function externalJournalState(sb: ExtSuperblock, facts: Facts): CaptureState {
  const external = { ...facts, externalJournal: true, journalUuid: sb.journalUuid };
  if (sb.needsRecovery) {
    return {
      state: 'needs-replay',
      why: `its journal lies on another device (${sb.journalUuid ?? 'not named'}) and must be replayed from there`,
      facts: external,
    };
  }
  return { state: hasOrphans(sb) ? 'frozen' : 'quiesced', why: 'its journal lies on another device and needs no replay', facts: external };
}

function stateWithoutReplay(sb: ExtSuperblock, jsb: JournalSuperblock, facts: Facts): CaptureState {
  const quiet = { ...facts, logBytes: 0 };
  if (jsb.start !== 0) return { state: 'damaged', why: 'the journal holds transactions, but the superblock says that nothing needs replay', facts };
  if (!hasOrphans(sb)) return { state: 'quiesced', why: 'nothing needs replay: it was frozen or cleanly unmounted (they look alike)', facts: quiet };
  const what = sb.firstOrphanInode ? `inode ${sb.firstOrphanInode} was deleted but still open` : 'the orphan file was in use';
  return { state: 'frozen', why: `nothing needs replay although it was in use (${what}): it was frozen`, facts: quiet };
}

function hasOrphans(sb: ExtSuperblock): boolean {
  return sb.firstOrphanInode !== 0 || sb.orphanPresent;
}
