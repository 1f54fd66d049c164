/**
 * The page checksum of PostgreSQL (src/include/storage/checksum_impl.h describes it: 32 FNV-1a-like sums side by side).
 * `pageChecksum` is the plain definition and the fallback; `PageChecksums` does many pages at once in WebAssembly SIMD.
 */
import { type Code, I32, V128, type WasmFunction, wasm } from '../../../src/bytes/wasm-assembler.js';
import { compiled, instantiate, type WasmModule, WasmSpace } from '../../../src/bytes/wasm-engine.js';

const PRIME = 16777619;
/** Where each of the 32 sums starts. */
const SEEDS = [
  0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a, 0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c, 0xf8d4474f, 0xe39eb970, 0x42c6ae16, 0x993216fa, 0x7b093b5d,
  0x98daff3c, 0xf718902a, 0x0b1c9cdb, 0xe58f764b, 0x187636bc, 0x5d7b3bb1, 0xe73de7de, 0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4, 0x783125bb, 0x6ca8eaa2,
  0xe407eac6, 0x4b5cfc3e, 0x9fbf8c76, 0x15ca20be, 0xf2ca9fd3, 0x959bd756,
];
const CHECKSUM_OFFSET = 8;

/** Checksum (1..65535) of one page whose number within the relation (not the file) is `block`. The stored checksum does not count. */
export function pageChecksum(page: Uint8Array, block: number): number {
  const sums = Uint32Array.from(SEEDS);
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  for (let offset = 0; offset + 128 <= page.length; offset += 128) {
    for (let lane = 0; lane < 32; lane++) {
      let value = view.getUint32(offset + 4 * lane, true);
      if (offset === 0 && 4 * lane === CHECKSUM_OFFSET) value &= 0xffff0000;
      sums[lane] = mix(sums[lane] as number, value);
    }
  }
  let folded = block;
  for (const sum of sums) folded ^= mix(mix(sum, 0), 0);
  return ((folded >>> 0) % 65535) + 1;
}

function mix(sum: number, value: number): number {
  const t = sum ^ value;
  return Math.imul(t, PRIME) ^ (t >>> 17);
}

/** Checksums of all pages in a buffer at once. Pages are read into `buffer`, nothing is copied. */
export interface PageChecksums {
  readonly buffer: Uint8Array;
  /** Checksums of the first `count` pages of `buffer`, the first of which is block `firstBlock`. Valid until the next call. */
  compute(count: number, firstBlock: number): Uint32Array;
  readonly how: 'simd' | 'plain';
}

/** @param bufferBytes capacity of the buffer, a multiple of `pageBytes`. */
export function createPageChecksums(bufferBytes: number, pageBytes: number, allowSimd = true): PageChecksums {
  const module = allowSimd ? compiled('page checksums of PostgreSQL', checksumFunction) : null;
  return module ? simdChecksums(module, bufferBytes, pageBytes) : plainChecksums(bufferBytes, pageBytes);
}

function plainChecksums(bufferBytes: number, pageBytes: number): PageChecksums {
  const buffer = new Uint8Array(bufferBytes);
  const sums = new Uint32Array(bufferBytes / pageBytes);
  const compute = (count: number, firstBlock: number) => {
    for (let i = 0; i < count; i++) sums[i] = pageChecksum(buffer.subarray(i * pageBytes, (i + 1) * pageBytes), firstBlock + i);
    return sums;
  };
  return { buffer, compute, how: 'plain' };
}

function simdChecksums(module: WasmModule, bufferBytes: number, pageBytes: number): PageChecksums {
  const pages = bufferBytes / pageBytes;
  const space = new WasmSpace(bufferBytes);
  const { memory, buffer } = space;
  const call = instantiate(module, memory);
  const out = space.take(4 * pages);
  const sums = new Uint32Array(memory.buffer, out, pages);
  const compute = (count: number, firstBlock: number) => {
    if (count > 0) call(count, pageBytes, firstBlock, out);
    return sums;
  };
  return { buffer, compute, how: 'simd' };
}

// Parameters and locals of the WebAssembly function.
const COUNT = 0;
const PAGE_BYTES = 1;
const BLOCK = 2;
const OUT = 3;
const CURSOR = 4;
const PAGE_END = 5;
const STORED = 6;
const PAGE_START = 7;
const TEMP = 8;
const SUM = 9; // eight registers of four sums each

const register = [0, 1, 2, 3, 4, 5, 6, 7];

function checksumFunction(): WasmFunction {
  const locals = [I32, I32, I32, I32, V128, ...register.map(() => V128)];
  return { parameters: 4, locals, body: wasm.repeatWhile([startPage(), eachStep(), finishPage(), nextPage()]) };
}

function startPage(): Code {
  return [
    [wasm.localGet(CURSOR), wasm.localTee(PAGE_START), wasm.localGet(PAGE_BYTES), wasm.i32Add, wasm.localSet(PAGE_END)],
    [wasm.localGet(PAGE_START), wasm.i32Load16U(CHECKSUM_OFFSET), wasm.localSet(STORED)],
    [wasm.localGet(PAGE_START), wasm.i32Const(0), wasm.i32Store16(CHECKSUM_OFFSET)],
    register.flatMap((i) => [wasm.v128Const(SEEDS.slice(4 * i, 4 * i + 4)), wasm.localSet(SUM + i)]),
  ];
}

/** One round over 128 bytes; `load` leaves the next 16 bytes of register i on the stack, or null for a round of zeroes. */
function round(load: ((i: number) => Code) | null): Code {
  const prime = wasm.v128Const([PRIME, PRIME, PRIME, PRIME]);
  return register.flatMap((i) => [
    wasm.localGet(SUM + i),
    load ? [load(i), wasm.v128Xor] : [],
    [wasm.localTee(TEMP), prime, wasm.i32x4Mul],
    [wasm.localGet(TEMP), wasm.i32Const(17), wasm.i32x4ShrU, wasm.v128Xor, wasm.localSet(SUM + i)],
  ]);
}

function eachStep(): Code {
  return wasm.repeatWhile([
    round((i) => [wasm.localGet(CURSOR), wasm.v128Load(16 * i)]),
    [wasm.localGet(CURSOR), wasm.i32Const(128), wasm.i32Add, wasm.localTee(CURSOR), wasm.localGet(PAGE_END), wasm.i32LtU],
  ]);
}

function finishPage(): Code {
  const folded = [wasm.localGet(SUM), register.slice(1).flatMap((i) => [wasm.localGet(SUM + i), wasm.v128Xor]), wasm.localSet(TEMP)];
  const lanes = [0, 1, 2, 3].flatMap((lane) => [wasm.localGet(TEMP), wasm.i32x4ExtractLane(lane), wasm.i32Xor]);
  return [
    [round(null), round(null), folded, wasm.localGet(OUT), wasm.localGet(BLOCK), lanes],
    [wasm.i32Const(65535), wasm.i32RemU, wasm.i32Const(1), wasm.i32Add, wasm.i32Store(0)],
    [wasm.localGet(PAGE_START), wasm.localGet(STORED), wasm.i32Store16(CHECKSUM_OFFSET)],
  ];
}

function nextPage(): Code {
  return [
    [wasm.localGet(OUT), wasm.i32Const(4), wasm.i32Add, wasm.localSet(OUT)],
    [wasm.localGet(BLOCK), wasm.i32Const(1), wasm.i32Add, wasm.localSet(BLOCK)],
    [wasm.localGet(COUNT), wasm.i32Const(1), wasm.i32Sub, wasm.localTee(COUNT)],
  ];
}
