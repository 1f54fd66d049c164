/** Byte sources: the one way in which snapproof reads images, volumes and guest files on the host. */
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import type { ByteMap, ByteSource, Extent, SourceSpec } from '../types.js';
import { NbdSource } from './nbd.js';
import { assertInside } from './range.js';

const TURN_BYTES = 32 * 1024 * 1024;

/** Opens what a spec names, read-only. */
export async function openSource(spec: SourceSpec): Promise<ByteSource> {
  return spec.kind === 'file' ? FileSource.open(spec.path) : NbdSource.open(spec.socketPath, spec.exportName);
}

/** A plain file of the host, read-only. */
export class FileSource implements ByteSource {
  private constructor(
    private readonly handle: FileHandle,
    readonly sizeBytes: number,
  ) {}

  static async open(path: string): Promise<FileSource> {
    const handle = await open(path, 'r');
    const { size } = await handle.stat();
    return new FileSource(handle, size);
  }

  async read(offset: number, length: number): Promise<Buffer> {
    assertInside(offset, length, this.sizeBytes);
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.handle.read(buffer, done, length - done, offset + done);
      if (bytesRead === 0) throw new RangeError(`file became shorter while it was read: ${offset + done} of ${this.sizeBytes} bytes`);
      done += bytesRead;
    }
    return buffer;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** Bytes already in memory: small structures, unit tests. */
export class BufferSource implements ByteSource {
  constructor(private readonly buffer: Buffer) {}

  get sizeBytes(): number {
    return this.buffer.length;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    assertInside(offset, length, this.buffer.length);
    return Buffer.from(this.buffer.subarray(offset, offset + length));
  }

  async close(): Promise<void> {}
}

/** A `ByteMap` as one source; opens each of its sources at the first read that needs it. */
export class MappedSource implements ByteSource {
  private readonly opened = new Map<number, Promise<ByteSource>>();
  private sinceTurn = 0;

  constructor(private readonly map: ByteMap) {}

  get sizeBytes(): number {
    return this.map.sizeBytes;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    assertInside(offset, length, this.map.sizeBytes);
    const extents = extentsWithin(this.map.extents, offset, length);
    const [only] = extents;
    // The common case needs no second buffer and no copy.
    if (only && only.lengthBytes === length && only.source !== null) return (await this.source(only.source)).read(only.sourceOffset, length);
    const result = Buffer.alloc(length);
    const reads: Promise<void>[] = [];
    for (const extent of extents) {
      if (extent.source !== null) reads.push(this.fill(result, extent, offset, extent.source));
    }
    await Promise.all(reads);
    if (reads.length === 0) await this.holeRead(length);
    return result;
  }

  /** Holes wait for nothing: now and then everybody else has a turn, so that timeouts and Ctrl-C are heard in a file that is one large hole. */
  private async holeRead(lengthBytes: number): Promise<void> {
    this.sinceTurn += lengthBytes;
    if (this.sinceTurn < TURN_BYTES) return;
    this.sinceTurn = 0;
    await turn();
  }

  private async fill(target: Buffer, extent: Extent, base: number, index: number): Promise<void> {
    const source = await this.source(index);
    (await source.read(extent.sourceOffset, extent.lengthBytes)).copy(target, extent.offset - base);
  }

  private source(index: number): Promise<ByteSource> {
    let source = this.opened.get(index);
    if (!source) {
      const spec = this.map.sources[index];
      if (!spec) throw new RangeError(`extent names source ${index}, the map has ${this.map.sources.length}`);
      source = openSource(spec);
      this.opened.set(index, source);
    }
    return source;
  }

  async close(): Promise<void> {
    const sources = await Promise.allSettled(this.opened.values());
    this.opened.clear();
    await Promise.all(sources.map((result) => (result.status === 'fulfilled' ? result.value.close() : undefined)));
  }
}

/** The parts of sorted extents that fall within a range, clipped to it. Binary search: maps of large disks hold 100,000 extents. */
export function extentsWithin(extents: Extent[], offset: number, length: number): Extent[] {
  const end = offset + length;
  const result: Extent[] = [];
  for (let i = firstReaching(extents, offset); i < extents.length; i++) {
    const extent = extents[i] as Extent;
    if (extent.offset >= end) break;
    const from = Math.max(extent.offset, offset);
    const to = Math.min(extent.offset + extent.lengthBytes, end);
    if (to <= from) continue;
    result.push({ offset: from, lengthBytes: to - from, source: extent.source, sourceOffset: extent.sourceOffset + (from - extent.offset) });
  }
  return result;
}

/** Index of the first extent that ends after `offset`. */
function firstReaching(extents: Extent[], offset: number): number {
  let low = 0;
  let high = extents.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const extent = extents[middle] as Extent;
    if (extent.offset + extent.lengthBytes <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
