/** Variable-length integers of SQLite (file format, section 1.6): 1 to 9 bytes, big-endian, 7 bits each, the ninth holds 8. */

/**
 * Reads varints without allocating: a walk reads some hundred million of them.
 * After `read` the value is `hi * 2^32 + lo` (hi signed, lo unsigned) and `next` the offset behind it.
 */
export class VarintReader {
  hi = 0;
  lo = 0;
  next = 0;

  /** False when the varint does not end before `end`. */
  read(bytes: Uint8Array, offset: number, end: number): boolean {
    if (offset >= end) return false;
    const first = bytes[offset] as number;
    if (first < 0x80) {
      this.hi = 0;
      this.lo = first;
      this.next = offset + 1;
      return true;
    }
    return this.readLong(bytes, offset, end);
  }

  private readLong(bytes: Uint8Array, offset: number, end: number): boolean {
    let hi = 0;
    let lo = 0;
    const last = Math.min(offset + 8, end);
    for (let at = offset; at < last; at++) {
      const byte = bytes[at] as number;
      hi = (hi << 7) | (lo >>> 25);
      lo = ((lo << 7) | (byte & 0x7f)) >>> 0;
      if (byte < 0x80) return this.found(hi, lo, at + 1);
    }
    if (offset + 8 >= end) return false;
    return this.found((hi << 8) | (lo >>> 24), ((lo << 8) | (bytes[offset + 8] as number)) >>> 0, offset + 9);
  }

  private found(hi: number, lo: number, next: number): boolean {
    this.hi = hi;
    this.lo = lo;
    this.next = next;
    return true;
  }
}
