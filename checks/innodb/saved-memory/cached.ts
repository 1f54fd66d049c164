/**
 * What of a redo log stands in saved memory, wherever it stands. Servers write the log from buffers in which its bytes lie as in the file,
 * block by block of 512 bytes; so do caches of the file. No operating system needs to be known for it.
 */
import type { GuestRam } from '../../../src/ways.js';
import { isAllZero } from '../format/page.js';
import { parseBlockCheckpoint } from '../redo/block-layout.js';
import { BLOCK } from '../redo/block-stream.js';
import type { RawLog } from '../redo/raw-log.js';
import { parseRingCheckpoint } from '../redo/ring.js';
import { type LogIndex, payloadFrom, type Tail } from './log-index.js';

/** A block of memory that begins as the block of the log at an LSN. */
export interface Hit {
  lsn: number;
  address: number;
}

export interface CachedLog {
  /** The end of the log on the disk. */
  tail: boolean;
  /** Newest first. */
  hits: Hit[];
  /** LSNs of checkpoints: the newest of each kind, null where there is none. */
  checkpoints: CachedCheckpoints;
}

/** Against the log on the disk: older than its checkpoint; from its checkpoint to its end; behind its end. */
export type CachedCheckpoints = Record<'before' | 'within' | 'beyond', number | null>;

export interface Wanted {
  log: RawLog;
  index: LogIndex;
  tail: Tail;
  checkpoint: number;
  end: number;
}

/** Two mebibytes of log: more than most servers write at once. */
const MAX_HITS = 4096;
/** Of the block of a checkpoint no version uses these bytes. */
const EMPTY = { from: 128, to: 480 } as const;
const HIGH = 2 ** 32;
/** No memory is so much newer than a disk; LSNs of other instances may be anything. */
const MAX_AHEAD_BYTES = 2 ** 42;

export async function findCached(ram: GuestRam, wanted: Wanted, signal: AbortSignal): Promise<CachedLog> {
  const search = new Search(wanted);
  for await (const { address, bytes } of ram.pages(signal)) {
    signal.throwIfAborted();
    search.look(address, bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer));
  }
  search.keepNewest();
  return search.found;
}

class Search {
  readonly found: CachedLog = { tail: false, hits: [], checkpoints: { before: null, within: null, beyond: null } };
  /** The checksum of the last mini-transaction, or what else ends the log. */
  private readonly lastWord: number;
  private readonly lastAt: number;
  private readonly from: number;
  /** Where a checkpoint has its LSN. */
  private readonly lsnAt: number;

  constructor(private readonly wanted: Wanted) {
    const { bytes } = wanted.tail;
    this.lastAt = bytes.length - 4;
    this.lastWord = bytes.readUInt32BE(this.lastAt);
    this.from = payloadFrom(wanted.log.form);
    this.lsnAt = wanted.log.form === 'blocks' ? 8 : 0;
  }

  look(address: number, bytes: Buffer): void {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    const { index } = this.wanted;
    for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
      if (bytes.readUInt32BE(at + this.lastAt) === this.lastWord) this.lookForTail(bytes, at);
      const lsn = index.find(words, at);
      if (lsn >= 0) this.noteHit({ lsn, address: address + at });
      this.lookForCheckpoint(bytes, at);
    }
  }

  private lookForTail(bytes: Buffer, at: number): void {
    const { tail } = this.wanted;
    if (bytes.compare(tail.bytes, this.from, tail.bytes.length, at + this.from, at + tail.bytes.length) === 0) this.found.tail = true;
  }

  private noteHit(hit: Hit): void {
    const { hits } = this.found;
    hits.push(hit);
    if (hits.length >= 2 * MAX_HITS) this.keepNewest();
  }

  keepNewest(): void {
    const { hits } = this.found;
    hits.sort((one, other) => other.lsn - one.lsn);
    hits.length = Math.min(hits.length, MAX_HITS);
  }

  private lookForCheckpoint(bytes: Buffer, at: number): void {
    const lsn = bytes.readUInt32BE(at + this.lsnAt) * HIGH + bytes.readUInt32BE(at + this.lsnAt + 4);
    const { log, checkpoint, end } = this.wanted;
    if (lsn < end - log.capacity || lsn < log.firstLsn || lsn > end + MAX_AHEAD_BYTES) return;
    if (log.form === 'ring' ? !parseRingCheckpoint(bytes, at) : !isBlockCheckpoint(bytes, at)) return;
    const kind = lsn < checkpoint ? 'before' : lsn <= end ? 'within' : 'beyond';
    const known = this.found.checkpoints;
    known[kind] = Math.max(known[kind] ?? 0, lsn);
  }
}

/** Ordinary blocks of a log have a number, and are full. */
function isBlockCheckpoint(bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) === 0 && isAllZero(bytes, at + EMPTY.from, at + EMPTY.to) && parseBlockCheckpoint(bytes, at) !== null;
}
