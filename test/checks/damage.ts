/** Damage done to copies of real files, as disks and hypervisors do it. For tests beside the checks. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/** Changes bytes of a file in place. */
export function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}

export function zero(path: string, offset: number, lengthBytes: number): void {
  overwrite(path, offset, Buffer.alloc(lengthBytes));
}

export function readAt(path: string, offset: number, lengthBytes: number): Buffer {
  const file = openSync(path, 'r');
  const buffer = Buffer.alloc(lengthBytes);
  readSync(file, buffer, 0, lengthBytes, offset);
  closeSync(file);
  return buffer;
}

export function flipBit(path: string, offset: number, bit = 0): void {
  const [byte = 0] = readAt(path, offset, 1);
  overwrite(path, offset, Buffer.of(byte ^ (1 << bit)));
}

export function sizeOf(path: string): number {
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  closeSync(file);
  return size;
}

/** Exchanges two ranges: a misdirected write. */
export function swap(path: string, first: number, second: number, lengthBytes: number): void {
  const [a, b] = [readAt(path, first, lengthBytes), readAt(path, second, lengthBytes)];
  overwrite(path, first, b);
  overwrite(path, second, a);
}

/** Repeatable numbers in 0..1. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
