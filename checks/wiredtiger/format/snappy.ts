/** Snappy's raw format, as published with the library (format_description.txt). */
import { FormatError } from '../../../src/errors.js';

function broken(): FormatError {
  return new FormatError({ code: 'wiredtiger.snappy', message: 'it is compressed and cannot be unpacked' });
}

/** @param maxBytes more is refused, whatever the input promises. @throws FormatError */
export function unpackSnappy(input: Buffer, maxBytes: number): Buffer {
  const reader = new SnappyReader(input);
  const length = reader.number();
  if (length > maxBytes) throw broken();
  return reader.fill(Buffer.alloc(length));
}

class SnappyReader {
  private at = 0;
  private to = 0;

  constructor(private readonly input: Buffer) {}

  number(): number {
    let value = 0;
    for (let shift = 1; shift <= 2 ** 28; shift *= 128) {
      const byte = this.little(1);
      value += (byte & 0x7f) * shift;
      if (byte < 128) return value;
    }
    throw broken();
  }

  fill(out: Buffer): Buffer {
    while (this.to < out.length) {
      const tag = this.little(1);
      if ((tag & 3) === 0) this.literal(out, tag >> 2);
      else this.copy(out, tag);
    }
    return out;
  }

  private little(bytes: number): number {
    if (this.at + bytes > this.input.length) throw broken();
    this.at += bytes;
    return this.input.readUIntLE(this.at - bytes, bytes);
  }

  private literal(out: Buffer, size: number): void {
    const count = (size < 60 ? size : this.little(size - 59)) + 1;
    if (this.at + count > this.input.length || this.to + count > out.length) throw broken();
    this.input.copy(out, this.to, this.at, this.at + count);
    this.at += count;
    this.to += count;
  }

  private copy(out: Buffer, tag: number): void {
    const kind = tag & 3;
    const near = kind === 1;
    const count = near ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const distance = this.little(kind === 3 ? 4 : kind) + (near ? (tag >> 5) << 8 : 0);
    if (distance === 0 || distance > this.to || this.to + count > out.length) throw broken();
    // Byte by byte: the copy may overlap what it makes.
    for (const end = this.to + count; this.to < end; this.to++) out[this.to] = out[this.to - distance] ?? 0;
  }
}
