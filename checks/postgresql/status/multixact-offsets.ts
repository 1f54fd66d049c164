/** pg_multixact/offsets: for each multixact, where its members begin. Members are given out in the order of multixacts. */
import { addExample } from '../examples.js';
import type { StatusFacts } from './facts.js';
import type { StatusFiles } from './files.js';
import { type NumberRange, pagesOf } from './ranges.js';

const ENTRY_BYTES = 4;
/** 33 million multixacts. */
const MAX_PAGES = 16_384;

/**
 * Notes multixacts whose members do not lie behind those before them and before `nextOffset`. Gives the first member that is kept; null:
 * nothing tells. An entry of zero was given out and not yet written: the log writes it.
 */
export async function judgeOffsets(
  files: StatusFiles,
  range: NumberRange,
  nextOffset: number,
  facts: StatusFacts,
  signal: AbortSignal,
): Promise<number | null> {
  const perPage = files.pageBytes / ENTRY_BYTES;
  let first: number | null = null;
  let before = 0;
  let pages = 0;
  for (const number of pagesOf(range, perPage)) {
    signal.throwIfAborted();
    if (++pages > MAX_PAGES) return first;
    const page = await files.page(number);
    for (let slot = 0; page && slot < perPage; slot++) {
      const multixact = number * perPage + slot;
      const offset = (multixact - range.first) >>> 0 < (range.end - range.first) >>> 0 ? page.readUInt32LE(slot * ENTRY_BYTES) : 0;
      if (offset === 0) continue;
      const isFirst = first === null;
      first ??= offset;
      const distance = (offset - first) >>> 0;
      const inOrder = isFirst || distance > (before - first) >>> 0;
      if (!inOrder || distance >= (nextOffset - first) >>> 0) addExample(facts.disordered, { multixact, offset, before });
      else before = offset;
    }
  }
  return first;
}
