/** Reads the blocks of one redo log to the end of what was written in its sequence. */
import { MappedSource } from '../../src/bytes/source.js';
import type { ByteMap } from '../../src/types.js';
import { wordSum } from './format/block.js';

const READ_BYTES = 1024 * 1024;

/** Blocks by number; 0 and 1 are the header. Plain JSON. */
export interface RedoBlocks {
  valid: number;
  /** First that is not of this sequence, with blocks of it behind: a hole. */
  hole: number | null;
  /** First whose checksum does not fit, with whole ones of this sequence behind it. */
  damaged: number | null;
  /** The same at the end: the last write may have been under way. */
  torn: number | null;
  /** Whose checksum does not fit. Where it is most of them, none is written. */
  sumless: number;
}

export async function readRedoBlocks(map: ByteMap, blockBytes: number, sequence: number, signal: AbortSignal): Promise<RedoBlocks> {
  const source = new MappedSource(map);
  const walk = new BlockWalk();
  try {
    const end = Math.floor(map.sizeBytes / blockBytes);
    const step = READ_BYTES / blockBytes;
    for (let first = 2; first < end; first += step) {
      signal.throwIfAborted();
      const count = Math.min(step, end - first);
      const bytes = await source.read(first * blockBytes, count * blockBytes);
      for (let i = 0; i < count; i++) walk.add(bytes.subarray(i * blockBytes, (i + 1) * blockBytes), first + i, sequence);
    }
    return walk.facts;
  } finally {
    await source.close();
  }
}

class BlockWalk {
  readonly facts: RedoBlocks = { valid: 0, hole: null, damaged: null, torn: null, sumless: 0 };
  private ended: number | null = null;

  add(block: Buffer, number: number, sequence: number): void {
    const { facts } = this;
    const own = block[0] === 1 && ((block[1] ?? 0) & 0x0f) === 2 && block.readUInt32LE(4) === number && block.readUInt32LE(8) === sequence;
    if (!own) this.ended ??= number;
    else if (wordSum(block) !== 0) {
      facts.sumless++;
      facts.torn ??= number;
    } else {
      facts.valid++;
      if (this.ended !== null) facts.hole ??= this.ended;
      if (facts.torn !== null) facts.damaged ??= facts.torn;
      facts.torn = null;
    }
  }
}
