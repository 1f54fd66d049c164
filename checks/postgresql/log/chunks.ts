/** Reads consecutive log, chunk by chunk, from the segments that hold it. Bounded memory: one chunk. */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { WalInventory } from './inventory.js';
import type { WalGeometry } from './reader.js';

export interface ChunksRequest {
  inventory: WalInventory;
  geometry: WalGeometry;
  signal: AbortSignal;
  progress(doneBytes: number): void;
}

/** Small enough to stay in the processor's cache until it was looked at. */
const CHUNK_BYTES = 256 * 1024;

export class LogChunks {
  readonly blocks = new BlockReader();
  private readonly chunk = Buffer.alloc(CHUNK_BYTES);
  private doneBytes = 0;

  constructor(private readonly request: ChunksRequest) {}

  close(): Promise<void> {
    return this.blocks.close();
  }

  /** As long as there are segments for it; `take` false ends it. */
  async each(from: number, to: number, take: (bytes: Buffer, count: number, address: number) => boolean): Promise<void> {
    const { segmentBytes, pageBytes } = this.request.geometry;
    for (let address = from; address < to; ) {
      this.request.signal.throwIfAborted();
      const start = address - (address % segmentBytes);
      const map = this.request.inventory.segments.get(start)?.map;
      const inSegment = Math.min(map?.sizeBytes ?? 0, segmentBytes) - (address - start);
      const count = Math.min(CHUNK_BYTES, inSegment - (inSegment % pageBytes));
      if (!map || count <= 0) return;
      await this.blocks.read(map, address - start, this.chunk, count);
      this.doneBytes += count;
      this.request.progress(this.doneBytes);
      if (!take(this.chunk, count, address)) return;
      address += count;
    }
  }
}
