/**
 * The redo log of MariaDB 10.8 and later: one file, a ring of bytes from 12288 on in which the LSN is the position.
 * Source: MariaDB storage/innobase/include/log0log.h (START_OFFSET, CHECKPOINT_1, CHECKPOINT_2, get_sequence_bit) and log0recv.cc.
 */
import type { BlockReader } from '../../../src/bytes/block-reader.js';
import { crc32c } from '../../../src/bytes/crc32c.js';
import type { ByteMap } from '../../../src/types.js';
import { readU32 } from '../format/mini-transaction.js';
import { isAllZero } from '../format/page.js';
import { isLsn } from '../format/redo-head.js';
import type { Checkpoint, LogStream } from './stream.js';

const START = 12288;
/** The server writes in blocks of the storage's physical sector, 4096 bytes at most. */
const WRITE_BLOCK = 4096;
const CHECKPOINTS = [4096, 8192];
const HIGH = 2 ** 32;

/** The newest valid checkpoint of a ring. @param head the first 12288 bytes. */
export function ringCheckpoint(head: Buffer, firstLsn: number): Checkpoint | null {
  let best: Checkpoint | null = null;
  for (const at of CHECKPOINTS) {
    if (head.length < at + 64) continue;
    const lsn = readU32(head, at) * HIGH + readU32(head, at + 4);
    const endLsn = readU32(head, at + 8) * HIGH + readU32(head, at + 12);
    const intact = readU32(head, at + 60) === crc32c(head, at, at + 60) && isAllZero(head, at + 16, at + 60);
    if (intact && isLsn(endLsn) && lsn >= firstLsn && endLsn >= lsn && lsn >= (best?.lsn ?? 0)) best = { lsn, endLsn };
  }
  return best;
}

export function ringHeaderIsIntact(head: Buffer): boolean {
  return head.length >= 512 && readU32(head, 508) === crc32c(head, 0, 508);
}

export class RingStream implements LogStream {
  readonly form: LogStream['form'];
  readonly capacity: number;

  constructor(
    private readonly reader: BlockReader,
    private readonly map: ByteMap,
    private readonly firstLsn: number,
    encrypted: boolean,
  ) {
    this.form = { crc: true, nonceBytes: encrypted ? 8 : 0 };
    this.capacity = map.sizeBytes - START;
  }

  positionOf(lsn: number): number {
    return lsn;
  }

  lsnOf(position: number): number {
    return position;
  }

  /** The first position after `lsn` that begins a block of the largest size in which the server writes. */
  nextBlock(lsn: number): number {
    const offset = START + ((lsn - this.firstLsn) % this.capacity);
    return lsn + ((WRITE_BLOCK - (offset % WRITE_BLOCK)) % WRITE_BLOCK);
  }

  /** Alternates with every lap, so that old bytes are not taken for new ones. */
  endByteAt(position: number): number {
    return Math.floor((position - this.firstLsn) / this.capacity) % 2 === 0 ? 1 : 0;
  }

  async read(position: number, target: Buffer, lengthBytes: number): Promise<number> {
    for (let done = 0; done < lengthBytes; ) {
      const inRing = (position + done - this.firstLsn) % this.capacity;
      const count = Math.min(lengthBytes - done, this.capacity - inRing);
      await this.reader.read(this.map, START + inRing, target.subarray(done, done + count), count);
      done += count;
    }
    return lengthBytes;
  }
}
