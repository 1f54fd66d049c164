/**
 * Where the blocks of a redo log lie: in files of one size that form a ring (MariaDB 10.5 to 10.7, MySQL 5.7 to 8.0.29), or in files
 * that each begin at an LSN of their own (`#innodb_redo`, MySQL 8.0.30 and later). Sources: see block-log.ts.
 */
import type { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap } from '../../../src/types.js';
import { readU32 } from '../format/mini-transaction.js';
import { isLsn, parseRedoHead, type RedoHead } from '../format/redo-head.js';
import { BLOCK, blockIsIntact } from './block-stream.js';
import type { Checkpoint } from './stream.js';

const FILE_HEADER = 4 * BLOCK;
const CHECKPOINTS = [BLOCK, 3 * BLOCK];
const HIGH = 2 ** 32;
/** Format 5 (8.0.19) counts laps of the block number in place of the checkpoint number, format 6 has one file per stretch of log. */
const FORMAT_REDO_FILES = 6;

/** Where the bytes of a log lie, and its newest checkpoint. */
export interface Layout {
  checkpoint: Checkpoint;
  /** LSN distance of one lap. */
  capacity: number;
  /** File and offset at which a block-aligned LSN lies; null when no file holds it. */
  place(lsn: number): { map: ByteMap; offset: number } | null;
}

export interface LayoutRequest {
  maps: (ByteMap | null)[];
  head: RedoHead;
  /** The first bytes of the first file. */
  firstBlocks: Buffer;
}

/** @returns why it cannot be laid out, when its headers do not allow it. */
export async function layOut(request: LayoutRequest, blocks: BlockReader): Promise<Layout | { why: string }> {
  const maps = request.maps.filter((map): map is ByteMap => map !== null && map.sizeBytes > FILE_HEADER);
  if (maps.length < request.maps.length) return { why: 'a file of the log is cut short or cannot be read' };
  return request.head.number === FORMAT_REDO_FILES ? layOutFiles(maps, blocks) : layOutGroup(maps, request);
}

/** Files of one size, one after the other, as a ring. The checkpoint tells where in the ring its LSN lies. */
function layOutGroup(maps: ByteMap[], request: LayoutRequest): Layout | { why: string } {
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
    const lsn = parseBlockCheckpoint(head, at);
    if (lsn === null) continue;
    const number = readU32(head, at) * HIGH + readU32(head, at + 4);
    const offset = readU32(head, at + 16) * HIGH + readU32(head, at + 20);
    const endLsn = format === 'mariadb-10.5' ? readU32(head, at + BLOCK - 16) * HIGH + readU32(head, at + BLOCK - 12) : lsn;
    if (offset < FILE_HEADER || !isLsn(endLsn) || (best && best.number > number)) continue;
    best = { number, lsn, offset, endLsn: endLsn >= lsn ? endLsn : lsn };
  }
  return best;
}

/** LSN of the checkpoint in the block at `at`; null when it is none. */
export function parseBlockCheckpoint(bytes: Buffer, at: number): number | null {
  if (bytes.length < at + BLOCK || !blockIsIntact(bytes, at)) return null;
  const lsn = readU32(bytes, at + 8) * HIGH + readU32(bytes, at + 12);
  return isLsn(lsn) ? lsn : null;
}

/** MySQL 8.0.30 and later: each file begins at an LSN of its own; the newest checkpoint of any file counts. */
async function layOutFiles(maps: ByteMap[], blocks: BlockReader): Promise<Layout | { why: string }> {
  const files: { start: number; map: ByteMap }[] = [];
  let checkpoint: Checkpoint | null = null;
  const head = Buffer.alloc(FILE_HEADER);
  for (const map of maps) {
    await blocks.read(map, 0, head, FILE_HEADER);
    const parsed = parseRedoHead(head);
    if (!parsed || !isLsn(parsed.firstLsn) || !blockIsIntact(head, 0)) return { why: 'the header of one of its files is damaged' };
    files.push({ start: parsed.firstLsn, map });
    for (const at of CHECKPOINTS) {
      const lsn = parseBlockCheckpoint(head, at);
      if (lsn !== null && lsn > (checkpoint?.lsn ?? 0)) checkpoint = { lsn, endLsn: lsn };
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
