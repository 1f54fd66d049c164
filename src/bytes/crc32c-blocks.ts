/**
 * CRC-32C of the same range of many pages at once, several times faster than by tables, in WebAssembly SIMD.
 *
 * A CRC is the remainder of a polynomial division, so it does not change when a multiple of the divisor is added.
 * x^79 + x^75 + x^71 + x^58 + x^18 + x^12 + x + 1 is a multiple of the Castagnoli polynomial (found by search, and proven by the test
 * that compares with the bitwise definition). Squaring keeps that true: the same exponents times 128 are a multiple too.
 * So each 16-byte vector may be added to the seven vectors that lie 4, 8, 21, 61, 67, 78 and 79 vectors after it, and be forgotten:
 * seven XORs instead of sixteen table look-ups. The last 79 vectors are what is left, and go through the tables.
 * This way of folding became known as "Chorba" (2024).
 */
import { crc32cByTables, TABLES } from './crc32c-tables.js';
import { type Code, I32, V128, type WasmFunction, wasm } from './wasm-assembler.js';
import { compiled, instantiate, type WasmModule, WasmSpace } from './wasm-engine.js';

const VECTOR_BYTES = 16;
/** How a vector is folded into later ones: as many vectors after it, the last of which is how far it reaches. */
export const FOLD_OF_EIGHT = { reach: 79, steps: [4, 8, 21, 61, 67, 78, 79] };
const REACH = FOLD_OF_EIGHT.reach;
/** Shorter ranges are not worth it. */
const LEAST_BYTES = 2 * REACH * VECTOR_BYTES;

export interface BlockSums {
  readonly buffer: Uint8Array;
  /**
   * CRC-32C of bytes `from..to` of each of the first `count` pages of `buffer`. Valid until the next call.
   * Any `pageBytes` up to `maxPageBytes`; `0 <= from <= to <= pageBytes`.
   */
  compute(count: number, pageBytes: number, from: number, to: number): Uint32Array;
  readonly how: 'simd' | 'plain';
}

export interface PageLimits {
  /** Decides how many results there is room for. */
  minPageBytes: number;
  maxPageBytes: number;
}

/** @param bufferBytes capacity of a new buffer. */
export function createBlockSums(bufferBytes: number, limits: PageLimits, allowSimd = true): BlockSums {
  return blockSumsIn(new WasmSpace(bufferBytes), limits, allowSimd);
}

/** The same over a buffer that others use too. */
export function blockSumsIn(space: WasmSpace, limits: PageLimits, allowSimd = true): BlockSums {
  const layout = layoutIn(space, limits);
  const module = allowSimd ? compiled(`CRC-32C of pages ${JSON.stringify(layout)}`, () => sumsFunction(layout)) : null;
  return module ? simdSums(module, space, layout) : plainSums(space.buffer, layout.results);
}

/** Addresses in the memory of the module. */
interface Layout {
  results: number;
  out: number;
  tables: number;
  /** The folded vectors: `REACH` zero vectors, then one per vector of the page. */
  folded: number;
  foldedBytes: number;
  /** What is left of a page. */
  rest: number;
}

function layoutIn(space: WasmSpace, limits: PageLimits): Layout {
  const results = Math.ceil(space.buffer.length / limits.minPageBytes);
  const foldedBytes = REACH * VECTOR_BYTES + limits.maxPageBytes;
  const [out, tables] = [space.take(4 * results), space.take(4 * TABLES.length)];
  return { results, out, tables, folded: space.take(foldedBytes), foldedBytes, rest: space.take(REACH * VECTOR_BYTES) };
}

function plainSums(buffer: Uint8Array, results: number): BlockSums {
  const sums = new Uint32Array(results);
  const compute = (count: number, pageBytes: number, from: number, to: number) => {
    for (let i = 0; i < count; i++) sums[i] = crc32cByTables(buffer, i * pageBytes + from, i * pageBytes + to);
    return sums;
  };
  return { buffer, compute, how: 'plain' };
}

