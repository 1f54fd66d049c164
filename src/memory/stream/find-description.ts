/** Finds the description: it ends the stream, behind the byte that ends the sections. Only its head is binary: 00 06, be32 length. */
import type { ByteSource } from '../../types.js';
import { type Description, MAX_DESCRIPTION_BYTES, parseDescription } from './description.js';

const HEAD_BYTES = 6;
const WINDOW_BYTES = 2 ** 20;
/** How far behind the RAM it is looked for where the file goes on behind the stream: device states are a few megabytes. */
const MAX_SEARCH_BYTES = 256 * 2 ** 20;

export interface FoundDescription extends Description {
  /** Of the byte that ends the sections. */
  offset: number;
  /** Behind the description. */
  end: number;
}

/**
 * @param from where the sections of the devices begin
 * @returns null when there is none
 * @throws FormatError when there is one that does not have its shape
 */
export async function findDescription(source: ByteSource, from: number, signal: AbortSignal): Promise<FoundDescription | null> {
  const head = (await searchFromEnd(source, from)) ?? (await searchForwards(source, from, signal));
  if (head === null) return null;
  const text = await source.read(head.offset + HEAD_BYTES, head.lengthBytes);
  return { ...parseDescription(text.toString('utf8')), offset: head.offset, end: head.offset + HEAD_BYTES + head.lengthBytes };
}

interface Head {
  offset: number;
  lengthBytes: number;
}

/** JSON holds no byte 06, so the last one of the file can only be its head: unless other bytes follow the stream. */
async function searchFromEnd(source: ByteSource, from: number): Promise<Head | null> {
  const start = Math.max(from, source.sizeBytes - MAX_DESCRIPTION_BYTES - HEAD_BYTES);
  for (let end = source.sizeBytes; end > start; end -= WINDOW_BYTES) {
    const base = Math.max(start, end - WINDOW_BYTES);
    const view = await source.read(base, end - base);
    const at = view.lastIndexOf(0x06);
    if (at < 0) continue;
    const head = await headAt(source, base + at - 1, from);
    return head && head.offset + HEAD_BYTES + head.lengthBytes === source.sizeBytes ? head : null;
  }
  return null;
}

async function searchForwards(source: ByteSource, from: number, signal: AbortSignal): Promise<Head | null> {
  const stop = Math.min(source.sizeBytes, from + MAX_SEARCH_BYTES);
  for (let base = from; base < stop; base += WINDOW_BYTES) {
    signal.throwIfAborted();
    const view = await source.read(base, Math.min(WINDOW_BYTES + HEAD_BYTES + 2, source.sizeBytes - base));
    for (let at = view.indexOf('\x00\x06', 0, 'latin1'); at >= 0 && at < WINDOW_BYTES; at = view.indexOf('\x00\x06', at + 1, 'latin1')) {
      // An object begins with a name: few other places look so, and only those are read.
      if (view.toString('latin1', at + HEAD_BYTES, at + HEAD_BYTES + 2) !== '{"') continue;
      const head = await headAt(source, base + at, from);
      if (head) return head;
    }
  }
  return null;
}

/** A head that stands at `offset`, when its length leads to the end of an object inside of the source. */
async function headAt(source: ByteSource, offset: number, from: number): Promise<Head | null> {
  if (offset < from || offset + HEAD_BYTES + 2 > source.sizeBytes) return null;
  const bytes = await source.read(offset, HEAD_BYTES + 1);
  const lengthBytes = bytes.readUInt32BE(2);
  const end = offset + HEAD_BYTES + lengthBytes;
  if (bytes[0] !== 0 || bytes[1] !== 6 || bytes[HEAD_BYTES] !== 0x7b || lengthBytes < 2 || lengthBytes > MAX_DESCRIPTION_BYTES || end > source.sizeBytes)
    return null;
  const last = await source.read(end - 1, 1);
  return last[0] === 0x7d ? { offset, lengthBytes } : null;
}
