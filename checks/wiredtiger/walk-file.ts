/** Every block of one file that its newest checkpoint reaches, each held against the checksum kept by what points to it. */
import type { Problems } from '../../src/bytes/problems.js';
import { FormatError } from '../../src/errors.js';
import type { ByteSource } from '../../src/types.js';
import { blockProblem, type Cell, isDescription, MAX_BLOCK_BYTES, type PageCells, pageCells } from './format/block.js';
import type { FileConfig } from './format/config.js';
import { type BlockAddress, parseAddress, parseCheckpoint } from './format/cookie.js';

export interface FileFacts {
  blocks: number;
  bytes: number;
  /** Pages that could not be looked into: packed in an unknown way, or too large. What lies below was not reached. */
  closed: number;
}

/** Told of each leaf page in the order of keys. */
export type LeafVisitor = (cells: Cell[]) => void;

export interface FileWalk {
  path: string;
  source: ByteSource;
  config: FileConfig;
  problems: Problems;
  signal: AbortSignal;
  visit?: LeafVisitor;
}

/** A tree has fewer blocks than its file has units: a loop ends there. */
export async function walkFile(walk: FileWalk): Promise<FileFacts> {
  const { source, config, problems, path } = walk;
  const facts: FileFacts = { blocks: 0, bytes: 0, closed: 0 };
  const first = await source.read(0, Math.min(config.unit, source.sizeBytes));
  if (!isDescription(first)) problems.damaged('wiredtiger.file', `The first block of ${path} is damaged.`, { file: path, offset: 0 });
  if (config.checkpoint === null) return facts;
  const cookie = parseCheckpoint(config.checkpoint, config.unit);
  if (cookie.fileBytes > source.sizeBytes) {
    problems.damaged('wiredtiger.short', `${path} has ${source.sizeBytes} bytes, and ${cookie.fileBytes} at its checkpoint: it is cut off.`, { file: path });
  }
  for (const list of cookie.lists) await readBlock(walk, list, facts);
  const pending = cookie.root ? [cookie.root] : [];
  const mostBlocks = Math.floor(source.sizeBytes / config.unit);
  for (let next = pending.pop(); next; next = pending.pop()) {
    walk.signal.throwIfAborted();
    if (facts.blocks > mostBlocks) {
      problems.damaged('wiredtiger.loop', `The tree of ${path} comes back to blocks it has met.`, { file: path });
      break;
    }
    const block = await readBlock(walk, next, facts);
    const children = block ? childrenOf(walk, block, next, facts) : [];
    // The last is taken first.
    for (let i = children.length - 1; i >= 0; i--) pending.push(children[i] as BlockAddress);
  }
  return facts;
}

async function readBlock({ source, path, problems }: FileWalk, address: BlockAddress, facts: FileFacts): Promise<Buffer | null> {
  const where = { file: path, offset: address.offset, bytes: address.sizeBytes };
  if (address.offset + address.sizeBytes > source.sizeBytes) {
    problems.damaged('wiredtiger.outside', `The checkpoint of ${path} names a block at ${address.offset}, beyond the end of the file.`, where);
    return null;
  }
  if (address.sizeBytes > MAX_BLOCK_BYTES) {
    facts.closed++;
    return null;
  }
  const block = await source.read(address.offset, address.sizeBytes);
  const problem = blockProblem(block, address);
  if (problem) {
    problems.damaged('wiredtiger.block', `The block at ${address.offset} of ${path} ${problem}.`, where);
    return null;
  }
  facts.blocks++;
  facts.bytes += block.length;
  return block;
}

function childrenOf(walk: FileWalk, block: Buffer, address: BlockAddress, facts: FileFacts): BlockAddress[] {
  const { config, path, problems } = walk;
  try {
    const page = pageCells(block, config.compressor);
    if (!page) {
      facts.closed++;
      return [];
    }
    if (!page.internal) walk.visit?.(page.cells);
    return addressesIn(page, config.unit);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    problems.damaged('wiredtiger.page', `The page at ${address.offset} of ${path}: ${error.message}.`, { file: path, offset: address.offset });
    return [];
  }
}

function addressesIn({ internal, cells }: PageCells, unit: number): BlockAddress[] {
  const wanted = cells.filter(({ kind, data }) => data.length > 0 && (kind === 'overflow' || (internal && kind === 'address')));
  return wanted.flatMap(({ data }) => parseAddress(data, unit) ?? []);
}
