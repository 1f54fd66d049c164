/**
 * Where a mini-transaction could start is tried at every byte of a log that is damaged. Followed one by one, each try costs up to
 * a mebibyte: a hole of 0xff bytes would take days. Here the ways of all bytes of a window are worked out once, from the back (each
 * leads to the way of the byte where its first record ends), and so is the CRC up to each byte, so that a try costs next to nothing.
 */
import { TABLES } from '../../../src/bytes/crc32c-tables.js';
import { MAX_MTR_BYTES, recordBytes } from '../format/mini-transaction.js';
import { isAllZero } from '../format/page.js';

const POLYNOMIAL = 0x82f63b78;
/** The last record may begin just before the limit of a mini-transaction, and be as long itself. */
const MAX_BYTES = 2 * MAX_MTR_BYTES;
const NONE = -1;

let powers: Powers | null = null;

export class MtrIndex {
  private ends = new Int32Array(0);
  private registers = new Int32Array(0);

  /** All is zero, as in a log that is not filled yet: nothing starts there. */
  isBlank = true;

  /** Works out `bytes[0..filled)`. */
  build(bytes: Uint8Array, filled: number): void {
    if (this.ends.length < filled) {
      this.ends = new Int32Array(filled);
      this.registers = new Int32Array(filled + 1);
    }
    this.isBlank = isAllZero(bytes, 0, filled);
    if (this.isBlank) this.ends.fill(NONE, 0, filled);
    else this.workOut(bytes, filled);
  }

  private workOut(bytes: Uint8Array, filled: number): void {
    const { ends, registers } = this;
    for (let at = filled - 1; at >= 0; at--) {
      if ((bytes[at] as number) <= 1) ends[at] = at;
      else {
        const length = recordBytes(bytes, at, filled);
        ends[at] = length < 0 || at + length >= filled ? NONE : (ends[at + length] as number);
      }
    }
    let register = 0;
    for (let at = 0; at < filled; at++) {
      registers[at] = register;
      register = (TABLES[(register ^ (bytes[at] as number)) & 255] as number) ^ (register >>> 8);
    }
    registers[filled] = register;
  }

  /** Where the end byte of a mini-transaction at `at` would be; negative when there is none. */
  endOf(at: number): number {
    const end = this.ends[at] as number;
    return end > at && end - at < MAX_BYTES ? end : NONE;
  }

  /** CRC-32C of `bytes[at..end)`, which are fewer than two of the largest mini-transactions. */
  crc(at: number, end: number): number {
    powers ??= powersOfZeroBytes();
    const bytes = end - at;
    const within = multiply(powers.single[bytes % CHUNK] as number, ~(this.registers[at] as number));
    const moved = bytes < CHUNK ? within : multiply(powers.chunks[Math.floor(bytes / CHUNK)] as number, within);
    return ~(moved ^ (this.registers[end] as number)) >>> 0;
  }
}

/** So many bytes at once, and then one by one: tables for each number up to the largest would be read from afar. */
const CHUNK = 65536;

/** Entry n is x^(8n), or x^(8n * CHUNK), modulo the polynomial, bits reflected as in the register: what so many zero bytes do to it. */
interface Powers {
  single: Int32Array;
  chunks: Int32Array;
}

function powersOfZeroBytes(): Powers {
  const single = new Int32Array(CHUNK);
  let value = 1 << 31;
  for (let n = 0; n < CHUNK; n++) {
    single[n] = value;
    value = (TABLES[value & 255] as number) ^ (value >>> 8);
  }
  const chunks = new Int32Array(MAX_BYTES / CHUNK + 1);
  chunks[0] = 1 << 31;
  for (let n = 1; n < chunks.length; n++) chunks[n] = multiply(chunks[n - 1] as number, value);
  return { single, chunks };
}

/** Product of two reflected polynomials modulo the CRC's. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let rest = a; rest !== 0; rest <<= 1) {
    if (rest < 0) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product;
}
