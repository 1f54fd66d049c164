/**
 * Finds the table of symbols of kernels before 6.0, which do not say where it lies, by its own shape: the tokens of the ten digits stand in
 * a row, the index behind them names the start of every token, the markers before them name the start of every 256th symbol.
 */
import { entryAt, type SymbolTablePlaces } from './kallsyms.js';

/** The tokens `0` to `9`, each ended by a zero byte. */
const DIGITS = Buffer.from('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\0', 'latin1');
const FIRST_DIGIT = 0x30;
const TOKENS = 256;
const MOST_TOKEN_BYTES = 64;
const SYMBOLS_PER_MARKER = 256;
const MOST_MARKERS = 8192;
/** Packed names of one marker's symbols. */
const MOST_MARKED_BYTES = SYMBOLS_PER_MARKER * 128;
const ALIGN = 8;
/** Places that look like the digits: a real kernel has one. */
const MAX_CANDIDATES = 1000;

/**
 * @param image the kernel's own memory from `base` on, text and read-only data
 * @returns null when it holds no such table
 */
export function findSymbolTable(image: Buffer, base: bigint): SymbolTablePlaces | null {
  let left = MAX_CANDIDATES;
  for (let at = image.indexOf(DIGITS); at >= 0 && left-- > 0; at = image.indexOf(DIGITS, at + 1)) {
    const table = tokenTableStart(image, at);
    const index = table === null ? null : tokenIndexAfter(image, table);
    const markers = table === null || index === null ? null : markersBefore(image, table);
    const names = markers && namesBefore(image, markers);
    if (table === null || index === null || !names) continue;
    const { start, count } = names;
    const baseAt = start - 2 * ALIGN;
    const offsetsAt = baseAt - Math.ceil((count * 4) / ALIGN) * ALIGN;
    if (offsetsAt < 0) continue;
    const place = (offset: number) => base + BigInt(offset);
    return {
      ...{ count, names: place(start), tokenTable: place(table), tokenIndex: place(index), offsets: place(offsetsAt) },
      relativeBase: image.readBigUInt64LE(baseAt),
    };
  }
  return null;
}

/** Back over the 48 tokens before `0`. */
function tokenTableStart(image: Buffer, digits: number): number | null {
  let at = digits;
  for (let token = 0; token < FIRST_DIGIT; token++) {
    const end = at - 1;
    let start = end;
    while (start > 0 && end - start < MOST_TOKEN_BYTES && image[start - 1] !== 0) start--;
    if (image[end] !== 0 || start === end) return null;
    at = start;
  }
  return at;
}

function tokenIndexAfter(image: Buffer, table: number): number | null {
  const starts: number[] = [];
  let at = table;
  for (let token = 0; token < TOKENS; token++) {
    starts.push(at - table);
    const end = image.indexOf(0, at);
    if (end < 0 || end - at > MOST_TOKEN_BYTES) return null;
    at = end + 1;
  }
  const index = alignUp(at);
  const fits = index + TOKENS * 2 <= image.length && starts.every((start, token) => image.readUInt16LE(index + token * 2) === start);
  return fits ? index : null;
}

interface Markers {
  start: number;
  count: number;
  last: number;
}

/** Numbers that fall, read backwards, down to the zero of the first. */
function markersBefore(image: Buffer, table: number): Markers | null {
  let at = table - 4;
  if (at < ALIGN) return null;
  if (image.readUInt32LE(at) === 0) at -= 4; // padding
  const last = image.readUInt32LE(at);
  for (let count = 1, next = last + 1; count <= MOST_MARKERS && at >= 0; count++, at -= 4) {
    const marker = image.readUInt32LE(at);
    if (marker >= next) return null;
    if (marker === 0) return { start: at, count, last };
    next = marker;
  }
  return null;
}

/** The names end shortly before the markers; their number stands before their start. */
function namesBefore(image: Buffer, markers: Markers): { start: number; count: number } | null {
  const latest = markers.start - markers.last;
  for (let start = latest - (latest % ALIGN); start > Math.max(2 * ALIGN, latest - MOST_MARKED_BYTES); start -= ALIGN) {
    const count = image.readUInt32LE(start - ALIGN);
    if (Math.ceil(count / SYMBOLS_PER_MARKER) === markers.count && marksFit(image, start, markers)) return { start, count };
  }
  return null;
}

function marksFit(image: Buffer, names: number, markers: Markers): boolean {
  for (let marker = 0, at = names; marker < markers.count; marker++) {
    if (at - names !== image.readUInt32LE(markers.start + marker * 4)) return false;
    if (marker + 1 === markers.count) return true;
    for (let i = 0; i < SYMBOLS_PER_MARKER; i++) {
      const entry = entryAt(image, at);
      if (!entry || entry.end > markers.start) return false;
      at = entry.end;
    }
  }
  return true;
}

function alignUp(offset: number): number {
  return Math.ceil(offset / ALIGN) * ALIGN;
}
