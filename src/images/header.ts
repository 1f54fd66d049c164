/** What the header of one image file says, and the bounded reads every header parser is made of. */
import { FormatError } from '../errors.js';
import type { ByteSource, ImageFormat, InternalSnapshot } from '../types.js';

/** `promisedBytes`: the least length at which everything the tables point to is inside the file. */
export interface ImageHeader {
  format: ImageFormat;
  virtualSizeBytes: number;
  promisedBytes: number;
  /** The next layer as the header names it: hostile text, not yet a path. */
  backing: { name: string; format: string | null } | null;
  internalSnapshots: InternalSnapshot[];
  details: Record<string, string | number | boolean>;
}

/** Longest string of a guest that is kept for a message. */
const QUOTED_LENGTH = 200;

/** A header that must not be used: damaged, unsupported, or reaching for something outside. */
export function refuse(code: string, message: string, advice?: string): FormatError {
  return new FormatError({ code: `image.${code}`, message, ...(advice === undefined ? {} : { advice }) });
}

/** Exactly `length` bytes. @throws FormatError when the file ends before. */
export async function readExactly(source: ByteSource, offset: number, length: number, what: string): Promise<Buffer> {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > source.sizeBytes) {
    throw refuse('truncated-header', `the file ends (at ${source.sizeBytes} bytes) before its ${what}, which should lie at byte ${offset}`);
  }
  return source.read(offset, length);
}

/** As many of `length` bytes as the file holds at `offset`: tables of a truncated file are read as far as they go. */
export async function readAvailable(source: ByteSource, offset: number, length: number): Promise<Buffer> {
  const available = Math.min(length, source.sizeBytes - offset);
  return available > 0 ? source.read(offset, available) : Buffer.alloc(0);
}

/** A table in pieces of bounded size, as far as the file holds it. */
export async function* readInChunks(source: ByteSource, offset: number, length: number, chunkBytes: number): AsyncGenerator<Buffer> {
  const end = Math.min(offset + length, source.sizeBytes);
  for (let at = offset; at < end; at += chunkBytes) yield source.read(at, Math.min(chunkBytes, end - at));
}

export function u64be(buffer: Buffer, offset: number, what: string): number {
  return safe(buffer.readBigUInt64BE(offset), what);
}

export function u64le(buffer: Buffer, offset: number, what: string): number {
  return safe(buffer.readBigUInt64LE(offset), what);
}

function safe(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse('absurd-size', `the header's ${what} is absurd (${value})`);
  return Number(value);
}

/** Guest text for a message: printable, quoted, short. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}...` : text);
}

/** Remembers the highest byte anything points to. */
export class HighWater {
  bytes = 0;

  note(end: number): void {
    if (end > this.bytes) this.bytes = Math.min(end, Number.MAX_SAFE_INTEGER);
  }
}