function simdSums(module: WasmModule, { memory, buffer }: WasmSpace, layout: Layout): BlockSums {
  const call = instantiate(module, memory);
  const sums = new Uint32Array(memory.buffer, layout.out, layout.results);
  const folded = new Uint8Array(memory.buffer, layout.folded, layout.foldedBytes);
  new Int32Array(memory.buffer, layout.tables, TABLES.length).set(TABLES);
  const short = plainSums(buffer, layout.results);
  let shape = '';
  const compute = (count: number, pageBytes: number, from: number, to: number) => {
    if (count === 0 || to - from < LEAST_BYTES) return short.compute(count, pageBytes, from, to);
    // The vectors that are left must read as zero where those that were folded away are added to them.
    if (shape !== `${from} ${to}`) folded.fill(0);
    shape = `${from} ${to}`;
    const vectors = Math.floor((to - from) / VECTOR_BYTES);
    call(count, pageBytes, from, (vectors - REACH) * VECTOR_BYTES, (to - from) % VECTOR_BYTES);
    return sums;
  };
  return { buffer, compute, how: 'simd' };
}

// Parameters and locals of the WebAssembly function.
const COUNT = 0;
const PAGE_BYTES = 1;
const SOURCE = 2; // of the next vector
const FOLD_BYTES = 3;
const TAIL_BYTES = 4;
const PAGE = 5; // start of the range in this page
const AT = 6; // byte index within the range
const OUT = 7;
const CRC = 8;
const NEXT = 9;
const CURSOR = 10;
const FIRST = 11;

function sumsFunction({ out, tables, folded, rest }: Layout): WasmFunction {
  const form = FOLD_OF_EIGHT;
  const bytes = REACH * VECTOR_BYTES;
  const all = [wasm.localGet(FOLD_BYTES), wasm.i32Const(bytes), wasm.i32Add];
  return {
    parameters: 5,
    locals: [I32, I32, I32, I32, I32, I32, V128],
    body: [
      [wasm.localGet(SOURCE), wasm.localSet(PAGE)],
      wasm.repeatWhile([
        startPage(),
        fold({ at: AT, form, source: SOURCE_LOCAL, folded, target: folded + bytes, end: wasm.localGet(FOLD_BYTES) }),
        fold({ at: AT, form, source: SOURCE_LOCAL, folded, target: rest, from: wasm.localGet(FOLD_BYTES), end: all }),
        throughTables({ tables, from: wasm.i32Const(rest), end: wasm.i32Const(rest + bytes), crc: CRC, next: NEXT, cursor: CURSOR }),
        bytesLeft(tables),
        finishPage(out),
      ]),
    ],
  };
}

/** The first four bytes are inverted: a CRC starts at all ones. */
function startPage(): Code {
  return [
    [wasm.localGet(PAGE), wasm.localSet(SOURCE), wasm.i32Const(0), wasm.localSet(AT), wasm.i32Const(0), wasm.localSet(CRC)],
    [wasm.v128Const([0xffffffff, 0, 0, 0]), wasm.localSet(FIRST)],
  ];
}

/** Vectors come from where the local SOURCE points, the first with FIRST added to it. */
const SOURCE_LOCAL = 'local';

export interface FoldPlan {
  /** Local: index in bytes. */
  at: number;
  form: { reach: number; steps: number[] };
  /** Address of the vector at index 0. */
  source: number | typeof SOURCE_LOCAL;
  /** Address of what was folded so far: `reach` zero vectors, then the one at index 0. */
  folded: number;
  /** Where the folded vector at index `from` goes; `from` is 0 where it is not given. */
  target: number;
  from?: Code;
  end: Code;
}

