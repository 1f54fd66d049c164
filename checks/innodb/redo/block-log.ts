/**
 * Redo logs made of 512-byte blocks: MariaDB 10.5 to 10.7 (physical records) and MySQL 5.7 to 8 (records of which only the first of a block
 * is read, for rule R2).
 * Sources: MariaDB 10.5 storage/innobase/include/log0log.h, MySQL 8.0 storage/innobase/include/log0constants.h (block header, checkpoints,
 * #innodb_redo files). LSNs count every byte of the blocks, headers included.
 */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import { crc32c } from '../../../src/bytes/crc32c.js';
import type { ByteMap } from '../../../src/types.js';
import { readU32 } from '../format/mini-transaction.js';
import { parseRedoHead, type RedoHead } from '../format/redo-head.js';
import type { LogFacts } from './facts.js';
import { LogKnowledge } from './knowledge.js';
import { MtrWalk } from './mtr-walk.js';
import type { LogState } from './read-log.js';
import { type HistoryBlock, type Sample, sampleHistory } from './sample-history.js';
import type { Checkpoint, LogStream } from './stream.js';

const BLOCK = 512;
const FILE_HEADER = 4 * BLOCK;
const BLOCK_HEADER = 12;
const CHECKPOINTS = [BLOCK, 3 * BLOCK];
const HIGH = 2 ** 32;
const FLUSH_BIT = 0x80000000;
/** Format 5 (8.0.19) counts laps of the block number in place of the checkpoint number, format 6 has one file per stretch of log. */
const FORMAT_REDO_FILES = 6;
/** From 8.0.3 on: types of records as they are now. Before (5.7), TRUNCATE kept the number of a tablespace. */
const FORMAT_MYSQL_8 = 3;
const ENCRYPTED_BLOCK = 0x8000;

export interface BlockLogRequest {
  maps: (ByteMap | null)[];
  head: RedoHead;
  /** The first bytes of the first file. */
  firstBlocks: Buffer;
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

interface Layout {
  checkpoint: Checkpoint;
  /** LSN distance of one lap. */
  capacity: number;
  /** File and offset at which a block-aligned LSN lies; null when no file holds it. */
  place(lsn: number): { map: ByteMap; offset: number } | null;
}

async function layOut(request: BlockLogRequest, blocks: BlockReader): Promise<Layout | { why: string }> {
  const maps = request.maps.filter((map): map is ByteMap => map !== null && map.sizeBytes > FILE_HEADER);
  if (maps.length < request.maps.length) return { why: 'a file of the log is cut short or cannot be read' };
  return request.head.number === FORMAT_REDO_FILES ? layOutFiles(maps, blocks) : layOutGroup(maps, request);
}

/** Files of one size, one after the other, as a ring. The checkpoint tells where in the ring its LSN lies. */
function layOutGroup(maps: ByteMap[], request: BlockLogRequest): Layout | { why: string } {
  const fileBytes = (maps[0]?.sizeBytes ?? 0) - FILE_HEADER;
  if (maps.some((map) => map.sizeBytes - FILE_HEADER !== fileBytes)) return { why: 'its files are not of one size' };
  const capacity = fileBytes * maps.length;
  const checkpoint = groupCheckpoint(request.firstBlocks, request.head);
  if (!checkpoint) return { why: 'it holds no valid checkpoint' };
  // Offsets count the headers of the files; the first block of the log lies after the first header.
  const ringOffset = (offset: number) => offset - FILE_HEADER * (1 + Math.floor(offset / (fileBytes + FILE_HEADER)));
  const origin = ringOffset(checkpoint.offset);
  const place = (lsn: number) => {
    const inRing = (((origin + (lsn - checkpoint.lsn)) % capacity) + capacity) % capacity;
    const map = maps[Math.floor(inRing / fileBytes)];
    return map ? { map, offset: FILE_HEADER + (inRing % fileBytes) } : null;
  };
  return { checkpoint, capacity, place };
}

function groupCheckpoint(head: Buffer, { format }: RedoHead): (Checkpoint & { offset: number }) | null {
  let best: (Checkpoint & { offset: number; number: number }) | null = null;
  for (const at of CHECKPOINTS) {
    if (head.length < at + BLOCK || !blockIsIntact(head, at)) continue;
    const number = readU32(head, at) * HIGH + readU32(head, at + 4);
    const lsn = readU32(head, at + 8) * HIGH + readU32(head, at + 12);
    const offset = readU32(head, at + 16) * HIGH + readU32(head, at + 20);
    const endLsn = format === 'mariadb-10.5' ? readU32(head, at + BLOCK - 16) * HIGH + readU32(head, at + BLOCK - 12) : lsn;
    if (offset < FILE_HEADER || (best && best.number > number)) continue;
    best = { number, lsn, offset, endLsn: endLsn >= lsn ? endLsn : lsn };
  }
  return best;
}

/** MySQL 8.0.30 and later: each file begins at an LSN of its own; the newest checkpoint of any file counts. */
async function layOutFiles(maps: ByteMap[], blocks: BlockReader): Promise<Layout | { why: string }> {
  const files: { start: number; map: ByteMap }[] = [];
  let checkpoint: Checkpoint | null = null;
  const head = Buffer.alloc(FILE_HEADER);
  for (const map of maps) {
    await blocks.read(map, 0, head, FILE_HEADER);
    const parsed = parseRedoHead(head);
    if (!parsed || !blockIsIntact(head, 0)) return { why: 'the header of one of its files is damaged' };
    files.push({ start: parsed.firstLsn, map });
    for (const at of CHECKPOINTS) {
      const lsn = readU32(head, at + 8) * HIGH + readU32(head, at + 12);
      if (blockIsIntact(head, at) && lsn > (checkpoint?.lsn ?? 0)) checkpoint = { lsn, endLsn: lsn };
    }
  }
  if (!checkpoint) return { why: 'it holds no valid checkpoint' };
  const capacity = files.reduce((sum, { map }) => sum + map.sizeBytes - FILE_HEADER, 0);
  const place = (lsn: number) => {
    const file = files.find(({ start, map }) => lsn >= start && lsn < start + map.sizeBytes - FILE_HEADER);
    return file ? { map: file.map, offset: FILE_HEADER + lsn - file.start } : null;
  };
  return { checkpoint, capacity, place };
}

function blockIsIntact(bytes: Uint8Array, at: number): boolean {
  return readU32(bytes, at + BLOCK - 4) === crc32c(bytes, at, at + BLOCK - 4);
}

/** Block numbers count from 1 and wrap at 2^30. */
function numberOf(lsn: number): number {
  return (Math.floor(lsn / BLOCK) % 0x40000000) + 1;
}

interface Block {
  /** Of what is in it; `BLOCK` when it is full. */
  dataBytes: number;
  firstGroup: number;
  encrypted: boolean;
}

/** The payload of consecutive blocks as one stream. A position is an LSN without the headers and trailers of the blocks. */
class BlockStream implements LogStream {
  readonly form = { crc: false, nonceBytes: 0 } as const;
  readonly capacity: number;
  readonly payload: number;
  private readonly chunk = Buffer.alloc(128 * BLOCK);
  private chunkLsn = -1;
  private chunkBytes = 0;

