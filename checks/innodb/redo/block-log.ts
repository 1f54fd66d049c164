/**
 * Redo logs made of 512-byte blocks: MariaDB 10.5 to 10.7 (physical records), MySQL 5.7 (all records are read) and MySQL 8 (only the
 * first of a block is read, for rule R2).
 * Sources: MariaDB 10.5 storage/innobase/include/log0log.h, MySQL 5.7 log0log.h, MySQL 8.0 log0constants.h (block header, checkpoints,
 * #innodb_redo files). LSNs count every byte of the blocks, headers included.
 */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { RedoHead } from '../format/redo-head.js';
import { readHistory } from './block-history.js';
import { type Layout, type LayoutRequest, layOut } from './block-layout.js';
import { BLOCK, BlockStream } from './block-stream.js';
import type { LogFacts } from './facts.js';
import { GroupWalk, groupReader } from './group-walk.js';
import { LogKnowledge, type MtrReader } from './knowledge.js';
import type { LogWindow } from './log-window.js';
import { MtrWalk, mtrReader } from './mtr-walk.js';
import type { LogState } from './read-log.js';
import { type Sample, sampleHistory } from './sample-history.js';

/** From 8.0.3 on: types of records as they are now. */
const FORMAT_MYSQL_8 = 3;
const FORMAT_MYSQL_57 = 1;

export interface BlockLogRequest extends LayoutRequest {
  historyBytes: number;
  /** Page size of the instance. */
  logicalBytes: number;
  signal: AbortSignal;
  progress(doneBytes: number): void;
}

interface Result {
  log: LogState;
  knowledge: LogKnowledge;
}

export async function readBlockLog(request: BlockLogRequest): Promise<Result> {
  const blocks = new BlockReader();
  try {
    const layout = await layOut(request, blocks);
    if ('why' in layout) return { log: { state: 'damaged', why: layout.why }, knowledge: new LogKnowledge(0, null) };
    const stream = new BlockStream(blocks, layout);
    if (request.head.format === 'mariadb-10.5') return await walkMariadb(stream, layout, request);
    return isReadable(request.head) ? await walkMysql57(stream, layout, request) : await walkBlocks(stream, layout, request);
  } finally {
    await blocks.close();
  }
}

/** MariaDB 10.2 shares the number of MySQL 5.7, and not all of its records. */
function isReadable(head: RedoHead): boolean {
  return head.number === FORMAT_MYSQL_57 && !head.encrypted && !/mariadb/i.test(head.creator);
}

/** Follows the blocks from the checkpoint on. @returns the end to the byte. */
async function followBlocks(stream: BlockStream, layout: Layout, request: BlockLogRequest): Promise<{ end: number; blocks: number }> {
  const start = layout.checkpoint.lsn - (layout.checkpoint.lsn % BLOCK);
  let end = layout.checkpoint.lsn;
  let blocks = 0;
  for (let lsn = start; lsn < start + layout.capacity; lsn += BLOCK) {
    if (blocks % 4096 === 0) request.signal.throwIfAborted();
    const block = await stream.block(lsn);
    if (!block) break;
    blocks++;
    request.progress(blocks * BLOCK);
    end = Math.max(end, lsn + block.dataBytes);
    if (block.dataBytes < BLOCK) break;
  }
  return { end, blocks };
}

const BEYOND_BYTES = 16 * 1024 * 1024;

/** Blocks after the end whose numbers say that they are of this lap. The block after the end may have been begun. */
async function blocksBeyond(stream: BlockStream, layout: Layout, end: number): Promise<LogFacts['beyond']> {
  const first = end - (end % BLOCK) + BLOCK;
  const to = Math.min(first + BEYOND_BYTES, layout.checkpoint.lsn + layout.capacity - BLOCK);
  const found = { first: 0, last: 0, records: 0 };
  for (let lsn = first; lsn < to; lsn += BLOCK) {
    if (!(await stream.block(lsn))) continue;
    if (found.records === 0) found.first = lsn;
    found.last = lsn;
    found.records++;
  }
  return found.records > 0 ? found : null;
}

