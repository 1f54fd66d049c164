/**
 * One file of etcd's write-ahead log: frames of 8 bytes (56 bits of length, then padding) and a record {type, crc, data}, whose
 * CRC-32C continues from record to record and from file to file. Source: the documentation of etcd's `wal` and `raft` packages.
 */
import { crc32c } from '../../../src/bytes/crc32c.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource } from '../../../src/types.js';
import { parseMessage } from './protobuf.js';

/** Carried from file to file. */
export interface WalState {
  /** Null before the first record. */
  crc: number | null;
  records: number;
  entries: number;
  /** Index of the first entry and of the newest: entries may be written again with a higher term. */
  firstIndex: number | null;
  lastIndex: number | null;
  /** Of the newest hard state: every entry up to here is committed. */
  commit: number;
  snapshotIndex: number;
}

export const newWalState = (): WalState => ({ crc: null, records: 0, entries: 0, firstIndex: null, lastIndex: null, commit: 0, snapshotIndex: 0 });

/** How a file ends. `at`: the end of its last good record. */
export interface WalEnd {
  kind: 'whole' | 'torn' | 'broken';
  at: number;
  why: string;
  /** Bytes behind the end that are not zero: the last of them; null: none, or not asked. */
  lastNonZero: number | null;
}

const FRAME_BYTES = 8;
const MAX_RECORD_BYTES = 256 * 1024 * 1024;
const SECTOR_BYTES = 512;
const BLOCK_BYTES = 1024 * 1024;
const TYPE = { entry: 2, state: 3, crc: 4, snapshot: 5 };

export async function walkWal(source: ByteSource, state: WalState, signal: AbortSignal, progress: (doneBytes: number) => void): Promise<WalEnd> {
  const reader = new Block(source);
  let at = 0;
  for (;;) {
    signal.throwIfAborted();
    const record = await nextRecord(reader, at, source.sizeBytes);
    if (record === null) return { kind: 'whole', at, why: '', lastNonZero: await lastNonZero(source, at, signal) };
    if (typeof record === 'string') return { kind: 'torn', at, why: record, lastNonZero: null };
    try {
      take(record.bytes, state);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const kind = hasZeroSector(record.bytes, at + FRAME_BYTES) ? 'torn' : 'broken';
      return { kind, at, why: error.message, lastNonZero: null };
    }
    at = record.end;
    progress(at);
  }
}

/** @returns null at the end of what was written; a text where the frame cannot be whole */
async function nextRecord(reader: Block, at: number, sizeBytes: number): Promise<{ bytes: Buffer; end: number } | string | null> {
  if (at + FRAME_BYTES > sizeBytes) return null;
  const field = (await reader.read(at, FRAME_BYTES)).readBigUInt64LE(0);
  if (field === 0n) return null;
  const length = Number(field & 0xffffffffffffffn);
  const padding = field >> 63n ? Number((field >> 56n) & 7n) : 0;
  const end = at + FRAME_BYTES + length + padding;
  if (end > sizeBytes) return `a record of ${length} bytes reaches beyond the end of the file`;
  if (length > MAX_RECORD_BYTES) return `a record claims ${length} bytes`;
  return { bytes: await reader.read(at + FRAME_BYTES, length), end };
}

/** @throws FormatError when the record is not what was written */
function take(bytes: Buffer, state: WalState): void {
  const { numbers, bytes: parts } = parseMessage(bytes);
  const type = Number(numbers.get(1) ?? 0n);
  if (type < 1 || type > TYPE.snapshot) throw bad(`a record is of the unknown type ${type}`);
  const stored = Number((numbers.get(2) ?? 0n) & 0xffffffffn);
  const data = parts.get(3) ?? Buffer.alloc(0);
  if (type === TYPE.crc) {
    if (state.crc !== null && state.crc !== 0 && state.crc !== stored) throw bad('it does not continue the file before it');
    state.crc = stored;
  } else {
    state.crc = crc32c(data, 0, data.length, state.crc ?? 0);
    if (state.crc !== stored) throw bad('a record does not carry the checksum of its own bytes');
  }
  state.records++;
  if (type === TYPE.entry) takeEntry(data, state);
  if (type === TYPE.state) state.commit = Number(parseMessage(data).numbers.get(3) ?? 0n);
  if (type === TYPE.snapshot) state.snapshotIndex = Math.max(state.snapshotIndex, Number(parseMessage(data).numbers.get(1) ?? 0n));
}

function takeEntry(data: Buffer, state: WalState): void {
  const index = Number(parseMessage(data).numbers.get(3) ?? 0n);
  if (state.lastIndex !== null && index > state.lastIndex + 1) throw bad(`entry ${index} follows entry ${state.lastIndex}: entries are missing`);
  state.entries++;
  state.firstIndex ??= index;
  state.lastIndex = index;
}

/** A crash leaves sectors that were never written; etcd cuts such a record off at the end of its last file. */
function hasZeroSector(bytes: Buffer, offset: number): boolean {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + SECTOR_BYTES - ((offset + at) % SECTOR_BYTES));
    if (bytes.subarray(at, end).every((byte) => byte === 0)) return true;
    at = end;
  }
  return false;
}

async function lastNonZero(source: ByteSource, from: number, signal: AbortSignal): Promise<number | null> {
  let last: number | null = null;
  for (let at = from; at < source.sizeBytes; at += BLOCK_BYTES) {
    signal.throwIfAborted();
    const block = await source.read(at, Math.min(BLOCK_BYTES, source.sizeBytes - at));
    for (let i = block.length - 1; i >= 0; i--) {
      if (block[i] === 0) continue;
      last = at + i;
      break;
    }
  }
  return last;
}

/** Reads ahead: records are small. */
class Block {
  private from = 0;
  private bytes: Buffer = Buffer.alloc(0);

  constructor(private readonly source: ByteSource) {}

  async read(at: number, length: number): Promise<Buffer> {
    if (at < this.from || at + length > this.from + this.bytes.length) {
      this.from = at;
      this.bytes = await this.source.read(at, Math.min(Math.max(BLOCK_BYTES, length), this.source.sizeBytes - at));
    }
    return this.bytes.subarray(at - this.from, at - this.from + length);
  }
}

function bad(message: string): FormatError {
  return new FormatError({ code: 'etcd.wal', message });
}
