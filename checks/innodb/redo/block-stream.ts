/** The payload of the 512-byte blocks of a redo log as one stream. Sources: see block-log.ts. */
import type { BlockReader } from '../../../src/bytes/block-reader.js';
import { crc32c } from '../../../src/bytes/crc32c.js';
import { readU32 } from '../format/mini-transaction.js';
import type { Layout } from './block-layout.js';
import type { HistoryBlock } from './sample-history.js';
import type { LogStream } from './stream.js';

export const BLOCK = 512;
export const BLOCK_HEADER = 12;
export const BLOCK_TRAILER = 4;
export const FLUSH_BIT = 0x80000000;
export const ENCRYPTED_BLOCK = 0x8000;
/** In place of a checksum, where `innodb_log_checksums` is off. */
const NO_CHECKSUM = 0xdeadbeef;

export function blockIsIntact(bytes: Uint8Array, at: number): boolean {
  return readU32(bytes, at + BLOCK - 4) === crc32c(bytes, at, at + BLOCK - 4);
}

/** Block numbers count from 1 and wrap at 2^30. */
export function numberOf(lsn: number): number {
  return (Math.floor(lsn / BLOCK) % 0x40000000) + 1;
}

export interface Block {
  /** Of what is in it; `BLOCK` when it is full. */
  dataBytes: number;
  firstGroup: number;
  encrypted: boolean;
}

/** The payload of consecutive blocks as one stream. A position is an LSN without the headers and trailers of the blocks. */
export class BlockStream implements LogStream {
  /** Blocks met so far that carry no checksum. */
  withoutChecksum = 0;
  readonly form = { crc: false, nonceBytes: 0 } as const;
  readonly capacity: number;
  readonly payload = BLOCK - BLOCK_HEADER - BLOCK_TRAILER;
  private readonly chunk = Buffer.alloc(128 * BLOCK);
  private chunkLsn = -1;
  private chunkBytes = 0;

  constructor(
    private readonly reader: BlockReader,
    private readonly layout: Layout,
  ) {
    this.capacity = layout.capacity;
  }

  positionOf(lsn: number): number {
    const inBlock = Math.min(Math.max((lsn % BLOCK) - BLOCK_HEADER, 0), this.payload);
    return Math.floor(lsn / BLOCK) * this.payload + inBlock;
  }

  lsnOf(position: number): number {
    return Math.floor(position / this.payload) * BLOCK + BLOCK_HEADER + (position % this.payload);
  }

  endByteAt(): number {
    return 0;
  }

  async read(position: number, target: Buffer, lengthBytes: number): Promise<number> {
    let done = 0;
    while (done < lengthBytes) {
      const lsn = Math.floor((position + done) / this.payload) * BLOCK;
      const block = await this.block(lsn);
      const from = BLOCK_HEADER + ((position + done) % this.payload);
      const end = Math.min(block?.dataBytes ?? 0, BLOCK - BLOCK_TRAILER);
      const count = Math.min(end - from, lengthBytes - done);
      if (count <= 0) break;
      this.chunk.copy(target, done, lsn - this.chunkLsn + from, lsn - this.chunkLsn + from + count);
      done += count;
      if (from + count < BLOCK - BLOCK_TRAILER) break; // a block that is not full is the last
    }
    return done;
  }

  /** The block at an LSN if it is what belongs there; null when it is damaged, or of another lap. */
  async block(lsn: number): Promise<Block | null> {
    if (this.chunkLsn < 0 || lsn < this.chunkLsn || lsn >= this.chunkLsn + this.chunkBytes) await this.load(lsn);
    const at = lsn - this.chunkLsn;
    if (at < 0 || at + BLOCK > this.chunkBytes) return null;
    const number = (readU32(this.chunk, at) & ~FLUSH_BIT) >>> 0;
    const length = this.chunk.readUInt16BE(at + 4); // MySQL marks an encrypted block in the highest bit
    const dataBytes = length & ~ENCRYPTED_BLOCK;
    if (number !== numberOf(lsn) || !this.isIntact(at) || dataBytes < BLOCK_HEADER || dataBytes > BLOCK) return null;
    return { dataBytes, firstGroup: this.chunk.readUInt16BE(at + 6), encrypted: (length & ENCRYPTED_BLOCK) !== 0 };
  }

  private isIntact(at: number): boolean {
    if (blockIsIntact(this.chunk, at)) return true;
    if (readU32(this.chunk, at + BLOCK - 4) !== NO_CHECKSUM) return false;
    this.withoutChecksum++;
    return true;
  }

  /** The first group of records that begins in a block. The bytes are valid until the next call. */
  async historyBlock(lsn: number): Promise<HistoryBlock | null> {
    const block = await this.block(lsn);
    if (!block) return null;
    const end = Math.min(block.dataBytes, BLOCK - BLOCK_TRAILER);
    const from = block.firstGroup;
    const readable = !block.encrypted && from >= BLOCK_HEADER && from < end;
    const at = lsn - this.chunkLsn;
    return { group: readable ? this.chunk.subarray(at + from, at + end) : null, lsn: lsn + from };
  }

  private async load(lsn: number): Promise<void> {
    const place = this.layout.place(lsn);
    this.chunkLsn = lsn;
    this.chunkBytes = place ? Math.max(0, Math.min(this.chunk.length, place.map.sizeBytes - place.offset)) : 0;
    this.chunkBytes -= this.chunkBytes % BLOCK;
    if (place && this.chunkBytes > 0) await this.reader.read(place.map, place.offset, this.chunk, this.chunkBytes);
  }
}
