/** Damage done to copies of real files, as disks and hypervisors do it. For tests beside the checks and for the campaign. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** As many bytes as the file has there: fewer than asked for at its end. */
export function readAt(path: string, offset: number, lengthBytes: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(lengthBytes);
    return buffer.subarray(0, readSync(file, buffer, 0, lengthBytes, offset));
  } finally {
    closeSync(file);
  }
}

/** Changes bytes of a file in place, or adds them at its end. */
export function writeAt(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(file);
  }
}

export function sizeOf(path: string): number {
  return statSync(path).size;
}

export function append(path: string, bytes: Uint8Array): void {
  writeAt(path, sizeOf(path), bytes);
}

export function shorten(path: string, byBytes: number): void {
  truncateSync(path, sizeOf(path) - byBytes);
}

export function zero(path: string, offset: number, lengthBytes: number): void {
  writeAt(path, offset, Buffer.alloc(lengthBytes));
}

export function flipBit(path: string, offset: number, bit = 0): void {
  const [byte = 0] = readAt(path, offset, 1);
  writeAt(path, offset, Buffer.of(byte ^ (1 << bit)));
}

/** Exchanges two ranges: a misdirected write. */
export function swap(path: string, first: number, second: number, lengthBytes: number): void {
  const [a, b] = [readAt(path, first, lengthBytes), readAt(path, second, lengthBytes)];
  writeAt(path, first, b);
  writeAt(path, second, a);
}

/** A write that never reached the disk: the range is as in `older`, the same file of an earlier capture. */
export function stale(path: string, offset: number, lengthBytes: number, older: string): void {
  writeAt(path, offset, readAt(older, offset, lengthBytes));
}

/** The first half of a page was written, the second was not: it is as in `older`, an earlier capture; where that says the same, bytes are changed. */
export function tear(path: string, offset: number, pageBytes: number, older: string | null = null): void {
  const half = pageBytes / 2;
  const now = readAt(path, offset + half, half);
  const before = older === null ? now : readAt(older, offset + half, half);
  const torn = before.length === now.length && !before.equals(now) ? before : now.map((byte) => byte ^ 0x11);
  writeAt(path, offset + half, torn);
}

/** Replaces parts of a folder, which must be there, by the same parts of another capture: two disks of different instants. Owners and links stay. */
export function takeFrom(other: string, folder: string, parts: string[]): void {
  for (const part of parts) {
    rmSync(join(folder, part), { recursive: true });
    execFileSync('cp', ['-a', join(other, part), join(folder, part)]);
  }
}

/** Repeatable numbers in 0..1. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
