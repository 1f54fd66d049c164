/** Runs in the threads of the page pass: every formatted block of a data file is intact and in its place. */
import { addTallies, emptyTallies, keepExample, type Tally } from '../../src/bytes/page-facts.js';
import type { PageBlock, PageVerifier } from '../../src/bytes/page-pool.js';
import { judgeBlock } from './format/block.js';

export const READ_BYTES = 256 * 1024;

/** As in `BlockKind`; newer: changed at or after the end of all redo there is. */
export const KINDS = ['sum', 'fractured', 'misplaced', 'format', 'marked', 'newer'] as const;
export type Kind = (typeof KINDS)[number];

export interface BlockFacts {
  blocks: number;
  zeroes: number;
  summed: number;
  /** Formatted, without a checksum. */
  unprotected: number;
  tallies: Record<Kind, Tally>;
}

export interface FileDetail {
  path: string;
  blockBytes: number;
  relativeFile: number;
  /** Blocks behind it belong to no one. */
  blocks: number;
  /** Where all redo ends; null: it is not finished, so that nothing is beyond it. */
  redoEnd: bigint | null;
}

export function emptyFacts(): BlockFacts {
  return { blocks: 0, zeroes: 0, summed: 0, unprotected: 0, tallies: emptyTallies(KINDS) };
}

export function addFacts(facts: BlockFacts, more: BlockFacts): void {
  for (const key of ['blocks', 'zeroes', 'summed', 'unprotected'] as const) facts[key] += more[key];
  addTallies(facts.tallies, more.tallies);
}

export function createVerifier(): PageVerifier<FileDetail, BlockFacts> {
  return new OracleBlocks();
}

class OracleBlocks implements PageVerifier<FileDetail, BlockFacts> {
  readonly buffer = new Uint8Array(READ_BYTES);
  private readonly words = new Int32Array(this.buffer.buffer);
  private readonly view = new DataView(this.buffer.buffer);
  private facts = emptyFacts();

  takeResult(): BlockFacts {
    const { facts } = this;
    this.facts = emptyFacts();
    return facts;
  }

  verify(run: PageBlock<FileDetail>): void {
    const { blockBytes, blocks } = run.detail;
    for (let at = 0; at + blockBytes <= run.lengthBytes; at += blockBytes) {
      const block = (run.offset + at) / blockBytes;
      if (block >= 1 && block <= blocks) this.judge(run.detail, block, at);
    }
  }

  private judge(detail: FileDetail, block: number, at: number): void {
    const { kind, summed, scn } = judgeBlock(this.view, this.words, at, detail.blockBytes, { block, relativeFile: detail.relativeFile });
    this.facts.blocks++;
    if (kind === 'zero') this.facts.zeroes++;
    else if (kind !== 'sound') this.note(kind, detail, block);
    else {
      if (summed) this.facts.summed++;
      else this.facts.unprotected++;
      if (detail.redoEnd !== null && scn >= detail.redoEnd) this.note('newer', detail, block);
    }
  }

  private note(kind: Kind, { path }: FileDetail, block: number): void {
    keepExample(this.facts.tallies[kind], { file: path, block });
  }
}
