/** WiredTiger's packed unsigned numbers. Source: `src/include/intpack_inline.h` of the WiredTiger project. */
import { FormatError } from '../../../src/errors.js';

const TWO_BYTES_FROM = 64;
const MORE_BYTES_FROM = 8256;

/** Reads one number after the other. */
export class Unpacker {
  constructor(
    private readonly bytes: Buffer,
    public at = 0,
  ) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Numbers above 2^53 lose their lowest bits: none that is used is so large. @throws FormatError at the end, or at what is no such number. */
  uint(): number {
    const first = this.byte();
    if (first >= 0x80 && first < 0xc0) return first & 0x3f;
    if (first >= 0xc0 && first < 0xe0) return ((first & 0x1f) << 8) + this.byte() + TWO_BYTES_FROM;
    if (first < 0xe0 || (first & 0x0f) > 8) throw new FormatError({ code: 'wiredtiger.pack', message: `byte ${first} begins no packed number` });
    let value = 0;
    for (let left = first & 0x0f; left > 0; left--) value = value * 256 + this.byte();
    return value + MORE_BYTES_FROM;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new FormatError({ code: 'wiredtiger.pack', message: 'it ends within a packed number' });
    return value;
  }

  take(length: number): Buffer {
    if (length > this.left) throw new FormatError({ code: 'wiredtiger.pack', message: `${length} bytes are promised, and ${this.left} are there` });
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
