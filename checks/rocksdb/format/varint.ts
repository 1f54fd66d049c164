/** Reads the numbers and texts of LevelDB's encodings from a buffer, forwards. Throws FormatError at its end. */
import { FormatError } from '../../../src/errors.js';

export class Reader {
  at = 0;

  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Exact up to 2^53, rounded above. */
  varint(): number {
    let value = 0;
    for (let i = 0, scale = 1; i < 10; i++, scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) break;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new FormatError({ code: 'rocksdb.number', message: `a number does not end at ${this.at}` });
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length)
      throw new FormatError({ code: 'rocksdb.number', message: `${length} bytes are promised at ${this.at}, and are not there` });
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(): Buffer {
    return this.take(this.varint());
  }
}
