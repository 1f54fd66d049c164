/** What to look for in memory: the blocks of the log on the disk, by a few bytes of each, from its end back. */

import { BLOCK, BLOCK_HEADER, BLOCK_TRAILER, ENCRYPTED_BLOCK, numberOf } from '../redo/block-stream.js';
import type { RawLog } from '../redo/raw-log.js';

/** As much of the log is looked for, at most. */
const MAX_BYTES = 128 * 2 ** 20;
const CHUNK_BYTES = 2 ** 20;
/** A block is known by these of its bytes: in front of them may be a header. */
export const KEY = { from: 16, to: 64 } as const;
/** What repeats itself stands in memory for other reasons too. */
const LEAST_DISTINCT = 12;
/** The end of the log is only looked for where at least so much of its block is used: it has the checksum of a mini-transaction then. */
const LEAST_TAIL_BYTES = 16;
/** Without the bit that says where a write began. Words are read little-endian. */
const NUMBER_MASK = 0xffffff7f;

/** The block with the end of the log, up to it. */
export interface Tail {
  lsn: number;
  bytes: Buffer;
}

export class LogIndex {
  private readonly hashes: Int32Array;
  private readonly others: Int32Array;
  /** Number of a block and one; 0: free. */
  private readonly slots: Int32Array;
  private readonly wordMask: number;
  private key = 0;
  private otherKey = 0;

  private constructor(
    readonly log: RawLog,
    readonly firstLsn: number,
    blocks: number,
  ) {
    this.hashes = new Int32Array(blocks);
    this.others = new Int32Array(blocks);
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * blocks + 2)));
    this.wordMask = log.form === 'blocks' ? NUMBER_MASK : 0;
  }

  /** Of what comes before the last block, newest first. */
  static async before(log: RawLog, end: number, signal: AbortSignal): Promise<LogIndex> {
    const last = log.blockOf(end);
    const room = Math.min(MAX_BYTES, log.capacity - BLOCK, last - log.blockOf(Math.max(log.firstLsn, 0)));
    const blocks = Math.max(0, Math.floor(room / BLOCK));
    const index = new LogIndex(log, last - blocks * BLOCK, blocks);
    for (let to = last; to > index.firstLsn; to -= CHUNK_BYTES) {
      signal.throwIfAborted();
      await index.addChunk(Math.max(index.firstLsn, to - CHUNK_BYTES), to);
    }
    return index;
  }

  private async addChunk(from: number, to: number): Promise<void> {
    const bytes = Buffer.from(new ArrayBuffer(to - from));
    await this.log.read(from, bytes);
    const words = new Int32Array(bytes.buffer);
    for (let at = bytes.length - BLOCK; at >= 0; at -= BLOCK) if (this.isTold(bytes, at, from + at)) this.add(words, at, from + at);
  }

  private isTold(bytes: Buffer, at: number, lsn: number): boolean {
    if (this.log.form === 'blocks' && !isPlainBlock(bytes, at, lsn)) return false;
    return distinct(bytes, at + KEY.from, at + KEY.to) >= LEAST_DISTINCT;
  }

  private add(words: Int32Array, at: number, lsn: number): void {
    const block = (lsn - this.firstLsn) / BLOCK;
    const slot = this.slotOf(words, at);
    if (this.slots[slot] !== 0) return; // the newer one stays
    this.slots[slot] = block + 1;
    this.hashes[block] = this.key;
    this.others[block] = this.otherKey;
  }

  /** LSN of the block that begins with the same bytes as those of memory at `at`, a multiple of four; -1: none does. */
  find(words: Int32Array, at: number): number {
    const found = this.slots[this.slotOf(words, at)] as number;
    return found === 0 ? -1 : this.firstLsn + (found - 1) * BLOCK;
  }

  /** That of the same key, or a free one. */
  private slotOf(words: Int32Array, at: number): number {
    this.makeKey(words, at >> 2);
    const mask = this.slots.length - 1;
    for (let slot = (this.key ^ (this.key >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const block = (this.slots[slot] as number) - 1;
      if (block < 0 || (this.hashes[block] === this.key && this.others[block] === this.otherKey)) return slot;
    }
  }

  private makeKey(words: Int32Array, at: number): void {
    let key = (words[at] as number) & this.wordMask;
    let other = key ^ 0x5bd1e995;
    for (let i = at + KEY.from / 4; i < at + KEY.to / 4; i++) {
      key = Math.imul(key ^ (words[i] as number), 0x01000193);
      key ^= key >>> 13;
      other = Math.imul(other + (words[i] as number), 0x2545f491);
      other ^= other >>> 15;
    }
    this.key = key;
    this.otherKey = other;
  }
}

/** Null where it cannot be told from other bytes. */
export async function tailOf(log: RawLog, end: number): Promise<Tail | null> {
  const lsn = log.blockOf(end);
  const usedBytes = end - lsn;
  if (usedBytes < LEAST_TAIL_BYTES + (log.form === 'blocks' ? BLOCK_HEADER : 0) || usedBytes > payloadTo(log.form)) return null;
  const bytes = Buffer.alloc(BLOCK);
  await log.read(lsn, bytes);
  return log.form === 'ring' || isPlainBlock(bytes, 0, lsn) ? { lsn, bytes: bytes.subarray(0, usedBytes) } : null;
}

/** Where in a block its bytes of log begin and end. */
export const payloadFrom = (form: RawLog['form']): number => (form === 'blocks' ? BLOCK_HEADER : 0);
export const payloadTo = (form: RawLog['form']): number => (form === 'blocks' ? BLOCK - BLOCK_TRAILER : BLOCK);

/** Whether it is what belongs there, and is written as it stood in the server's memory. */
function isPlainBlock(bytes: Buffer, at: number, lsn: number): boolean {
  return (bytes.readUInt32BE(at) & 0x7fffffff) === numberOf(lsn) && (bytes.readUInt16BE(at + 4) & ENCRYPTED_BLOCK) === 0;
}

function distinct(bytes: Buffer, from: number, to: number): number {
  const seen = [0, 0, 0, 0, 0, 0, 0, 0];
  let count = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    const bit = 1 << (byte & 31);
    const word = seen[byte >> 5] as number;
    if ((word & bit) !== 0) continue;
    seen[byte >> 5] = word | bit;
    count++;
  }
  return count;
}
