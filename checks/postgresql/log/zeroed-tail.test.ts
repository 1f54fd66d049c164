import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap } from '../../../src/types.js';
import type { WalSegment } from './inventory.js';
import { findZeroedTail, type ZeroedTail } from './zeroed-tail.js';

const PAGE = 8192;
const SEGMENT = 64 * PAGE;
const PAGES = SEGMENT / PAGE;

/** `n10 z3` are ten pages and three: `n` of this segment, `o` of the segment that it was before, `z` zeroes, `g` garbage. */
function segment(start: number, runs: string): Buffer {
  const pages = runs.split(' ').flatMap((run) => Array.from({ length: Number(run.slice(1)) }, () => run.charAt(0)));
  expect(pages).toHaveLength(PAGES);
  return Buffer.concat(pages.map((kind, i) => pageOf(kind, start + i * PAGE)));
}

function pageOf(kind: string, address: number): Buffer {
  if (kind === 'z') return Buffer.alloc(PAGE);
  const page = Buffer.alloc(PAGE, 7);
  if (kind === 'g') return page;
  page.writeUInt16LE(0xd110, 0);
  page.writeUInt16LE(0, 2);
  page.writeBigUInt64LE(BigInt(kind === 'n' ? address : address - 4 * SEGMENT), 8);
  page.writeUInt32LE(0, 16);
  return page;
}

describe('the end of a log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sp-tail-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const START = 10 * SEGMENT;

  function mapOf(name: string, bytes: Buffer): ByteMap {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return { sizeBytes: bytes.length, sources: [{ kind: 'file', path }], extents: [{ offset: 0, lengthBytes: bytes.length, source: 0, sourceOffset: 0 }] };
  }

  /** Segments one after the other; one that begins with zeroes is blank. */
  async function look(stoppedAt: number, ...files: string[]): Promise<ZeroedTail | null> {
    const segments = new Map<number, WalSegment>();
    const blank = new Map<number, ByteMap>();
    for (const [i, runs] of files.entries()) {
      const start = START + i * SEGMENT;
      const map = mapOf(`segment${i}`, segment(start, runs));
      if (runs.startsWith('z')) blank.set(start, map);
      else if (runs.startsWith('n')) segments.set(start, { name: '', start, timeline: 1, live: true, map });
      else segments.set(start - 4 * SEGMENT, { name: '', start: start - 4 * SEGMENT, timeline: 1, live: false, map });
    }
    const reader = new BlockReader();
    const request = { inventory: { segments, blank }, geometry: { pageBytes: PAGE, segmentBytes: SEGMENT }, signal: new AbortController().signal };
    return findZeroedTail(reader, request, stoppedAt).finally(() => reader.close());
  }

  const page = (number: number): number => START + number * PAGE;

  it('is overwritten where zeroes are followed by log', async () => {
    const recycled = 'n10 z3 o51';
    expect(await look(page(9), recycled)).toEqual({ from: page(10), pages: 3 });
    expect(await look(page(10), recycled)).toEqual({ from: page(10), pages: 3 });
    expect(await look(page(9), 'n10 z2 n1 o51')).toEqual({ from: page(10), pages: 2 });
  });

  it('is overwritten where that goes on in the next segment, or begins with it', async () => {
    expect(await look(page(60), 'n60 z4', 'z5 o59')).toEqual({ from: page(60), pages: 9 });
    expect(await look(page(63), 'n64', 'z5 o59')).toEqual({ from: page(64), pages: 5 });
  });

  it('is where it ends in a segment that was recycled, or is new, or was filled up by a switch', async () => {
    expect(await look(page(9), 'n10 o54')).toBeNull();
    expect(await look(page(9), 'n10 z54')).toBeNull();
    expect(await look(page(9), 'n10 o20 z34')).toBeNull();
    expect(await look(page(63), 'n10 z54', 'o64')).toBeNull();
    expect(await look(page(63), 'n10 z54', 'z64')).toBeNull();
    expect(await look(page(63), 'n64')).toBeNull();
  });

  it('is no matter of this where zeroes come after older log, or something else comes after zeroes', async () => {
    expect(await look(page(9), 'n10 o5 z5 o44')).toBeNull();
    expect(await look(page(9), 'n10 z5 g49')).toBeNull();
  });
});
