/** How far the log of an XFS has come on the disk. */
import type { ByteSource } from '../../types.js';
import { endsWithUnmount } from './capture-state.js';
import { findLogEnds } from './log-head.js';
import { LOG_BLOCK_BYTES, LogBlocks, type LogPlace } from './log-records.js';
import { newestChange, previousBlock } from './log-times.js';
import { readXfsSuperblock } from './superblock.js';

export interface XfsLogPosition {
  /** Where the last whole record begins. */
  last: LogPlace;
  /** The block at which the record before it begins, as it says itself. */
  previous: number;
  /** The newest change that the last records hold, since 1970 by the guest's clock; null: not told. */
  seconds: number | null;
  /** Where the next one will begin. */
  head: LogPlace;
  /** Where the log begins in the volume. */
  offset: number;
  /** The last record says that the file system was unmounted: nothing was written since it was mounted again. */
  unmounted: boolean;
  /** Of the log, in blocks of 512 bytes. */
  blocks: number;
}

/** Null when the log lies elsewhere or cannot be read. */
export async function readXfsLogPosition(source: ByteSource): Promise<XfsLogPosition | null> {
  const sb = await readXfsSuperblock(source);
  if (!sb || sb.logOffset === null) return null;
  const blocks = sb.logBytes / LOG_BLOCK_BYTES;
  if (blocks < 2 || !(sb.logOffset + sb.logBytes <= source.sizeBytes)) return null;
  const log = new LogBlocks(source, sb.logOffset, blocks);
  const ends = await findLogEnds(log);
  if (!ends) return null;
  const { last, head } = ends;
  const unmounted = await endsWithUnmount(log, ends);
  const seconds = await newestChange(log, last);
  return { last: last.place, previous: previousBlock(last), seconds, head, unmounted, offset: sb.logOffset, blocks };
}
