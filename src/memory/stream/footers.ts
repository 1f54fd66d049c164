/**
 * The end of a section whose length is not known: its footer (7e, be32 number of the section) with the head of another section,
 * or the end of all sections, right behind it. 10 bytes that fit by chance are not to be expected in any device state.
 */
import type { ByteSource } from '../../types.js';

export const FOOTER = 0x7e;
export const FOOTER_BYTES = 5;
const WINDOW_BYTES = 2 ** 20;
const MAX_SEARCH_BYTES = 1024 * 2 ** 20;
const NEXT_BYTES = 10;

/** Offset of the footer from `from` on; null when there is none. */
export async function findFooter(source: ByteSource, from: number, section: number, signal: AbortSignal): Promise<number | null> {
  const wanted = Buffer.alloc(FOOTER_BYTES);
  wanted[0] = FOOTER;
  wanted.writeUInt32BE(section, 1);
  const stop = Math.min(source.sizeBytes, from + MAX_SEARCH_BYTES);
  for (let base = from; base < stop; base += WINDOW_BYTES) {
    signal.throwIfAborted();
    const view = await source.read(base, Math.min(WINDOW_BYTES + FOOTER_BYTES + NEXT_BYTES, source.sizeBytes - base));
    for (let at = view.indexOf(wanted); at >= 0 && at < WINDOW_BYTES; at = view.indexOf(wanted, at + 1)) {
      if (isFollowed(view.subarray(at + FOOTER_BYTES))) return base + at;
    }
  }
  return null;
}

/** By the end of the sections, with or without a description; by a part or an end; by a new section with a printable name. */
function isFollowed(rest: Buffer): boolean {
  const [type] = rest;
  if (type === undefined || (type === 0 && (rest.length === 1 || rest[1] === 6 || rest[1] === 0))) return true;
  if (type === 2 || type === 3) return true;
  const first = rest[6] ?? 0;
  return (type === 1 || type === 4) && (rest[5] ?? 0) > 0 && first > 0x20 && first < 0x7f;
}
