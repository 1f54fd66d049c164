/** One table file: the checksums of its index, of what describes it, and of every block of data. */
import type { Problems } from '../../../src/bytes/problems.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource } from '../../../src/types.js';
import { END_OF_BLOCK, type Footer, type Handle, handlesIn, readBlock, readFooter, UnknownTableError, unfold } from '../format/table.js';

/** `open`: what could not be looked at; null: all of it was. */
export interface TableResult {
  blocks: number;
  open: string | null;
}

export async function verifyTable(source: ByteSource, path: string, problems: Problems, signal: AbortSignal): Promise<TableResult> {
  const result: TableResult = { blocks: 0, open: null };
  try {
    const footer = await readFooter(source);
    if (footer.checksum !== 'crc32c' && footer.checksum !== 'xxh3')
      return { ...result, open: `it has checksums of the kind ${footer.checksum ?? 'unknown'}, which are not computed here` };
    const described = await blocksNamedBy(source, footer, footer.metaindex, false);
    const data = await dataBlocks(source, footer);
    result.blocks = 2;
    for (const handle of [...(described ?? []), ...(data ?? [])]) {
      signal.throwIfAborted();
      await look(source, handle, footer, path, problems);
      result.blocks++;
    }
    if (!described || !data) result.open = 'its index is compressed or arranged in a way that is not known here';
  } catch (error) {
    if (error instanceof UnknownTableError) result.open = `${error.message}, which is not known here`;
    else if (error instanceof FormatError) problems.damaged('rocksdb.table', `${path} ${error.message}.`, { file: path });
    else throw error;
  }
  return result;
}

async function look(source: ByteSource, handle: Handle, footer: Footer, path: string, problems: Problems): Promise<void> {
  try {
    await readBlock(source, handle, footer);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    problems.damaged('rocksdb.block', `${path} ${error.message}.`, { file: path, offset: handle.offset });
  }
}

/** Throws when the block itself is damaged; null when it is intact and cannot be read here. */
async function blocksNamedBy(source: ByteSource, footer: Footer, handle: Handle, delta: boolean): Promise<Handle[] | null> {
  const { bytes, compression } = await readBlock(source, handle, footer);
  try {
    const plain = unfold(bytes, compression, footer.formatVersion);
    const handles = plain && handlesIn(plain, delta);
    return handles?.every(({ offset, size }) => offset + size + END_OF_BLOCK <= source.sizeBytes) ? handles : null;
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

/** Blocks of data follow each other from the beginning of the file: only an index that says so was read rightly. */
async function dataBlocks(source: ByteSource, footer: Footer): Promise<Handle[] | null> {
  for (const delta of footer.formatVersion >= 4 ? [true, false] : [false]) {
    const handles = await blocksNamedBy(source, footer, footer.index, delta);
    if (handles && followEachOther(handles)) return handles;
  }
  return null;
}

function followEachOther(handles: Handle[]): boolean {
  let next = 0;
  for (const { offset, size } of handles) {
    if (offset !== next) return false;
    next = offset + size + END_OF_BLOCK;
  }
  return true;
}
