/**
 * Finds where an XFS log ends (its head) and from where it would be replayed (its tail), as a mount would.
 * The log is a circle: blocks before the head carry the newest cycle number, blocks after it the one before.
 * Cycle numbers are searched by halving, so that a log of 2 GB costs some twenty reads; what may have been written
 * out of order (eight buffers of 256 KiB) is read wholly.
 */
import { cycleOf, LOG_BLOCK_BYTES, type LogBlocks, type LogPlace, type LogRecord, parseRecord } from './log-records.js';

/** Eight in-core buffers of 256 KiB may be in flight. */
const IN_FLIGHT_BLOCKS = (8 * 256 * 1024) / LOG_BLOCK_BYTES;

export interface LogEnds {
  /** First block that was not written, with the cycle that will write it. */
  head: LogPlace;
  tail: LogPlace;
  /** The last whole record: it names the tail. */
  last: LogRecord;
  /** Blocks between tail and head. */
  blocks: number;
}

/** Null when there is no record before the head: the log was never used, or is no log. */
export async function findLogEnds(log: LogBlocks): Promise<LogEnds | null> {
  const guess = await guessHead(log);
  if (!guess) return null;
  const span = Math.min(IN_FLIGHT_BLOCKS * 2, log.blocks);
  const window = await log.read(guess.block - span, span);
  const usable = wholePrefix(window, guess, span);
  const last = lastRecord(window, guess.block - span, usable, log.blocks);
  if (!last) return null;
  const end = last.block + last.blocks;
  const head = end >= log.blocks ? { cycle: last.place.cycle + 1, block: end - log.blocks } : { cycle: last.place.cycle, block: end };
  return { head, tail: last.tail, last, blocks: distance(last.tail, head, log.blocks) };
}

/** The first block not written in the newest cycle, by cycle numbers alone; null when the log holds only zeroes. */
async function guessHead(log: LogBlocks): Promise<LogPlace | null> {
  const first = await log.cycleAt(0);
  const last = await log.cycleAt(log.blocks - 1);
  if (first === 0) return null;
  if (first === last) return { cycle: first, block: log.blocks };
  let low = 0;
  let high = log.blocks - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((await log.cycleAt(middle)) === first) low = middle;
    else high = middle;
  }
  return { cycle: first, block: high };
}

/** How many blocks of the window come before the first one that the newest cycle skipped: buffers reach the disk in any order. */
function wholePrefix(window: Buffer, guess: LogPlace, span: number): number {
  for (let i = Math.max(0, span - IN_FLIGHT_BLOCKS); i < span; i++) {
    const wrapped = guess.block - span + i < 0;
    if (cycleOf(window, i) < (wrapped ? guess.cycle - 1 : guess.cycle)) return i;
  }
  return span;
}

/** The last record that ends before the hole or the head; one that reaches beyond it was not written wholly. */
function lastRecord(window: Buffer, startBlock: number, usable: number, logBlocks: number): LogRecord | null {
  for (let i = usable - 1; i >= 0; i--) {
    const block = (startBlock + i + logBlocks) % logBlocks;
    const record = parseRecord(window.subarray(i * LOG_BLOCK_BYTES, (i + 1) * LOG_BLOCK_BYTES), block, logBlocks);
    if (record && i + record.blocks <= usable) return record;
  }
  return null;
}

function distance(tail: LogPlace, head: LogPlace, logBlocks: number): number {
  return (head.cycle - tail.cycle) * logBlocks + head.block - tail.block;
}
