/**
 * Files of Lucene 6 to 9: a header with magic and codec, a footer with the CRC-32 of all before it, and in `segments_N` the segments of
 * one commit. Source: the documentation of `CodecUtil`, `SegmentInfos` and `Lucene90SegmentInfoFormat` in Lucene's API reference.
 */
import { FormatError } from '../../../src/errors.js';

export const HEADER_MAGIC = 0x3fd76c17;
export const FOOTER_MAGIC = 0xc02893e8;
export const FOOTER_BYTES = 16;
/** Of segments_N: 6 is Lucene 5.3 to 6, 7 is 7.0, 8 is 7.2, 9 is 7.4, 10 is 8.6 to 9. */
const KNOWN = { from: 6, to: 10 };

export interface Segment {
  name: string;
  codec: string;
  /** Its files besides those that its .si file lists. */
  files: string[];
}

class Reader {
  at = 0;

  constructor(private readonly bytes: Buffer) {}

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw broken('it ends early');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  int(): number {
    return this.take(4).readInt32BE(0);
  }

  /** Generations are small, or -1. */
  long(): number {
    return Number(this.take(8).readBigInt64BE(0));
  }

  vint(): number {
    let value = 0;
    for (let shift = 1; shift <= 2 ** 56; shift *= 128) {
      const byte = this.take(1)[0] ?? 0;
      value += (byte & 0x7f) * shift;
      if (byte < 128) return value;
    }
    throw broken('a number has no end');
  }

  string(): string {
    return this.take(this.vint()).toString('utf8');
  }

  strings(): string[] {
    const count = this.vint();
    const all: string[] = [];
    for (let i = 0; i < count; i++) all.push(this.string());
    return all;
  }
}

function broken(message: string): FormatError {
  return new FormatError({ code: 'lucene.segments', message });
}

/** @throws FormatError when it is of an unknown version, or not whole. */
export function parseSegments(bytes: Buffer): Segment[] {
  const reader = new Reader(bytes.subarray(0, Math.max(0, bytes.length - FOOTER_BYTES)));
  if (reader.int() !== HEADER_MAGIC || reader.string() !== 'segments') throw broken('it has no header of a commit');
  const version = reader.int();
  if (version < KNOWN.from || version > KNOWN.to) throw broken(`its version ${version} is not known`);
  reader.take(16);
  reader.take(reader.take(1)[0] ?? 0);
  for (let i = 0; i < 3; i++) reader.vint();
  if (version >= 7) reader.vint();
  reader.long();
  if (version >= 8) reader.vint();
  else reader.int();
  const count = reader.int();
  if (count > 0) for (let i = 0; i < 3; i++) reader.vint();
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) segments.push(parseSegment(reader, version));
  // What the application put there, in pairs.
  for (let pairs = reader.vint(); pairs > 0; pairs--) for (let i = 0; i < 2; i++) reader.string();
  if (reader.at !== bytes.length - FOOTER_BYTES) throw broken('something follows its last field');
  return segments;
}

function parseSegment(reader: Reader, version: number): Segment {
  const name = reader.string();
  if (!/^_[0-9a-z]{1,13}$/.test(name)) throw broken('a segment has an impossible name');
  if (version >= 7 || (reader.take(1)[0] ?? 0) === 1) reader.take(16);
  const codec = reader.string();
  const files: string[] = [];
  const deletions = reader.long();
  if (deletions > 0) files.push(`${name}_${deletions.toString(36)}.liv`);
  reader.int();
  reader.long();
  reader.long();
  if (version >= 9) reader.int();
  if (version >= 10 && (reader.take(1)[0] ?? 0) === 1) reader.take(16);
  files.push(...reader.strings());
  for (let fields = reader.int(); fields > 0; fields--) {
    reader.int();
    files.push(...reader.strings());
  }
  return { name, codec, files };
}

/**
 * The files that a .si file lists. Its other fields differ from version to version, but names stand there in one way: a length of one
 * byte, then the segment's name and an extension.
 */
export function filesIn(info: Buffer, segment: string): string[] {
  const names = new Set<string>();
  for (let at = info.indexOf(segment); at > 0; at = info.indexOf(segment, at + 1)) {
    const text = info.toString('latin1', at, at + (info[at - 1] ?? 0));
    if (text.startsWith(segment) && /^_[0-9a-z]+(_[A-Za-z0-9_]+)?\.[a-z0-9]{2,5}$/.test(text) && !/[0-9a-z]/.test(text[segment.length] ?? '')) names.add(text);
  }
  return [...names];
}
