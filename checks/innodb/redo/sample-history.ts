/**
 * What the log of MySQL 8 from before the checkpoint says of pages: of each block the first change of the first group that begins in it.
 * That is a sample, and a sure one: when the checkpoint was written, every page that was changed before it was on disk.
 */
import { firstChange, isKnownType } from '../format/mysql-record.js';
import type { LogKnowledge } from './knowledge.js';

const BLOCK = 512;
/** Of the groups met, more than one in so many of no known type means that the log is of another form. */
const UNKNOWN_SHARE = 50;

export interface HistoryBlock {
  /** From the first group that begins in it to its end; null: none begins, or it cannot be read without a key. */
  group: Uint8Array | null;
  /** LSN of that group. */
  lsn: number;
}

export interface Sample {
  from: number;
  changes: number;
}

/** @param blockAt the block at an LSN; null when it is not there any more. */
export async function sampleHistory(
  oldest: number,
  checkpoint: number,
  blockAt: (lsn: number) => Promise<HistoryBlock | null>,
  knowledge: LogKnowledge,
  signal: AbortSignal,
): Promise<Sample> {
  const sample: Sample = { from: checkpoint, changes: 0 };
  let pending: { space: number; page: number; lsn: number } | null = null;
  let groups = 0;
  let unknown = 0;
  for (let lsn = oldest; lsn < checkpoint; lsn += BLOCK) {
    if (lsn % (4096 * BLOCK) === 0) signal.throwIfAborted();
    const block = await blockAt(lsn);
    if (!block) pending = null;
    if (!block?.group) continue;
    // Where the next group begins the one before has ended: only such a one may lie before the checkpoint as a whole.
    if (pending && block.lsn <= checkpoint) {
      knowledge.pastChange(pending.space, pending.page, pending.lsn);
      sample.from = Math.min(sample.from, pending.lsn);
      sample.changes++;
    }
    groups++;
    if (!isKnownType(block.group[0] ?? 0)) unknown++;
    const change = firstChange(block.group);
    pending = change && change !== 'none' ? { ...change, lsn: block.lsn } : null;
  }
  if (unknown * UNKNOWN_SHARE <= groups) return sample;
  knowledge.forgetPast();
  return { from: checkpoint, changes: 0 };
}
