/** Follows the log from the last checkpoint to its end, block by block, and looks for blocks beyond the end. */
import { blockLength, type LogBlock, lastLsn, MAX_BLOCK_BYTES, parseBlock, SECTOR_BYTES, VLF_HEADER_BYTES } from './format/log.js';
import { compareLsn, type Lsn } from './format/page.js';
import type { Vlf, VlfList } from './log-files.js';

export interface LogFacts {
  vlfs: number;
  /** Of the checkpoint's block: `found`, no longer in the log, not yet in the log, in a part that is damaged, or not known where. */
  checkpoint: 'found' | 'overwritten' | 'beyond' | 'damaged' | 'unknown';
  /** The last record of the chain; null when no block was readable. */
  end: Lsn | null;
  blocks: number;
  /** From the checkpoint to the end. */
  bytes: number;
  /** Whole blocks behind the end, which recovery does not reach. */
  beyond: { blocks: number; spanBytes: number } | null;
  problems: VlfList['problems'];
}

interface Walk {
  end: Lsn | null;
  last: LogBlock | null;
  blocks: number;
  bytes: number;
  /** Offset in the VLF at which no block followed. */
  stop: number;
}

const WINDOW_BYTES = 1024 * 1024;

export type LogProgress = (doneBytes: number) => void;

export async function walkLog(list: VlfList, checkpoint: Lsn | null, signal: AbortSignal, progress: LogProgress): Promise<LogFacts> {
  const { start, word } = await findStart(list, checkpoint);
  const facts: LogFacts = { vlfs: list.total, checkpoint: word, end: null, blocks: 0, bytes: 0, beyond: null, problems: list.problems };
  let from = start?.from ?? VLF_HEADER_BYTES;
  for (let vlf = start?.vlf; vlf; ) {
    signal.throwIfAborted();
    const walk = await walkVlf(vlf, from);
    facts.end = walk.end ?? facts.end;
    facts.blocks += walk.blocks;
    facts.bytes += walk.bytes;
    progress(facts.bytes);
    const next = list.used.get(vlf.number + 1);
    if (!next || !(await continues(walk, vlf, next))) {
      facts.beyond = await lookBeyond(vlf, walk.stop, next, signal);
      break;
    }
    vlf = next;
    from = VLF_HEADER_BYTES;
  }
  return facts;
}

/** Without a usable checkpoint the end is still looked for, in the VLF used last. */
async function findStart(list: VlfList, checkpoint: Lsn | null): Promise<{ start: { vlf: Vlf; from: number } | null; word: LogFacts['checkpoint'] }> {
  const newest = list.used.get(list.highest);
  const fallback = newest ? { vlf: newest, from: VLF_HEADER_BYTES } : null;
  if (!checkpoint || checkpoint.vlf === 0) return { start: fallback, word: 'unknown' };
  const vlf = list.used.get(checkpoint.vlf);
  if (!vlf) return { start: fallback, word: checkpoint.vlf > list.highest ? 'beyond' : 'overwritten' };
  const from = checkpoint.block * SECTOR_BYTES;
  const block = await blockAt(vlf, from);
  if (block && checkpoint.slot <= block.records) return { start: { vlf, from }, word: 'found' };
  // Whether it was never written or is damaged shows in the walk from the beginning of the VLF.
  const walk = await walkVlf(vlf, VLF_HEADER_BYTES);
  const written = walk.end !== null && compareLsn(walk.end, checkpoint) >= 0;
  return { start: { vlf, from: VLF_HEADER_BYTES }, word: written || list.highest > vlf.number ? 'damaged' : 'beyond' };
}

async function blockAt(vlf: Vlf, from: number): Promise<LogBlock | null> {
  if (from < VLF_HEADER_BYTES || from >= vlf.sizeBytes) return null;
  const bytes = await vlf.source.read(vlf.offset + from, Math.min(MAX_BLOCK_BYTES, vlf.sizeBytes - from));
  return parseBlock(bytes, 0, blockLength(bytes, 0, vlf, from / SECTOR_BYTES), vlf);
}

/** Blocks from `from` on, as far as each begins where the one before ends. */
async function walkVlf(vlf: Vlf, from: number): Promise<Walk> {
  const walk: Walk = { end: null, last: null, blocks: 0, bytes: 0, stop: from };
  while (walk.stop < vlf.sizeBytes) {
    const base = walk.stop;
    const bytes = await vlf.source.read(vlf.offset + base, Math.min(WINDOW_BYTES, vlf.sizeBytes - base));
    walkWindow(walk, vlf, bytes);
    const stuck = walk.stop === base || (walk.stop < base + bytes.length && base + bytes.length - walk.stop >= MAX_BLOCK_BYTES);
    if (stuck) break;
  }
  return walk;
}

function walkWindow(walk: Walk, vlf: Vlf, bytes: Buffer): void {
  const base = walk.stop;
  for (;;) {
    const at = walk.stop - base;
    const number = walk.stop / SECTOR_BYTES;
    const block = parseBlock(bytes, at, blockLength(bytes, at, vlf, number), vlf);
    if (!block) return;
    walk.end = lastLsn(vlf, number, block);
    walk.last = block;
    walk.blocks++;
    walk.bytes += block.lengthBytes;
    walk.stop += block.lengthBytes;
  }
}

/** The chain goes on in the next VLF: this one is full, or the next one's first block names the length of the last block here. */
async function continues(walk: Walk, vlf: Vlf, next: Vlf): Promise<boolean> {
  const first = await blockAt(next, VLF_HEADER_BYTES);
  if (!first) return false;
  return walk.stop >= vlf.sizeBytes || first.previousBytes === walk.last?.lengthBytes;
}

async function lookBeyond(vlf: Vlf, stop: number, next: Vlf | undefined, signal: AbortSignal): Promise<LogFacts['beyond']> {
  let blocks = 0;
  let spanBytes = 0;
  for (let base = stop; base < vlf.sizeBytes; base += WINDOW_BYTES) {
    signal.throwIfAborted();
    const overlap = Math.min(WINDOW_BYTES + MAX_BLOCK_BYTES, vlf.sizeBytes - base);
    const bytes = await vlf.source.read(vlf.offset + base, overlap);
    for (let at = 0; at < Math.min(WINDOW_BYTES, overlap); at += SECTOR_BYTES) {
      const length = blockLength(bytes, at, vlf, (base + at) / SECTOR_BYTES);
      if (length === 0 || !parseBlock(bytes, at, length, vlf)) continue;
      blocks++;
      spanBytes = base + at + length - stop;
    }
  }
  if (next && (await blockAt(next, VLF_HEADER_BYTES))) {
    const walk = await walkVlf(next, VLF_HEADER_BYTES);
    return { blocks: blocks + walk.blocks, spanBytes: vlf.sizeBytes - stop + walk.bytes };
  }
  return blocks > 0 ? { blocks, spanBytes } : null;
}
