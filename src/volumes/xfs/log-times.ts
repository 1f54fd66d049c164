/**
 * When the newest records of an XFS log were written: records carry no time, but the inodes in them do.
 * Format: "XFS Algorithms & Data Structures", third edition, sections "Log Items" and "On-disk Inode"; in the guest's byte order (x86: little).
 */
import { splitOperations } from './log-operations.js';
import { type LogBlocks, type LogRecord, parseRecord, readPayload } from './log-records.js';

const MAX_RECORDS = 8;
const INODE_MAGIC = 0x494e;
const INODE_BYTES = 176;
const CHANGED_AT = 48;
const FLAGS_AT = 120;
const FLAG_BIG_TIME = 8n;
const BIG_TIME_EPOCH = 2 ** 31;
const PREVIOUS_BLOCK_AT = 36;

/** The newest change of an inode in the last records, in seconds since 1970 by the guest's clock; null when they hold none. */
export async function newestChange(log: LogBlocks, last: LogRecord): Promise<number | null> {
  let record: LogRecord | null = last;
  for (let count = 0; record && count < MAX_RECORDS; count++) {
    const payload = await readPayload(log, record);
    const changes = (payload && splitOperations(payload, record.operations))?.flatMap(({ data }) => changeTime(data) ?? []) ?? [];
    if (changes.length > 0) return Math.max(...changes);
    record = await recordBefore(log, record);
  }
  return null;
}

async function recordBefore(log: LogBlocks, record: LogRecord): Promise<LogRecord | null> {
  const block = previousBlock(record);
  return block < log.blocks ? parseRecord(await log.read(block, 1), block, log.blocks) : null;
}

/** Where the record before this one begins, as it says itself. */
export function previousBlock({ header }: LogRecord): number {
  return header.readUInt32BE(PREVIOUS_BLOCK_AT);
}

function changeTime(data: Buffer): number | null {
  if (data.length < INODE_BYTES || data.readUInt16LE(0) !== INODE_MAGIC) return null;
  const big = (data.readBigUInt64LE(FLAGS_AT) & FLAG_BIG_TIME) !== 0n;
  if (big) return Number(data.readBigUInt64LE(CHANGED_AT)) / 1e9 - BIG_TIME_EPOCH;
  return data.readInt32LE(CHANGED_AT) + data.readInt32LE(CHANGED_AT + 4) / 1e9;
}
