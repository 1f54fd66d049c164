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
import { ringEndByte } from './stretches/detail.js';

/** Where in the file the ring begins. */
export const RING_AT = 12288;
/** The server writes in blocks of the storage's physical sector, 4096 bytes at most. */
const WRITE_BLOCK = 4096;
const CHECKPOINTS = [4096, 8192];
const HIGH = 2 ** 32;

/** The newest valid checkpoint of a ring. @param head the first 12288 bytes. */
export function ringCheckpoint(head: Buffer, firstLsn: number): Checkpoint | null {
  let best: Checkpoint | null = null;
  for (const at of CHECKPOINTS) {
    const found = parseRingCheckpoint(head, at);
    if (found && found.lsn >= firstLsn && found.lsn >= (best?.lsn ?? 0)) best = found;
  }
  return best;
}

/** The checkpoint in the 64 bytes at `at`; null when they are none. */
export function parseRingCheckpoint(bytes: Buffer, at: number): Checkpoint | null {
  if (bytes.length < at + 64) return null;
  const lsn = readU32(bytes, at) * HIGH + readU32(bytes, at + 4);
  const endLsn = readU32(bytes, at + 8) * HIGH + readU32(bytes, at + 12);
  const intact = isLsn(endLsn) && endLsn >= lsn && isAllZero(bytes, at + 16, at + 60) && readU32(bytes, at + 60) === crc32c(bytes, at, at + 60);
  return intact ? { lsn, endLsn } : null;
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
    readonly firstLsn: number,
    encrypted: boolean,
  ) {
    this.form = { crc: true, nonceBytes: encrypted ? 8 : 0 };
    this.capacity = map.sizeBytes - RING_AT;
  }

  positionOf(lsn: number): number {
    return lsn;
  }

  lsnOf(position: number): number {
    return position;
  }

  /** The first position after `lsn` that begins a block of the largest size in which the server writes. */
  nextBlock(lsn: number): number {
    const offset = RING_AT + ((lsn - this.firstLsn) % this.capacity);
    return lsn + ((WRITE_BLOCK - (offset % WRITE_BLOCK)) % WRITE_BLOCK);
  }

  /** Alternates with every lap, so that old bytes are not taken for new ones. */
  endByteAt(position: number): number {
    return ringEndByte(position, this);
  }

  async read(position: number, target: Buffer, lengthBytes: number): Promise<number> {
    for (let done = 0; done < lengthBytes; ) {
      const inRing = (position + done - this.firstLsn) % this.capacity;
      const count = Math.min(lengthBytes - done, this.capacity - inRing);
      await this.reader.read(this.map, RING_AT + inRing, target.subarray(done, done + count), count);
      done += count;
    }
    return lengthBytes;
  }
}