async function walkBlocks(stream: BlockStream, layout: Layout, request: BlockLogRequest): Promise<Result> {
  const { checkpoint } = layout;
  const knowledge = new LogKnowledge(checkpoint.lsn, null);
  const { end, blocks } = await followBlocks(stream, layout, request);
  const sample = await sampleMysql(stream, layout, request, knowledge);
  const facts: LogFacts = {
    ...{ checkpoint: checkpoint.lsn, checkpointEnd: checkpoint.endLsn, checkpointSeen: blocks > 0, end, exactEnd: false },
    ...{ records: blocks, beyond: await blocksBeyond(stream, layout, end), historyFrom: sample.from, historyRecords: sample.changes },
    ...{ pagesKnown: false, everyRecord: false, lostAt: null, withoutChecksum: stream.withoutChecksum },
    ...{ overflowed: false, contradictions: 0, cleanShutdown: blocks > 0 && end === checkpoint.lsn },
  };
  return { log: { state: 'ok', facts }, knowledge };
}

/** Nothing hangs on a page that does not fit the table any more: what is required of the others stays true. */
async function sampleMysql(stream: BlockStream, layout: Layout, request: BlockLogRequest, knowledge: LogKnowledge): Promise<Sample> {
  const { checkpoint, capacity } = layout;
  if (request.head.number < FORMAT_MYSQL_8) return { from: checkpoint.lsn, changes: 0 };
  const oldest = Math.max(checkpoint.lsn - request.historyBytes, checkpoint.lsn - capacity + BLOCK, BLOCK);
  const blockAt = (lsn: number) => stream.historyBlock(lsn);
  return sampleHistory(oldest - (oldest % BLOCK) + BLOCK, checkpoint.lsn, blockAt, knowledge, request.signal);
}

async function walkMariadb(stream: BlockStream, layout: Layout, request: BlockLogRequest): Promise<Result> {
  const walk = new MtrWalk(stream, request.signal, () => {});
  const { facts, knowledge } = await walkRecords(stream, layout, request, walk, mtrReader(false));
  const { checkpoint } = layout;
  facts.pagesKnown = true;
  facts.cleanShutdown = checkpoint.lsn === checkpoint.endLsn && knowledge.mtrs === 1 && knowledge.checkpointSeen;
  return { log: { state: 'ok', facts }, knowledge };
}

/** After a clean shutdown nothing follows the checkpoint; else a record of it does, without which the server does not start. */
async function walkMysql57(stream: BlockStream, layout: Layout, request: BlockLogRequest): Promise<Result> {
  const walk = new GroupWalk(stream, request.signal, () => {});
  const { facts, knowledge, last } = await walkRecords(stream, layout, request, walk, groupReader(request.logicalBytes));
  facts.lostAt = last.isLost ? last.lsn : null;
  facts.cleanShutdown = last.blocks > 0 && facts.end === facts.checkpoint;
  facts.checkpointSeen = facts.cleanShutdown || knowledge.checkpointSeen || last.isLost;
  return { log: { state: 'ok', facts }, knowledge };
}

/** Where the walk over the log to be replayed ended. */
interface Last {
  lsn: number;
  isLost: boolean;
  blocks: number;
}

async function walkRecords(
  stream: BlockStream,
  layout: Layout,
  request: BlockLogRequest,
  walk: LogWindow,
  reader: MtrReader,
): Promise<{ facts: LogFacts; knowledge: LogKnowledge; last: Last }> {
  const { checkpoint } = layout;
  const knowledge = new LogKnowledge(checkpoint.lsn, reader);
  const { end, blocks } = await followBlocks(stream, layout, request);
  const stopped = await walk.follow(stream.positionOf(checkpoint.lsn), stream.positionOf(end), (mtr) => knowledge.replayed(mtr));
  const last: Last = { lsn: stream.lsnOf(stopped), isLost: walk.isLost, blocks };
  const historyFrom = await readHistory(stream, walk, knowledge, layout, request.historyBytes);
  knowledge.finish();
  const facts: LogFacts = {
    ...{ checkpoint: checkpoint.lsn, checkpointEnd: checkpoint.endLsn, checkpointSeen: knowledge.checkpointSeen, end: Math.max(end, last.lsn) },
    ...{ exactEnd: true, records: knowledge.mtrs, beyond: blocks > 0 ? await blocksBeyond(stream, layout, end) : null, historyFrom },
    ...{ historyRecords: knowledge.historyMtrs, pagesKnown: false, everyRecord: true, lostAt: null, withoutChecksum: stream.withoutChecksum },
    ...{ overflowed: knowledge.table.overflowed || knowledge.spaces.overflowed, contradictions: knowledge.contradictions, cleanShutdown: false },
  };
  return { facts, knowledge, last };
}
