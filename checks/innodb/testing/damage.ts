/** Damage that needs to know InnoDB's formats: its log and its doublewrite buffer. Pages are 16 KiB. */
import { join } from 'node:path';
import { readAt, sizeOf, zero } from '../../testing/damage.js';
import { ringCheckpoint } from '../redo/ring.js';

export const PAGE_BYTES = 16384;
const RING_START = 12288;

/** Where the bytes of an LSN lie in the log of MariaDB 10.8 and later, and what its newest checkpoint is. */
export function logPlace(folder: string, lsn: number): { path: string; offset: number; left: number } {
  const path = join(folder, 'ib_logfile0');
  const first = readAt(path, 8, 8);
  const firstLsn = first.readUInt32BE(0) * 2 ** 32 + first.readUInt32BE(4);
  const capacity = sizeOf(path) - RING_START;
  const inRing = (lsn - firstLsn) % capacity;
  return { path, offset: RING_START + inRing, left: capacity - inRing };
}

export function logCheckpoint(folder: string): { lsn: number; endLsn: number } {
  const head = readAt(join(folder, 'ib_logfile0'), 0, RING_START);
  const checkpoint = ringCheckpoint(head, 0);
  if (!checkpoint) throw new Error('the captured log holds no checkpoint');
  return checkpoint;
}

/** Zeroes the log from one LSN on. */
export function zeroLog(folder: string, lsn: number, lengthBytes: number): void {
  for (let done = 0; done < lengthBytes; ) {
    const { path, offset, left } = logPlace(folder, lsn + done);
    const length = Math.min(left, lengthBytes - done);
    zero(path, offset, length);
    done += length;
  }
}

/** The log ends at an LSN: what follows was never written. */
export function cutLog(folder: string, lsn: number, end: number): void {
  zeroLog(folder, lsn, Math.max(0, end - lsn) + 65536);
}

/** Empties the doublewrite buffer of an instance with pages of 16 KiB: nothing heals a torn page then. */
export function forgetCopies(folder: string): void {
  zero(join(folder, 'ibdata1'), 64 * PAGE_BYTES, 128 * PAGE_BYTES);
}
