/**
 * Proves the CRC-32C of all pages of a full block together, many times faster than one by one.
 *
 * The remainder of a page follows from the checksum stored in it, and remainders add up as pages do. So the pages are added to each other,
 * vector by vector, and only the sum is divided. That is done twice: once with all pages at the same place, once with each page a vector
 * after the one before. If both sums have the remainders that they must have, every page carries its own checksum:
 * - One damaged page is overlooked exactly when its own CRC overlooks it: a shift does not make a remainder zero.
 * - Two are seen too. To cancel in both sums, the error of one would have to be, modulo the divisor, that of the other in its place, and also
 *   that of the other moved. Then both are multiples of the divisor's factor of degree 31: each by itself is overlooked as seldom.
 * - One error in many pages cancels in the second sum only where the pages' numbers are the exponents of a multiple of that factor, and in
 *   the first only where they are even in number: eight pages at least, of just the right numbers (the CRC's Hamming distance).
 * - Other errors in three pages and more cancel in both sums once in 2^64.
 * If a sum is not right, nothing is said: then each page must be looked at.
 */

import { FOLD_OF_EIGHT, fold, throughTables } from './crc32c-blocks.js';
import { TABLES } from './crc32c-tables.js';
import { addPages, GROUP_PAGES, type SumPlan } from './page-adder.js';
import { type Code, I32, type WasmFunction, wasm } from './wasm-assembler.js';
import { compiled, instantiate, type WasmModule, type WasmSpace } from './wasm-engine.js';

const VECTOR_BYTES = 16;
const USUAL_PAGE = 16384;
const SMALLEST_PAGE = 4096;
const LARGEST_PAGE = 65536;

export interface PageSums {
  /** Whether the whole buffer is pages of this size that each end in their own CRC-32C (big-endian, over all bytes before) or are empty. */
  allProven(pageBytes: number, isEmpty: (at: number) => boolean): boolean;
}

/** Over the buffer of `space`: a multiple of four times the largest page. Null where SIMD is missing. */
export function pageSumsIn(space: WasmSpace): PageSums | null {
  const layout = layoutIn(space);
  if (!moduleFor(layout, USUAL_PAGE)) return null;
  new Int32Array(space.memory.buffer, layout.tables, TABLES.length).set(TABLES);
  const folded = layout.folded.map((address) => new Uint8Array(space.memory.buffer, address, layout.foldedBytes));
  const forms = new Map<number, PagesOfOneSize>();
  let last = 0;
  const allProven = (pageBytes: number, isEmpty: (at: number) => boolean) => {
    if (pageBytes < SMALLEST_PAGE || pageBytes > LARGEST_PAGE || layout.bufferBytes % (GROUP_PAGES * pageBytes) !== 0) return false;
    const form = forms.get(pageBytes) ?? PagesOfOneSize.create(space, layout, pageBytes);
    if (!form) return false;
    forms.set(pageBytes, form);
    // Vectors that are left, not folded away, must read as zero; those of another page size lie elsewhere.
    if (last !== pageBytes) for (const bytes of folded) bytes.fill(0);
    last = pageBytes;
    return form.areProven(isEmpty);
  };
  return { allProven };
}

/** Addresses in the memory of the module. The buffer is at 0. */
interface Layout {
  bufferBytes: number;
  out: number;
  tables: number;
  sums: [number, number];
  /** Folded vectors of each sum, after as many zero vectors as the fold reaches; then those that are left. */
  folded: [number, number];
  foldedBytes: number;
  rest: number;
}

function layoutIn(space: WasmSpace): Layout {
  const bufferBytes = space.buffer.length;
  const sumBytes = LARGEST_PAGE + (bufferBytes / SMALLEST_PAGE) * VECTOR_BYTES;
  const foldedBytes = FOLD_OF_EIGHT.reach * VECTOR_BYTES + sumBytes;
  return {
    ...{ bufferBytes, out: space.take(2 * 4), tables: space.take(4 * TABLES.length), sums: [space.take(sumBytes), space.take(sumBytes)] },
    ...{ folded: [space.take(foldedBytes), space.take(foldedBytes)], foldedBytes, rest: space.take(FOLD_OF_EIGHT.reach * VECTOR_BYTES) },
  };
}

