/** Says whether the redo log of an instance ends on the disk as the saved memory knows it: of one instant, or not. */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { CheckContext, NoOptions } from '../../../src/check.js';
import { defineSavedMemoryCheck, notTested } from '../../../src/engines/saved-memory.js';
import type { DatabaseInstance } from '../../../src/types.js';
import type { GuestRam } from '../../../src/ways.js';
import type { LogFacts } from '../redo/facts.js';
import { openRawLog, type RawLog } from '../redo/raw-log.js';
import { instanceLog } from '../static-pass.js';
import { notInnodb } from '../words.js';
import { findCached } from './cached.js';
import { judgeSavedMemory, type SavedMemoryEvidence } from './judge.js';
import { LogIndex, tailOf } from './log-index.js';
import { newestOf } from './newest.js';

export default defineSavedMemoryCheck<SavedMemoryEvidence>({
  id: 'innodb/saved-memory',
  title: 'The redo log agrees with the saved memory',
  failureTitle: 'The redo log and the saved memory are of different instants: resuming would destroy data',
  description: 'Looks for the end of the redo log, for what stands before it, and for its checkpoints anywhere in the saved memory, whatever system ran in it.',
  skipReason: notInnodb,
  collect,
  evaluate: judgeSavedMemory,
});

async function collect(instance: DatabaseInstance, ram: GuestRam, context: CheckContext<NoOptions>): Promise<SavedMemoryEvidence> {
  const { inspection, labs, signal } = context;
  const { log } = (await instanceLog(instance, context)).redo;
  if (log.state !== 'ok') throw notTested(`its redo log cannot be followed: ${log.why}`);
  const { facts } = log;
  if (!facts.checkpointSeen || facts.beyond || facts.end < facts.checkpointEnd) throw notTested('its redo log is broken, and its end cannot be told');
  const blocks = new BlockReader();
  try {
    const raw = await openRawLog(labs.files, instance, blocks);
    if (!raw) throw notTested('the files of its redo log cannot be read');
    const { checkpoint, end, cleanShutdown } = facts;
    return {
      onDisk: { checkpoint, end, isRunning: !cleanShutdown },
      cached: await cachedLog(raw, facts, ram, signal),
      others: inspection.databases.filter(({ engine }) => engine === 'innodb').length > 1,
    };
  } finally {
    await blocks.close();
  }
}

async function cachedLog(log: RawLog, { checkpoint, end }: LogFacts, ram: GuestRam, signal: AbortSignal): Promise<SavedMemoryEvidence['cached']> {
  const tail = await tailOf(log, end);
  if (!tail) return { tail: null, newest: null, checkpoints: { before: null, within: null, beyond: null } };
  const index = await LogIndex.before(log, end, signal);
  const found = await findCached(ram, { log, index, tail, checkpoint, end }, signal);
  return { tail: found.tail, newest: found.tail ? null : await newestOf(log, ram, index.firstLsn, found.hits), checkpoints: found.checkpoints };
}
