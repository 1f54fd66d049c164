/** Reads the pages of one catalogue table that are what the server wrote; those that are not are counted and left out. */
import type { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap } from '../../../src/types.js';
import { createPageChecksums, type PageChecksums } from '../format/checksum.js';
import type { ControlFile } from '../format/control.js';
import { headerIsSane, isNewPage, storedChecksum } from '../format/page.js';

const CHUNK_BYTES = 256 * 1024;

export interface HeapPage {
  bytes: Buffer;
  offset: number;
  block: number;
}

/** Bounded memory: one chunk. The pages that it gives hold until the next is asked for. */
export class HeapReader {
  /** Pages whose checksum or header is wrong. */
  damagedPages = 0;
  private readonly sums: PageChecksums;
  private readonly bytes: Buffer;
  private readonly view: DataView;

  constructor(
    private readonly reader: BlockReader,
    private readonly control: ControlFile,
    private readonly signal: AbortSignal,
  ) {
    this.sums = createPageChecksums(CHUNK_BYTES, control.pageBytes);
    const { buffer, byteOffset, byteLength } = this.sums.buffer;
    this.bytes = Buffer.from(buffer, byteOffset, byteLength);
    this.view = new DataView(buffer, byteOffset, byteLength);
  }

  /** @param maps the segments of the table, in order. */
  async *pages(maps: ByteMap[]): AsyncGenerator<HeapPage> {
    const { pageBytes, relationSegmentPages } = this.control;
    for (const [segment, map] of maps.entries()) {
      const wholeBytes = map.sizeBytes - (map.sizeBytes % pageBytes);
      for (let at = 0; at < wholeBytes; at += CHUNK_BYTES) {
        this.signal.throwIfAborted();
        const count = Math.min(CHUNK_BYTES, wholeBytes - at) / pageBytes;
        await this.reader.read(map, at, this.bytes, count * pageBytes);
        yield* this.sound(count, segment * relationSegmentPages + at / pageBytes);
      }
    }
  }

  private *sound(count: number, firstBlock: number): Generator<HeapPage> {
    const { pageBytes, checksums } = this.control;
    const sums = checksums ? this.sums.compute(count, firstBlock).slice() : null;
    for (let i = 0; i < count; i++) {
      const offset = i * pageBytes;
      if (isNewPage(this.view, offset)) continue;
      const isSound = (!sums || sums[i] === storedChecksum(this.view, offset)) && headerIsSane(this.view, offset, pageBytes);
      if (isSound) yield { bytes: this.bytes, offset, block: firstBlock + i };
      else this.damagedPages++;
    }
  }
}