function moduleFor(layout: Layout, pageBytes: number): WasmModule | null {
  return compiled(`CRC-32C of pages together ${pageBytes} ${JSON.stringify(layout)}`, () => sumsFunction(layout, pageBytes));
}

const LOCALS = { at: 0, crc: 1, next: 2, cursor: 3, adder: 4 };

function sumsFunction(layout: Layout, pageBytes: number): WasmFunction {
  const pages = layout.bufferBytes / pageBytes;
  const plan: SumPlan = { pageBytes, pages, sums: layout.sums, firstLocal: LOCALS.adder };
  const adder = addPages(plan);
  const ends = [pageBytes, pageBytes + (pages - 1) * VECTOR_BYTES];
  const remainders = [0, 1].map((i) => remainder(layout, i, ends[i] as number));
  return { parameters: 0, locals: [I32, I32, I32, I32, ...adder.locals], body: [adder.body, remainders] };
}

/** Of one of the sums: the register of a CRC that starts at zero. */
function remainder({ sums, folded, rest, tables, out }: Layout, i: number, lengthBytes: number): Code {
  const { at, crc, next, cursor } = LOCALS;
  const bytes = FOLD_OF_EIGHT.reach * VECTOR_BYTES;
  const split = lengthBytes - bytes;
  const common = { at, form: FOLD_OF_EIGHT, source: sums[i] as number, folded: folded[i] as number };
  return [
    [wasm.i32Const(0), wasm.localSet(at)],
    fold({ ...common, target: common.folded + bytes, end: wasm.i32Const(split) }),
    fold({ ...common, target: rest - split, end: wasm.i32Const(lengthBytes) }),
    [wasm.i32Const(0), wasm.localSet(crc)],
    throughTables({ tables, from: wasm.i32Const(rest), end: wasm.i32Const(rest + bytes), crc, next, cursor }),
    [wasm.i32Const(0), wasm.localGet(crc), wasm.i32Store(out + 4 * i)],
  ];
}

class PagesOfOneSize {
  private readonly found: Uint32Array;
  private readonly view: DataView;
  /** What is left of the ones a CRC starts with when they have gone through a page. */
  private readonly start: number;

  private constructor(
    space: WasmSpace,
    private readonly layout: Layout,
    private readonly pageBytes: number,
    private readonly add: () => void,
  ) {
    this.found = new Uint32Array(space.memory.buffer, layout.out, 2);
    this.view = new DataView(space.memory.buffer);
    this.start = throughZeroes(-1, pageBytes - 4);
  }

  static create(space: WasmSpace, layout: Layout, pageBytes: number): PagesOfOneSize | null {
    const module = moduleFor(layout, pageBytes);
    return module ? new PagesOfOneSize(space, layout, pageBytes, instantiate(module, space.memory)) : null;
  }

  areProven(isEmpty: (at: number) => boolean): boolean {
    let together = 0;
    let moved = 0;
    for (let at = 0; at < this.layout.bufferBytes; at += this.pageBytes) {
      const page = isEmpty(at) ? 0 : this.remainderOf(this.view.getUint32(at + this.pageBytes - 4));
      together ^= page;
      moved = throughZeroes(moved, VECTOR_BYTES) ^ page;
    }
    this.add();
    return this.found[0] === together >>> 0 && this.found[1] === moved >>> 0;
  }

  /** Of a page that ends in `stored`, if that is its checksum. */
  private remainderOf(stored: number): number {
    const body = ~stored ^ this.start;
    const swapped = (stored << 24) | ((stored & 0xff00) << 8) | ((stored >>> 8) & 0xff00) | (stored >>> 24);
    return throughZeroes(body ^ swapped, 4);
  }
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
