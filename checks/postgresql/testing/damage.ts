/** Ways in which backups go wrong, done to a captured folder. */
import { closeSync, cpSync, openSync, readdirSync, readSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { segmentName } from '../format/names.js';

const PAGE_BYTES = 8192;
const SEGMENT_BYTES = 16 * 1024 * 1024;

export function copyOf(folder: string, name: string): string {
  const target = `${folder}-${name}`;
  cpSync(folder, target, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return target;
}

/** Replaces a part (`base`, `pg_wal`) by the same part of another capture: two disks of different instants. */
export function takeFrom(other: string, folder: string, part: string): void {
  rmSync(join(folder, part), { recursive: true });
  cpSync(join(other, part), join(folder, part), { recursive: true });
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

/** The first half of the page was written, the second was not. */
export function tearPage(path: string, block: number): void {
  const second = readAt(path, block * PAGE_BYTES + PAGE_BYTES / 2, PAGE_BYTES / 2);
  writeAt(
    path,
    block * PAGE_BYTES + PAGE_BYTES / 2,
    second.map((byte) => byte ^ 0x11),
  );
}

export function flipBit(path: string, offset: number): void {
  const [byte = 0] = readAt(path, offset, 1);
  writeAt(path, offset, Uint8Array.of(byte ^ 4));
}

export function swapPages(path: string, one: number, other: number): void {
  const first = readAt(path, one * PAGE_BYTES, PAGE_BYTES);
  writeAt(path, one * PAGE_BYTES, readAt(path, other * PAGE_BYTES, PAGE_BYTES));
  writeAt(path, other * PAGE_BYTES, first);
}

/** Zeroes log from one LSN on; whole pages. */
export function zeroLog(folder: string, lsn: number, lengthBytes: number): void {
  for (let at = lsn - (lsn % PAGE_BYTES); at < lsn + lengthBytes; at += PAGE_BYTES) {
    writeAt(logSegment(folder, at), at % SEGMENT_BYTES, Buffer.alloc(PAGE_BYTES));
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

export function appendBytes(path: string, bytes: Uint8Array): void {
  writeAt(path, statSync(path).size, bytes);
}