/** Vectors from `at` up to `end`: each is its own bytes and those before it that reach it. */
export function fold({ at, form, source, folded, target, from, end }: FoldPlan): Code {
  const place = from ? [wasm.localGet(at), from, wasm.i32Sub] : wasm.localGet(at);
  const reached = form.steps.flatMap((step) => [wasm.localGet(at), wasm.v128Load(folded + (form.reach - step) * VECTOR_BYTES), wasm.v128Xor]);
  const own =
    source === SOURCE_LOCAL ? [wasm.localGet(SOURCE), wasm.v128Load(0), wasm.localGet(FIRST), wasm.v128Xor] : [wasm.localGet(at), wasm.v128Load(source)];
  const move = [
    [wasm.v128Const([0, 0, 0, 0]), wasm.localSet(FIRST)],
    [wasm.localGet(SOURCE), wasm.i32Const(VECTOR_BYTES), wasm.i32Add, wasm.localSet(SOURCE)],
  ];
  return wasm.repeatWhile([
    [place, own, reached, wasm.v128Store(target)],
    source === SOURCE_LOCAL ? move : [],
    [wasm.localGet(at), wasm.i32Const(VECTOR_BYTES), wasm.i32Add, wasm.localTee(at), end, wasm.i32LtU],
  ]);
}

/** The entry of table `k` for one byte of a local. */
function entry(tables: number, k: number, local: number, shift: number): Code {
  const byte = shift === 24 ? [wasm.i32Const(24), wasm.i32ShrU] : [wasm.i32Const(shift), wasm.i32ShrU, wasm.i32Const(255), wasm.i32And];
  return [wasm.localGet(local), byte, wasm.i32Const(2), wasm.i32Shl, wasm.i32Load(tables + 1024 * k)];
}

export interface TablePlan {
  tables: number;
  /** Addresses: of the first byte, and after the last. As many bytes as a multiple of eight, and not none. */
  from: Code;
  end: Code;
  /** Locals. */
  crc: number;
  next: number;
  cursor: number;
}

export function throughTables({ tables, from, end, crc, next, cursor }: TablePlan): Code {
  const entries = [0, 8, 16, 24].flatMap((shift, i) => [entry(tables, 7 - i, crc, shift), entry(tables, 3 - i, next, shift), wasm.i32Xor]);
  return [
    [from, wasm.localSet(cursor)],
    wasm.repeatWhile([
      [wasm.localGet(crc), wasm.localGet(cursor), wasm.i32Load(0), wasm.i32Xor, wasm.localSet(crc)],
      [wasm.localGet(cursor), wasm.i32Load(4), wasm.localSet(next)],
      [entries, wasm.i32Xor, wasm.i32Xor, wasm.i32Xor, wasm.localSet(crc)],
      [wasm.localGet(cursor), wasm.i32Const(8), wasm.i32Add, wasm.localTee(cursor), end, wasm.i32LtU],
    ]),
  ];
}

/** Fewer than 16 bytes after the last whole vector. */
function bytesLeft(tables: number): Code {
  const step = [
    [wasm.localGet(SOURCE), wasm.i32Load8U(0), wasm.localGet(CRC), wasm.i32Xor, wasm.localSet(NEXT)],
    [entry(tables, 0, NEXT, 0), wasm.localGet(CRC), wasm.i32Const(8), wasm.i32ShrU, wasm.i32Xor, wasm.localSet(CRC)],
    [wasm.localGet(SOURCE), wasm.i32Const(1), wasm.i32Add, wasm.localTee(SOURCE), wasm.localGet(CURSOR), wasm.i32LtU],
  ];
  const end = [wasm.localGet(SOURCE), wasm.localGet(TAIL_BYTES), wasm.i32Add, wasm.localSet(CURSOR)];
  return [wasm.localGet(TAIL_BYTES), wasm.when([end, wasm.repeatWhile(step)])];
}

function finishPage(out: number): Code {
  return [
    [wasm.localGet(OUT), wasm.localGet(CRC), wasm.i32Const(-1), wasm.i32Xor, wasm.i32Store(out)],
    [wasm.localGet(OUT), wasm.i32Const(4), wasm.i32Add, wasm.localSet(OUT)],
    [wasm.localGet(PAGE), wasm.localGet(PAGE_BYTES), wasm.i32Add, wasm.localSet(PAGE)],
    [wasm.localGet(COUNT), wasm.i32Const(1), wasm.i32Sub, wasm.localTee(COUNT)],
  ];
}
