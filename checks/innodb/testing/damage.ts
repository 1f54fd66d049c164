/** Ways in which backups go wrong, done to a captured folder. Pages are 16 KiB unless said otherwise. */
import { closeSync, cpSync, openSync, readSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ringCheckpoint } from '../redo/ring.js';

export const PAGE_BYTES = 16384;
const RING_START = 12288;

/** Replaces parts (`ibdata1`, `ib_logfile0`, `load_test`) by the same parts of another capture: two disks of different instants. */
export function takeFrom(other: string, folder: string, parts: string[]): void {
  for (const part of parts) {
    rmSync(join(folder, part), { recursive: true });
    cpSync(join(other, part), join(folder, part), { recursive: true });
  }
}

export function readAt(path: string, offset: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  const file = openSync(path, 'r');
  readSync(file, bytes, 0, lengthBytes, offset);
  closeSync(file);
  return bytes;
}

export function writeAt(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}

export function flipBit(path: string, offset: number, bit = 2): void {
  const [byte = 0] = readAt(path, offset, 1);
  writeAt(path, offset, Uint8Array.of(byte ^ (1 << bit)));
}

/** The first part of a page was written, the rest was not. `older` is the same file of an earlier capture; where it is the same, bytes are changed. */
export function tearPage(path: string, page: number, older: string | null = null, pageBytes = PAGE_BYTES): void {
  const at = page * pageBytes + pageBytes / 2;
  const now = readAt(path, at, pageBytes / 2);
  const before = older && statSync(older).size >= at + pageBytes / 2 ? readAt(older, at, pageBytes / 2) : now;
  writeAt(path, at, before.equals(now) ? now.map((byte) => byte ^ 0x11) : before);
}

export function swapPages(path: string, one: number, other: number, pageBytes = PAGE_BYTES): void {
  const first = readAt(path, one * pageBytes, pageBytes);
  writeAt(path, one * pageBytes, readAt(path, other * pageBytes, pageBytes));
  writeAt(path, other * pageBytes, first);
}

/** A write that never reached the disk: the page is as in an earlier capture. */
export function stalePage(path: string, page: number, older: string, pageBytes = PAGE_BYTES): void {
  writeAt(path, page * pageBytes, readAt(older, page * pageBytes, pageBytes));
}

export function zeroRange(path: string, offset: number, lengthBytes: number): void {
  writeAt(path, offset, Buffer.alloc(lengthBytes));
}

/** Where the bytes of an LSN lie in the log of MariaDB 10.8 and later, and what its newest checkpoint is. */
export function logPlace(folder: string, lsn: number): { path: string; offset: number; left: number } {
  const path = join(folder, 'ib_logfile0');
  const first = readAt(path, 8, 8);
  const firstLsn = first.readUInt32BE(0) * 2 ** 32 + first.readUInt32BE(4);
  const capacity = statSync(path).size - RING_START;
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
    zeroRange(path, offset, length);
    done += length;
  }
}

/** The log ends at an LSN: what follows was never written. */
export function cutLog(folder: string, lsn: number, end: number): void {
  zeroLog(folder, lsn, Math.max(0, end - lsn) + 65536);
}

/** Empties the doublewrite buffer of an instance with pages of 16 KiB: nothing heals a torn page then. */
export function forgetCopies(folder: string): void {
  zeroRange(join(folder, 'ibdata1'), 64 * PAGE_BYTES, 128 * PAGE_BYTES);
}

export function shorten(path: string, byBytes: number): void {
  truncateSync(path, statSync(path).size - byBytes);
}
