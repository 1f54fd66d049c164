/**
 * CRC-64 with the polynomial of Jones, reflected (0x95AC9329AC4BC9B5), initial value and final xor 0, as Redis uses it.
 * Check value of "123456789": e9c6d914c4b8d9ca. JavaScript has no fast 64-bit integers: two halves, eight bytes per step.
 */
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;
const POLYNOMIAL_HIGH = 0x95ac9329 | 0;
const { low: LOW, high: HIGH } = buildTables();

export class Crc64 {
  private low = 0;
  private high = 0;

  update(bytes: Uint8Array): void {
    let low = this.low;
    let high = this.high;
    let i = 0;
    for (const end = bytes.length - 7; i < end; i += 8) {
      const a = low ^ word(bytes, i);
      const b = high ^ word(bytes, i + 4);
      low = through(LOW, a, b);
      high = through(HIGH, a, b);
    }
    for (; i < bytes.length; i++) {
      const index = (low ^ (bytes[i] as number)) & 255;
      low = ((low >>> 8) | (high << 24)) ^ (LOW[index] as number);
      high = (high >>> 8) ^ (HIGH[index] as number);
    }
    this.low = low;
    this.high = high;
  }

  /** Sixteen hexadecimal digits. */
  get value(): string {
    return (this.high >>> 0).toString(16).padStart(8, '0') + (this.low >>> 0).toString(16).padStart(8, '0');
  }
}

function through(table: Int32Array, a: number, b: number): number {
  return (
    (table[0x700 | (a & 255)] as number) ^
    (table[0x600 | ((a >>> 8) & 255)] as number) ^
    (table[0x500 | ((a >>> 16) & 255)] as number) ^
    (table[0x400 | (a >>> 24)] as number) ^
    (table[0x300 | (b & 255)] as number) ^
    (table[0x200 | ((b >>> 8) & 255)] as number) ^
    (table[0x100 | ((b >>> 16) & 255)] as number) ^
    (table[b >>> 24] as number)
  );
}

function word(bytes: Uint8Array, i: number): number {
  return (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
}

/** Table k holds the effect of a byte followed by k zero bytes. */
function buildTables(): { low: Int32Array; high: Int32Array } {
  const low = new Int32Array(8 * 256);
  const high = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let l = byte;
    let h = 0;
    for (let bit = 0; bit < 8; bit++) {
      const odd = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (odd) {
        l ^= POLYNOMIAL_LOW;
        h ^= POLYNOMIAL_HIGH;
      }
    }
    low[byte] = l;
    high[byte] = h;
  }
  for (let i = 256; i < low.length; i++) {
    const l = low[i - 256] as number;
    const h = high[i - 256] as number;
    low[i] = ((l >>> 8) | (h << 24)) ^ (low[l & 255] as number);
    high[i] = (h >>> 8) ^ (high[l & 255] as number);
  }
  return { low, high };
}
