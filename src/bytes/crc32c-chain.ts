/**
 * Proves the CRC-32C of all pages of a full block at once, several times faster than one by one.
 *
 * The whole block is one polynomial, and its remainder is the sum of the remainders of its pages, each shifted by the pages after it.
 * What each page must contribute follows from the checksum stored in it. If the sum is what it must be, every page carries its own checksum:
 * one damaged page is overlooked exactly when its own CRC overlooks it (a shift does not make a remainder zero), and several only when their
 * errors cancel after shifts of different length, once in 2^32. If the sum is not right, nothing is said: then each page must be looked at.
 *
 * Folding as in crc32c-blocks.ts, first by x^209 + x^144 + x^54 + x^39 + x^14 + 1 (five additions a vector, but 209 vectors are left;
 * here they are left once per block, not once per page), and these by the polynomial of eight terms.
 */

import { TABLES } from './crc32c.js';
import { FOLD_OF_EIGHT, fold, throughTables } from './crc32c-blocks.js';
import { assemble, type Code, canRun, I32, instantiate, wasm } from './wasm-assembler.js';

const VECTOR_BYTES = 16;
const FOLD_OF_SIX = { reach: 209, steps: [65, 155, 170, 195, 209] };

export interface ChainSums {
  readonly buffer: Uint8Array;
  /** Remainder of the whole buffer: the CRC register when it starts at zero and nothing is inverted. */
  remainder(): number;
}

/** @param bufferBytes a multiple of 16. Null where SIMD is missing. */
export function createChainSums(bufferBytes: number): ChainSums | null {
  const layout = layoutOf(bufferBytes);
  const code = assemble(chainFunction(bufferBytes, layout));
  if (!canRun(code)) return null;
  const { memory, call } = instantiate(code, NAME, layout.end);
  new Int32Array(memory.buffer, layout.tables, TABLES.length).set(TABLES);
  const out = new Uint32Array(memory.buffer, layout.out, 1);
  const remainder = () => {
    call();
    return out[0] as number;
  };
  return { buffer: new Uint8Array(memory.buffer, 0, bufferBytes), remainder };
}

interface Layout {
  out: number;
  tables: number;
  /** Folded vectors of the block, after as many zero vectors as the fold reaches; then those that are left. */
  first: number;
  firstRest: number;
  second: number;
  secondRest: number;
  end: number;
}

function layoutOf(bufferBytes: number): Layout {
  const out = bufferBytes;
  const tables = out + 64;
  const first = tables + 4 * TABLES.length;
  const firstRest = first + FOLD_OF_SIX.reach * VECTOR_BYTES + bufferBytes;
  const second = firstRest + FOLD_OF_SIX.reach * VECTOR_BYTES;
  const secondRest = second + (FOLD_OF_EIGHT.reach + FOLD_OF_SIX.reach) * VECTOR_BYTES;
  return { out, tables, first, firstRest, second, secondRest, end: secondRest + FOLD_OF_EIGHT.reach * VECTOR_BYTES };
}

const NAME = 'remainder';
const AT = 0;
const CRC = 1;
const NEXT = 2;
const CURSOR = 3;

function chainFunction(bufferBytes: number, layout: Layout) {
  const six = FOLD_OF_SIX.reach * VECTOR_BYTES;
  const eight = FOLD_OF_EIGHT.reach * VECTOR_BYTES;
  const stage = (source: number, lengthBytes: number, folded: number, rest: number, form: typeof FOLD_OF_SIX): Code => {
    const reach = form.reach * VECTOR_BYTES;
    const split = lengthBytes - reach;
    return [
      ...[...wasm.i32Const(0), ...wasm.localSet(AT)],
      ...fold({ at: AT, form, source, folded, target: folded + reach, end: wasm.i32Const(split) }),
      ...fold({ at: AT, form, source, folded, target: rest - split, end: wasm.i32Const(lengthBytes) }),
    ];
  };
  return {
    name: NAME,
    parameters: 0,
    locals: [I32, I32, I32, I32],
    body: [
      ...stage(0, bufferBytes, layout.first, layout.firstRest, FOLD_OF_SIX),
      ...stage(layout.firstRest, six, layout.second, layout.secondRest, FOLD_OF_EIGHT),
      ...[...wasm.i32Const(0), ...wasm.localSet(CRC)],
      ...throughTables({ tables: layout.tables, rest: layout.secondRest, bytes: eight, crc: CRC, next: NEXT, cursor: CURSOR }),
      ...[...wasm.i32Const(0), ...wasm.localGet(CRC), ...wasm.i32Store(layout.out)],
    ],
  };
}

/** What pages of one size must contribute, by the checksums stored at their ends (big-endian, over all bytes before). */
export class ChainOfPages {
  private readonly shift: Int32Array[];
  /** What is left of the ones a CRC starts with when they have gone through a page. */
  private readonly start: number;

  constructor(pageBytes: number) {
    this.start = throughZeroes(-1, pageBytes - 4);
    const columns = Array.from({ length: 32 }, (_, bit) => throughZeroes(1 << bit, pageBytes));
    this.shift = [0, 8, 16, 24].map((base) => Int32Array.from({ length: 256 }, (_, byte) => combine(columns, byte, base)));
  }

  /** Adds a page to a sum that starts at 0. @param stored its checksum; null for a page of zeroes. */
  add(sum: number, stored: number | null): number {
    const [a, b, c, d] = this.shift as [Int32Array, Int32Array, Int32Array, Int32Array];
    const moved = (a[sum & 255] as number) ^ (b[(sum >>> 8) & 255] as number) ^ (c[(sum >>> 16) & 255] as number) ^ (d[sum >>> 24] as number);
    return (moved ^ (stored === null ? 0 : this.ofPage(stored))) >>> 0;
  }

  private ofPage(stored: number): number {
    const body = ~stored ^ this.start;
    const swapped = (stored << 24) | ((stored & 0xff00) << 8) | ((stored >>> 8) & 0xff00) | (stored >>> 24);
    return throughZeroes(body ^ swapped, 4);
  }
}

function combine(columns: number[], byte: number, base: number): number {
  let value = 0;
  for (let bit = 0; bit < 8; bit++) if ((byte >> bit) & 1) value ^= columns[base + bit] as number;
  return value;
}

/** The register after so many zero bytes; a multiple of four. */
function throughZeroes(register: number, bytes: number): number {
  let value = register;
  for (let done = 0; done < bytes; done += 4) {
    value =
      (TABLES[0x300 | (value & 255)] as number) ^
      (TABLES[0x200 | ((value >>> 8) & 255)] as number) ^
      (TABLES[0x100 | ((value >>> 16) & 255)] as number) ^
      (TABLES[value >>> 24] as number);
  }
  return value;
}
