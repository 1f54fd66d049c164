/**
 * Redo logs made of 512-byte blocks: MariaDB 10.5 to 10.7 (physical records) and MySQL 5.7 to 8 (records of which only the first of a block
 * is read, for rule R2).
 * Sources: MariaDB 10.5 storage/innobase/include/log0log.h, MySQL 8.0 storage/innobase/include/log0constants.h (block header, checkpoints,
 * #innodb_redo files). LSNs count every byte of the blocks, headers included.
 */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { RedoHead } from '../format/redo-head.js';
import { type Layout, type LayoutRequest, layOut } from './block-layout.js';
import { BLOCK, BLOCK_HEADER, BlockStream } from './block-stream.js';
import type { LogFacts } from './facts.js';
import { LogKnowledge } from './knowledge.js';
import { MtrWalk } from './mtr-walk.js';
import type { LogState } from './read-log.js';
import { type Sample, sampleHistory } from './sample-history.js';

/** From 8.0.3 on: types of records as they are now. Before (5.7), TRUNCATE kept the number of a tablespace. */
const FORMAT_MYSQL_8 = 3;

export interface BlockLogRequest extends LayoutRequest {
  historyBytes: number;
  signal: AbortSignal;
  progress(doneBytes: number): void;
}

export async function readBlockLog(request: BlockLogRequest): Promise<{ log: LogState; knowledge: LogKnowledge }> {
  const blocks = new BlockReader();
  try {
    const layout = await layOut(request, blocks);
    if ('why' in layout) return { log: { state: 'damaged', why: layout.why }, knowledge: new LogKnowledge(0, false) };
    const reader = new BlockStream(blocks, layout, trailerBytes(request.head));
    return request.head.format === 'mariadb-10.5' ? await walkRecords(reader, layout, request) : await walkBlocks(reader, layout, request);
  } finally {
    await blocks.close();
  }
}

/** An encrypted log of MariaDB 10.4 and later keeps its key's version before the checksum. */
function trailerBytes(head: RedoHead): number {
  return head.format === 'mariadb-10.5' && head.encrypted ? 8 : 4;
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

async function walkBlocks(stream: BlockStream, layout: Layout, request: BlockLogRequest): Promise<{ log: LogState; knowledge: LogKnowledge }> {
  const { checkpoint } = layout;
  const knowledge = new LogKnowledge(checkpoint.lsn, request.head.encrypted);
  const { end, blocks } = await followBlocks(stream, layout, request);
  const sample = await sampleMysql(stream, layout, request, knowledge);
  const facts: LogFacts = {
    ...{ checkpoint: checkpoint.lsn, checkpointEnd: checkpoint.endLsn, checkpointSeen: blocks > 0, end, exactEnd: false },
    ...{ records: blocks, beyond: await blocksBeyond(stream, layout, end), historyFrom: sample.from, historyRecords: sample.changes },
    ...{ pagesKnown: false, overflowed: false, contradictions: 0, cleanShutdown: blocks > 0 && end === checkpoint.lsn },
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

async function walkRecords(stream: BlockStream, layout: Layout, request: BlockLogRequest): Promise<{ log: LogState; knowledge: LogKnowledge }> {
  const { checkpoint } = layout;
  const knowledge = new LogKnowledge(checkpoint.lsn, request.head.encrypted);
  const walk = new MtrWalk(stream, request.signal, () => {});
  const { end, blocks } = await followBlocks(stream, layout, request);
  const last = await walk.follow(stream.positionOf(checkpoint.lsn), stream.positionOf(end), (mtr) => knowledge.replayed(mtr));
  const historyFrom = await readHistory(stream, walk, knowledge, layout, request);
  knowledge.finish();
  const facts: LogFacts = {
    ...{ checkpoint: checkpoint.lsn, checkpointEnd: checkpoint.endLsn, checkpointSeen: knowledge.checkpointSeen, end: Math.max(end, stream.lsnOf(last)) },
    ...{ exactEnd: true, records: knowledge.mtrs, beyond: blocks > 0 ? await blocksBeyond(stream, layout, end) : null, historyFrom },
    ...{ historyRecords: knowledge.historyMtrs, pagesKnown: !request.head.encrypted, overflowed: knowledge.table.overflowed || knowledge.spaces.overflowed },
    contradictions: knowledge.contradictions,
    cleanShutdown: checkpoint.lsn === checkpoint.endLsn && knowledge.mtrs === 1 && knowledge.checkpointSeen,
  };
  return { log: { state: 'ok', facts }, knowledge };
}

/** Back from the checkpoint as long as blocks follow each other; then forward from the first that begins a group of records. */
async function readHistory(stream: BlockStream, walk: MtrWalk, knowledge: LogKnowledge, layout: Layout, request: BlockLogRequest): Promise<number> {
  const { checkpoint, capacity } = layout;
  const oldest = Math.max(checkpoint.lsn - request.historyBytes, checkpoint.lsn - capacity + BLOCK, BLOCK);
  const steps = 64;
  let from = checkpoint.lsn - (checkpoint.lsn % BLOCK);
  let start = -1;
  const least = oldest - (oldest % BLOCK) + BLOCK;
  while (from > least) {
    const next = Math.max(from - steps * BLOCK, least);
    const first = await contiguousFrom(stream, next, from);
    if (first.from >= 0) start = first.from;
    if (first.broken) break;
    from = next;
  }
  if (start < 0 || start >= checkpoint.lsn) return checkpoint.lsn;
  const stopped = await walk.follow(stream.positionOf(start), stream.positionOf(checkpoint.lsn), (mtr) => knowledge.past(mtr, mtr.endLsn));
  if (stopped >= stream.positionOf(checkpoint.lsn)) return start;
  knowledge.forgetPast();
  return checkpoint.lsn;
}

async function contiguousFrom(stream: BlockStream, from: number, to: number): Promise<{ from: number; broken: boolean }> {
  let start = -1;
  let broken = false;
  for (let lsn = from; lsn < to; lsn += BLOCK) {
    const block = await stream.block(lsn);
    if (!block || block.dataBytes < BLOCK) {
      start = -1;
      broken = true;
    } else if (start < 0 && block.firstGroup >= BLOCK_HEADER && block.firstGroup < BLOCK) start = lsn + block.firstGroup;
  }
  return { from: start, broken };
}
