/**
 * Holds the end of a redo log on disk against what of the log stands in memory. A server that runs keeps what it wrote last in its buffers,
 * and prepares a checkpoint only when the log up to it is on the disk.
 */
import { judgeTold, type Told } from '../../../src/engines/saved-memory.js';
import type { Judgement } from '../../../src/types.js';
import type { CachedCheckpoints } from './cached.js';
import type { Newest } from './newest.js';

export interface SavedMemoryEvidence {
  /** `isRunning`: the server did not shut it down. LSNs. */
  onDisk: { checkpoint: number; end: number; isRunning: boolean };
  cached: {
    /** The end of the log stands in memory. Null: it is too short to be looked for. */
    tail: boolean | null;
    /** How far the log in memory follows that on the disk before its end; null: nothing of it is there, or its end is. */
    newest: Newest | null;
    checkpoints: CachedCheckpoints;
  };
  /** Other instances are there, which may hold copies of the same log. */
  others: boolean;
}

export function judgeSavedMemory(evidence: SavedMemoryEvidence): Judgement {
  const { checkpoint, end } = evidence.onDisk;
  // Nothing in such a log names its instance.
  const told: Told = { ...compare(evidence), proven: false };
  return judgeTold(told, { engine: 'innodb', title: 'The redo log', name: 'the redo log', where: { checkpoint, end } });
}

function compare({ onDisk, cached, others }: SavedMemoryEvidence): Omit<Told, 'proven'> {
  const { tail, newest, checkpoints } = cached;
  const { before, within, beyond } = checkpoints;
  const isHere = tail === true || newest !== null;
  // A server has one buffer for checkpoints: with what fits the disk in it, one from behind the end is left of another server.
  if (isHere && onDisk.isRunning && !others && beyond !== null && within === null)
    return { relation: 'earlier', how: `it ends at ${onDisk.end}, and a checkpoint at ${beyond} stands in memory` };
  if (tail === true) return { relation: 'agrees', how: `its end at ${onDisk.end} stands in memory` };
  const why = whyNotTold({ onDisk, cached, others });
  if (why !== null || newest === null) return { relation: 'unknown', how: why ?? '' };
  const how = `it ends at ${onDisk.end}, and in memory it is followed to ${newest.lsn}`;
  return within === null && before !== null
    ? { relation: 'later', how: `${how}, with a checkpoint at ${before} before that on the disk` }
    : { relation: 'differs', how };
}

function whyNotTold({ onDisk, cached: { tail, newest, checkpoints }, others }: SavedMemoryEvidence): string | null {
  if (tail === null) return `too little of it stands in its last block, at ${onDisk.end}`;
  if (newest === null) return 'nothing of it stands in memory';
  if (others) return 'other instances are there, which may hold a copy of it';
  if (!onDisk.isRunning) return 'it was shut down, and nobody keeps it in memory then';
  if (!newest.isTwice) return `in memory it can be followed to ${newest.lsn}, but not as in the buffers of a server that runs`;
  if (checkpoints.within === null && checkpoints.before === null) return 'no checkpoint of it stands in memory, as of a server that runs';
  return null;
}
