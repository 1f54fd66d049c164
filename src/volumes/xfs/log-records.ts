/**
 * Records of the XFS log. The log is counted in blocks of 512 bytes; every block carries the number of the cycle that wrote it.
 * Format: "XFS Algorithms & Data Structures", third edition, chapter "Journaling Log".
 */
import type { ByteSource } from '../../types.js';
import { crc32c } from '../checksums.js';

export const LOG_BLOCK_BYTES = 512;
const RECORD_MAGIC = 0xfeedbabe;
/** What one header block can describe; larger records have more header blocks. */
const HEADER_CYCLE_BYTES = 32 * 1024;
const CYCLES_PER_HEADER = HEADER_CYCLE_BYTES / LOG_BLOCK_BYTES;
/** No record is longer: the largest in-core log buffer. */
const MAX_RECORD_BYTES = 256 * 1024;
const HEADER_BYTES = 328;
const EXTENDED_HEADER_BYTES = 260;

/** A place in the log: which turn, and which block. */
export interface LogPlace {
  cycle: number;
  block: number;
}

export interface LogRecord {
  block: number;
  place: LogPlace;
  tail: LogPlace;
  headerBlocks: number;
  payloadBytes: number;
  /** Blocks of header and payload together. */
  blocks: number;
  operations: number;
  header: Buffer;
}

/** The blocks of a log, read in circles. */
export class LogBlocks {
  constructor(
    private readonly source: ByteSource,
    private readonly offset: number,
    readonly blocks: number,
  ) {}

  /** `count` blocks from `block` on, wrapping at the end. `count` is at most the length of the log. */
  async read(block: number, count: number): Promise<Buffer> {
    const start = ((block % this.blocks) + this.blocks) % this.blocks;
    const first = Math.min(count, this.blocks - start);
    const head = await this.source.read(this.offset + start * LOG_BLOCK_BYTES, first * LOG_BLOCK_BYTES);
    if (first === count) return head;
    return Buffer.concat([head, await this.source.read(this.offset, (count - first) * LOG_BLOCK_BYTES)]);
  }

  async cycleAt(block: number): Promise<number> {
    return cycleOf(await this.read(block, 1), 0);
  }
}

export function cycleOf(blocks: Buffer, index: number): number {
  const at = index * LOG_BLOCK_BYTES;
  const first = blocks.readUInt32BE(at);
  return first === RECORD_MAGIC ? blocks.readUInt32BE(at + 4) : first;
}

/** The record whose header is the given block; null when the block is no header or claims the impossible. */
export function parseRecord(header: Buffer, block: number, logBlocks: number): LogRecord | null {
  if (header.readUInt32BE(0) !== RECORD_MAGIC) return null;
  const version = header.readUInt32BE(8);
  const payloadBytes = header.readUInt32BE(12);
  const bufferBytes = header.readUInt32BE(320);
  if ((version & ~3) !== 0 || payloadBytes > MAX_RECORD_BYTES || bufferBytes > MAX_RECORD_BYTES) return null;
  const headerBlocks = version & 2 && bufferBytes > HEADER_CYCLE_BYTES ? Math.ceil(bufferBytes / HEADER_CYCLE_BYTES) : 1;
  const place = { cycle: header.readUInt32BE(16), block: header.readUInt32BE(20) };
  const tail = { cycle: header.readUInt32BE(24), block: header.readUInt32BE(28) };
  if (place.block !== block || tail.block >= logBlocks) return null;
  const blocks = headerBlocks + Math.ceil(payloadBytes / LOG_BLOCK_BYTES);
  return { block, place, tail, headerBlocks, payloadBytes, blocks, operations: header.readUInt32BE(40), header };
}

/** The payload as it was before the cycle numbers were stamped over the first word of each block; null when its checksum is wrong. */
export async function readPayload(log: LogBlocks, record: LogRecord): Promise<Buffer | null> {
  const all = await log.read(record.block, record.blocks);
  if (!checksumHolds(all, record)) return null;
  const payload = Buffer.from(all.subarray(record.headerBlocks * LOG_BLOCK_BYTES));
  for (let i = 0; i * LOG_BLOCK_BYTES < record.payloadBytes; i++) {
    const header = Math.floor(i / CYCLES_PER_HEADER);
    if (header >= record.headerBlocks) return null;
    const at = header * LOG_BLOCK_BYTES + (header === 0 ? 44 : 4) + (i % CYCLES_PER_HEADER) * 4;
    all.copy(payload, i * LOG_BLOCK_BYTES, at, at + 4);
  }
  return payload.subarray(0, record.payloadBytes);
}

/** Records of version 4 file systems carry no checksum. */
function checksumHolds(all: Buffer, record: LogRecord): boolean {
  const stored = all.readUInt32LE(32);
  if (stored === 0) return true;
  const parts: Buffer[] = [Buffer.from(all.subarray(0, HEADER_BYTES))];
  (parts[0] as Buffer).writeUInt32LE(0, 32);
  for (let i = 1; i < record.headerBlocks; i++) parts.push(all.subarray(i * LOG_BLOCK_BYTES, i * LOG_BLOCK_BYTES + EXTENDED_HEADER_BYTES));
  const payloadAt = record.headerBlocks * LOG_BLOCK_BYTES;
  parts.push(all.subarray(payloadAt, payloadAt + record.payloadBytes));
  if (crc32c(Buffer.concat(parts)) === stored) return true;
  // Kernels for 32-bit x86 sum a header four bytes shorter.
  parts[0] = (parts[0] as Buffer).subarray(0, HEADER_BYTES - 4);
  return crc32c(Buffer.concat(parts)) === stored;
}