  constructor(
    private readonly reader: BlockReader,
    private readonly layout: Layout,
    private readonly trailer: number,
  ) {
    this.capacity = layout.capacity;
    this.payload = BLOCK - BLOCK_HEADER - trailer;
  }

  positionOf(lsn: number): number {
    const inBlock = Math.min(Math.max((lsn % BLOCK) - BLOCK_HEADER, 0), this.payload);
    return Math.floor(lsn / BLOCK) * this.payload + inBlock;
  }

  lsnOf(position: number): number {
    return Math.floor(position / this.payload) * BLOCK + BLOCK_HEADER + (position % this.payload);
  }

  endByteAt(): number {
    return 0;
  }

  async read(position: number, target: Buffer, lengthBytes: number): Promise<number> {
    let done = 0;
    while (done < lengthBytes) {
      const lsn = Math.floor((position + done) / this.payload) * BLOCK;
      const block = await this.block(lsn);
      const from = BLOCK_HEADER + ((position + done) % this.payload);
      const end = Math.min(block?.dataBytes ?? 0, BLOCK - this.trailer);
      const count = Math.min(end - from, lengthBytes - done);
      if (count <= 0) break;
      this.chunk.copy(target, done, lsn - this.chunkLsn + from, lsn - this.chunkLsn + from + count);
      done += count;
      if (from + count < BLOCK - this.trailer) break; // a block that is not full is the last
    }
    return done;
  }

  /** The block at an LSN if it is what belongs there; null when it is damaged, or of another lap. */
  async block(lsn: number): Promise<Block | null> {
    if (this.chunkLsn < 0 || lsn < this.chunkLsn || lsn >= this.chunkLsn + this.chunkBytes) await this.load(lsn);
    const at = lsn - this.chunkLsn;
    if (at < 0 || at + BLOCK > this.chunkBytes) return null;
    const number = (readU32(this.chunk, at) & ~FLUSH_BIT) >>> 0;
    const length = this.chunk.readUInt16BE(at + 4); // MySQL marks an encrypted block in the highest bit
    const dataBytes = length & ~ENCRYPTED_BLOCK;
    if (number !== numberOf(lsn) || !blockIsIntact(this.chunk, at) || dataBytes < BLOCK_HEADER || dataBytes > BLOCK) return null;
    return { dataBytes, firstGroup: this.chunk.readUInt16BE(at + 6), encrypted: (length & ENCRYPTED_BLOCK) !== 0 };
  }

  /** The first group of records that begins in a block. The bytes are valid until the next call. */
  async historyBlock(lsn: number): Promise<HistoryBlock | null> {
    const block = await this.block(lsn);
    if (!block) return null;
    const end = Math.min(block.dataBytes, BLOCK - this.trailer);
    const from = block.firstGroup;
    const readable = !block.encrypted && from >= BLOCK_HEADER && from < end;
    const at = lsn - this.chunkLsn;
    return { group: readable ? this.chunk.subarray(at + from, at + end) : null, lsn: lsn + from };
  }

  private async load(lsn: number): Promise<void> {
    const place = this.layout.place(lsn);
    this.chunkLsn = lsn;
    this.chunkBytes = place ? Math.max(0, Math.min(this.chunk.length, place.map.sizeBytes - place.offset)) : 0;
    this.chunkBytes -= this.chunkBytes % BLOCK;
    if (place && this.chunkBytes > 0) await this.reader.read(place.map, place.offset, this.chunk, this.chunkBytes);
  }
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
