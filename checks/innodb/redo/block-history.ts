/** What a log of blocks still holds of before the checkpoint, followed record by record (rule R2). */
import type { Layout } from './block-layout.js';
import { BLOCK, BLOCK_HEADER, type BlockStream } from './block-stream.js';
import type { LogKnowledge } from './knowledge.js';
import type { LogWindow } from './log-window.js';

const STEP_BLOCKS = 64;

/**
 * Back from the checkpoint as long as blocks follow each other; then forward from the first that begins a group of records.
 * @returns from where on it is known; the checkpoint when nothing is.
 */
export async function readHistory(stream: BlockStream, walk: LogWindow, knowledge: LogKnowledge, layout: Layout, historyBytes: number): Promise<number> {
  const { checkpoint, capacity } = layout;
  const oldest = Math.max(checkpoint.lsn - historyBytes, checkpoint.lsn - capacity + BLOCK, BLOCK);
  const start = await firstStart(stream, oldest - (oldest % BLOCK) + BLOCK, checkpoint.lsn);
  if (start < 0) return checkpoint.lsn;
  const groups = new FirstGroups(start, checkpoint.lsn);
  await groups.load(stream);
  const to = stream.positionOf(checkpoint.lsn);
  const stopped = await walk.follow(stream.positionOf(start), to, (mtr) => {
    groups.note(mtr.startLsn);
    knowledge.past(mtr, mtr.endLsn);
  });
  if (stopped >= to && groups.allMet()) return start;
  knowledge.forgetPast();
  return checkpoint.lsn;
}

/** Where the first group begins from which on no block is missing; -1 when there is none. */
async function firstStart(stream: BlockStream, oldest: number, checkpoint: number): Promise<number> {
  let start = -1;
  for (let from = checkpoint - (checkpoint % BLOCK); from > oldest; ) {
    const next = Math.max(from - STEP_BLOCKS * BLOCK, oldest);
    const first = await contiguousFrom(stream, next, from);
    if (first.from >= 0) start = first.from;
    if (first.broken) break;
    from = next;
  }
  return start < checkpoint ? start : -1;
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

/**
 * The header of each block says where the first group begins in it: one must have been met there, or the log was misread. It need not
 * be the first: where the server goes on with a block after it was started, it does not count the record of its first checkpoint.
 */
class FirstGroups {
  private readonly first: number;
  /** Offset in each block; 0 where none begins, or where it was met. */
  private readonly awaited: Uint16Array;

  constructor(from: number, to: number) {
    this.first = from - (from % BLOCK);
    this.awaited = new Uint16Array(Math.ceil((to - this.first) / BLOCK));
  }

  /** The last block is left out: the server goes on writing it. */
  async load(stream: BlockStream): Promise<void> {
    for (let i = 0; i < this.awaited.length - 1; i++) {
      const block = await stream.block(this.first + i * BLOCK);
      this.awaited[i] = block && block.firstGroup < BLOCK ? block.firstGroup : 0;
    }
  }

  note(lsn: number): void {
    const index = Math.floor((lsn - this.first) / BLOCK);
    if (this.awaited[index] === lsn % BLOCK) this.awaited[index] = 0;
  }

  allMet(): boolean {
    return this.awaited.every((offset) => offset === 0);
  }
}
