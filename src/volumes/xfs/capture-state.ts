/** The state of XFS as captured: what its log says before a mount replays it. */
import type { ByteSource, CaptureState, Facts } from '../../types.js';
import { readWithin } from '../reading.js';
import { findLogEnds, type LogEnds } from './log-head.js';
import { changesSuperblockOnly, isUnmount, type LogOperation, splitOperations } from './log-operations.js';
import { LOG_BLOCK_BYTES, LogBlocks, parseRecord, readPayload } from './log-records.js';
import { readXfsSuperblock, type XfsSuperblock } from './superblock.js';

/** A covered log holds two or three records; more is real work. */
const MAX_COVER_RECORDS = 8;
const MAX_GROUPS = 64;

/** Facts: `logBytes` between tail and head, `logHead`/`logTail` in blocks of 512 bytes, `unlinkedInodes` open files that were deleted. */
export async function readXfsState(source: ByteSource): Promise<CaptureState> {
  const sb = await readXfsSuperblock(source);
  if (!sb) return { state: 'damaged', why: 'the first superblock of the file system was overwritten or cannot be read', facts: {} };
  const facts: Facts = { version: sb.version, logVersion: sb.logVersion, logSizeBytes: sb.logBytes, needsRepair: sb.needsRepair };
  if (sb.checksumValid === false) return { state: 'damaged', why: 'the checksum of the superblock is wrong', facts };
  if (sb.needsRepair) return { state: 'damaged', why: "it is marked as needing repair: the guest's own kernel would refuse to mount it", facts };
  if (sb.inProgress) return { state: 'damaged', why: 'making the file system was never finished', facts };
  if (sb.logOffset === null) return { state: 'unknown', why: 'its log lies on another device', facts: { ...facts, externalLog: true } };
  facts.unlinkedInodes = await countUnlinkedLists(source, sb);
  return logState(source, sb, sb.logOffset, facts);
}

async function logState(source: ByteSource, sb: XfsSuperblock, logOffset: number, facts: Facts): Promise<CaptureState> {
  const blocks = sb.logBytes / LOG_BLOCK_BYTES;
  // Written so that a place that is no number fails too.
  if (blocks < 2 || !(logOffset + sb.logBytes <= source.sizeBytes)) {
    return { state: 'damaged', why: 'the log lies beyond the end of the volume', facts };
  }
  const log = new LogBlocks(source, logOffset, blocks);
  const ends = await findLogEnds(log);
  if (!ends) return { state: 'damaged', why: 'no record was found in the log: it was overwritten or is no log', facts };
  const logBytes = ends.blocks * LOG_BLOCK_BYTES;
  Object.assign(facts, { logHead: ends.head.block, logTail: ends.tail.block, logCycle: ends.head.cycle });
  if (ends.blocks < 0 || ends.blocks > blocks) return { state: 'damaged', why: 'the last record of the log names a tail that cannot be', facts };
  if (await endsWithUnmount(log, ends)) return { state: 'clean', why: 'the log ends with an unmount record', facts: { ...facts, logBytes: 0 } };
  Object.assign(facts, { logBytes });
  if (await isCovered(log, ends)) {
    const why = 'the log holds nothing but copies of the superblock, as a freeze leaves it (or a kernel that had nothing to write for a minute)';
    return { state: 'frozen', why, facts };
  }
  return { state: 'needs-replay', why: `the log must be replayed from block ${ends.tail.block} to block ${ends.head.block}: ${logBytes} bytes`, facts };
}

/** The last record is nothing but the mark of an unmount. */
export async function endsWithUnmount(log: LogBlocks, ends: LogEnds): Promise<boolean> {
  if (ends.last.operations !== 1) return false;
  const payload = await readPayload(log, ends.last);
  const operations = payload && splitOperations(payload, 1);
  return operations !== null && isUnmount(operations);
}

/** Walks the records from tail to head; true when all together change the superblock only. */
async function isCovered(log: LogBlocks, ends: LogEnds): Promise<boolean> {
  const operations: LogOperation[] = [];
  let block = ends.tail.block;
  for (let records = 0, walked = 0; walked < ends.blocks; records++) {
    if (records >= MAX_COVER_RECORDS) return false;
    const record = parseRecord(await log.read(block, 1), block, log.blocks);
    const payload = record && record.blocks <= ends.blocks - walked ? await readPayload(log, record) : null;
    const parts = record && payload ? splitOperations(payload, record.operations) : null;
    if (!record || !parts) return false;
    operations.push(...parts);
    walked += record.blocks;
    block = (block + record.blocks) % log.blocks;
  }
  return operations.length > 0 && changesSuperblockOnly(operations);
}

/** Heads of the lists of deleted but open inodes, in the AGI (third sector) of each allocation group. */
async function countUnlinkedLists(source: ByteSource, sb: XfsSuperblock): Promise<number> {
  let lists = 0;
  for (let group = 0; group < Math.min(sb.groups, MAX_GROUPS); group++) {
    const agi = await readWithin(source, group * sb.groupBlocks * sb.blockBytes + 2 * sb.sectorBytes, 512);
    if (agi?.toString('latin1', 0, 4) !== 'XAGI') continue;
    for (let i = 0; i < 64; i++) if (agi.readUInt32BE(40 + i * 4) !== 0xffffffff) lists++;
  }
  return lists;
}
