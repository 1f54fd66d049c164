/**
 * The guest's RAM, read through the file behind it: QEMU is not asked, and the guest not stopped.
 * Where it lies is taken from QEMU's own map of the machine, `info mtree -f`.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Look } from '../../../ways.js';

/** A run of guest-physical addresses. */
export interface RamRange {
  address: number;
  lengthBytes: number;
  /** In the file. */
  fileOffset: number;
}

const PAGE_BYTES = 4096;
/** 16 MiB are remembered; reading them takes some milliseconds. */
const SAMPLED_PAGES = 4096;
/** Between these, ROMs and video memory overlay the RAM by turns: only QEMU can say what lies there now. */
export const OVERLAID = { from: 0xa0000, to: 0x100000 };

export class GuestMemory {
  private readonly file: number;
  private readonly sample: number[];
  private remembered: Buffer | null = null;

  /** @param path of the file behind the RAM. @throws when it cannot be opened */
  constructor(
    path: string,
    readonly ranges: RamRange[],
  ) {
    this.file = openSync(path, 'r');
    this.sample = samplePages(ranges);
  }

  /** Null where only QEMU can tell what is there. @throws RangeError outside of RAM */
  read(address: number, lengthBytes: number): Buffer | null {
    if (isOverlaid(address, lengthBytes)) return null;
    const range = this.ranges.find((each) => address >= each.address && address + lengthBytes <= each.address + each.lengthBytes);
    if (!range) throw new RangeError(`the machine has no RAM at ${address}..${address + lengthBytes}`);
    const bytes = Buffer.alloc(lengthBytes);
    readSync(this.file, bytes, 0, lengthBytes, range.fileOffset + address - range.address);
    return bytes;
  }

  /** Compares the sample with that of the call before; the first call has nothing to compare, and gives null. */
  compare(): Look['memory'] {
    const now = Buffer.allocUnsafe(this.sample.length * PAGE_BYTES);
    for (const [index, offset] of this.sample.entries()) readSync(this.file, now, index * PAGE_BYTES, PAGE_BYTES, offset);
    const before = this.remembered;
    this.remembered = now;
    if (!before) return null;
    let changed = 0;
    for (let at = 0; at < now.length; at += PAGE_BYTES) if (now.compare(before, at, at + PAGE_BYTES, at, at + PAGE_BYTES) !== 0) changed++;
    return { changed, sampled: this.sample.length };
  }

  close(): void {
    closeSync(this.file);
  }
}

/** `0000000000100000-0000000027ffffff (prio 0, ram): pc.ram @0000000000100000`, in the view of the processors. */
export function parseRamRanges(memoryTree: string): RamRange[] {
  const view = memoryTree.split(/^FlatView #\d+$/m).find((each) => /^ AS "memory",/m.test(each)) ?? '';
  const lines = view.matchAll(/^ {2}([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d+, ram\): pc\.ram(?: @([0-9a-f]{16}))?/gm);
  return [...lines].map(([, first = '', last = '', offset = '0']) => {
    const address = Number.parseInt(first, 16);
    return { address, lengthBytes: Number.parseInt(last, 16) - address + 1, fileOffset: Number.parseInt(offset, 16) };
  });
}

/** Offsets of pages, the same for every machine of this size, in ascending order: one at a pseudo-random place of each equal part. */
export function samplePages(ranges: RamRange[]): number[] {
  const plain = ranges.filter((range) => !isOverlaid(range.address, range.lengthBytes));
  const pages = plain.map(({ fileOffset, lengthBytes }) => ({ first: fileOffset / PAGE_BYTES, count: Math.floor(lengthBytes / PAGE_BYTES) }));
  const total = pages.reduce((sum, { count }) => sum + count, 0);
  const wanted = Math.min(SAMPLED_PAGES, total);
  const random = linearCongruence();
  return Array.from({ length: wanted }, (_, part) => {
    const from = Math.floor((part * total) / wanted);
    const width = Math.floor(((part + 1) * total) / wanted) - from;
    return nthPage(pages, from + Math.floor(random() * width)) * PAGE_BYTES;
  });
}

function isOverlaid(address: number, lengthBytes: number): boolean {
  return address < OVERLAID.to && address + lengthBytes > OVERLAID.from;
}

function nthPage(runs: { first: number; count: number }[], index: number): number {
  let left = index;
  for (const run of runs) {
    if (left < run.count) return run.first + left;
    left -= run.count;
  }
  throw new RangeError(`there is no page ${index}`);
}

/** Numerical Recipes' constants; always the same numbers from 0 to 1. */
function linearCongruence(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
