/**
 * Holds the end of a redo log on disk against what of the log stands in memory. A server that runs keeps what it wrote last in its buffers,
 * and prepares a checkpoint only when the log up to it is on the disk.
 */
import type { Finding, Judgement } from '../../../src/types.js';
import { finding } from '../words.js';
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

type Told = { relation: 'agrees' | 'unknown' | 'earlier' | 'later' | 'differs'; how: string };

const WHAT = 'whether the redo log and the saved memory are of one instant';
const ADVICE =
  'Do not resume before this is clear: where it is true, the server would go on from a log that is not the one on the disk, and destroy its data without a word. The disks alone may still come back by a cold boot. Look for what makes the backup take memory and disks at different moments.';
const WORDS = {
  earlier: 'may be earlier than the saved memory',
  later: 'may be later than the saved memory',
  differs: 'may be of another instant than the saved memory',
};

export function judgeSavedMemory(evidence: SavedMemoryEvidence): Judgement {
  const { relation, how } = compare(evidence);
  if (relation === 'unknown') return { outcome: 'pass', summary: `Cannot be told: ${how}.`, findings: [], tested: [], untested: [open(how, false)] };
  if (relation === 'agrees')
    return { outcome: 'pass', summary: `The redo log agrees with the saved memory: ${how}.`, findings: [], tested: [{ what: WHAT, how }], untested: [] };
  const summary = `The redo log on the disk ${WORDS[relation]}: ${how}.`;
  const { checkpoint, end } = evidence.onDisk;
  const findings: Finding[] = [finding(`saved-memory.disk-${relation}`, 'warning', summary, { checkpoint, end })];
  return { outcome: 'pass', summary, findings, advice: ADVICE, tested: [], untested: [open(`there is doubt, and no proof: ${how}`, true)] };
}

const open = (why: string, holdsData: boolean) => ({ what: WHAT, why, holdsData });

function compare({ onDisk, cached, others }: SavedMemoryEvidence): Told {
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
