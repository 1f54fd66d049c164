/** Damage that needs to know PostgreSQL's log, and copies of captured folders. */
import { cpSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { zero } from '../../testing/damage.js';
import { segmentName } from '../format/names.js';

const PAGE_BYTES = 8192;
const SEGMENT_BYTES = 16 * 1024 * 1024;

export function copyOf(folder: string, name: string): string {
  const target = `${folder}-${name}`;
  cpSync(folder, target, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return target;
}

/** Zeroes log from one LSN on; whole pages. */
export function zeroLog(folder: string, lsn: number, lengthBytes: number): void {
  for (let at = lsn - (lsn % PAGE_BYTES); at < lsn + lengthBytes; at += PAGE_BYTES) {
    zero(logSegment(folder, at), at % SEGMENT_BYTES, PAGE_BYTES);
  }
}

/** The log ends at an LSN: the rest of its segment is zero and later segments are gone. */
export function cutLog(folder: string, lsn: number): void {
  const segment = logSegment(folder, lsn);
  for (const name of readdirSync(join(folder, 'pg_wal'))) {
    if (/^[0-9A-F]{24}$/.test(name) && join(folder, 'pg_wal', name) > segment) rmSync(join(folder, 'pg_wal', name));
  }
  truncateSync(segment, lsn % SEGMENT_BYTES);
  truncateSync(segment, SEGMENT_BYTES);
}

export function logSegment(folder: string, lsn: number): string {
  return join(folder, 'pg_wal', segmentName(1, lsn - (lsn % SEGMENT_BYTES), SEGMENT_BYTES));
}
