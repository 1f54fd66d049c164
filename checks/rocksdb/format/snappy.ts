/** Unfolds Snappy's raw format. Source: Snappy's published format description. Throws FormatError. */
import { FormatError } from '../../../src/errors.js';
import { Reader } from './varint.js';

/** @param maxBytes the most that may come out: what the bytes claim decides nothing */
export function unsnap(bytes: Buffer, maxBytes: number): Buffer {
  const reader = new Reader(bytes);
  const length = reader.varint();
  if (length > maxBytes) throw bad(`it claims to unfold to ${length} bytes`);
  const out = Buffer.alloc(length);
  let at = 0;
  while (!reader.atEnd) {
    const tag = reader.take(1)[0] as number;
    if ((tag & 3) === 0) {
      const literal = reader.take(literalLength(tag, reader));
      if (at + literal.length > length) throw bad('it unfolds to more than it says');
      at += literal.copy(out, at);
      continue;
    }
    const [count, distance] = copyOf(tag, reader);
    if (distance === 0 || distance > at || at + count > length) throw bad('it refers to something outside');
    for (const end = at + count; at < end; at++) out[at] = out[at - distance] as number;
  }
  if (at !== length) throw bad('it unfolds to less than it says');
  return out;
}

function literalLength(tag: number, reader: Reader): number {
  const short = tag >> 2;
  return 1 + (short < 60 ? short : reader.take(short - 59).readUIntLE(0, short - 59));
}

function copyOf(tag: number, reader: Reader): [number, number] {
  if ((tag & 3) === 1) return [4 + ((tag >> 2) & 7), ((tag >> 5) << 8) | (reader.take(1)[0] as number)];
  const bytes = (tag & 3) === 2 ? 2 : 4;
  return [1 + (tag >> 2), reader.take(bytes).readUIntLE(0, bytes)];
}

function bad(message: string): FormatError {
  return new FormatError({ code: 'rocksdb.snappy', message });
}
