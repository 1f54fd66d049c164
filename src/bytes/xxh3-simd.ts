/** The sums of the long form of XXH3 in WebAssembly SIMD: two of them in each vector. */
import { type Code, I32, V128, type WasmFunction, wasm } from './wasm-assembler.js';
import { compiled, instantiate, WasmSpace } from './wasm-engine.js';
import { BLOCK_BYTES, END_KEY, LAST_KEY, P32, partsOf, SECRET, STARTS, STRIPE_BYTES, STRIPES } from './xxh3-lanes.js';

const VECTOR_BYTES = 16;
/** The input is copied here piece by piece: it lies in memory of its own. */
const PIECE_BYTES = 64 * BLOCK_BYTES;

interface Addresses {
  secret: number;
  sums: number;
  last: number;
}

export type Lanes = (bytes: Uint8Array) => Uint32Array;

let made: Lanes | null | undefined;

/** Null where SIMD is missing. */
export function simdLanes(): Lanes | null {
  if (made === undefined) made = make();
  return made;
}

function make(): Lanes | null {
  const space = new WasmSpace(PIECE_BYTES);
  const at: Addresses = { secret: space.take(SECRET.length), sums: space.take(4 * STARTS.length), last: space.take(STRIPE_BYTES) };
  const module = compiled(`sums of XXH3 ${JSON.stringify(at)}`, () => sumsFunction(at));
  if (!module) return null;
  const call = instantiate(module, space.memory);
  const { buffer } = space;
  new Uint8Array(space.memory.buffer).set(SECRET, at.secret);
  const sums = new Uint32Array(space.memory.buffer, at.sums, STARTS.length);
  const last = new Uint8Array(space.memory.buffer, at.last, STRIPE_BYTES);
  return (bytes) => {
    const { blocks, stripes } = partsOf(bytes.length);
    const blockBytes = blocks * BLOCK_BYTES;
    sums.set(STARTS);
    for (let from = 0; from < blockBytes; from += PIECE_BYTES) {
      const piece = bytes.subarray(from, Math.min(from + PIECE_BYTES, blockBytes));
      buffer.set(piece);
      call(piece.length, 0, 0);
    }
    buffer.set(bytes.subarray(blockBytes));
    last.set(bytes.subarray(bytes.length - STRIPE_BYTES));
    call(0, stripes * STRIPE_BYTES, 1);
    return sums;
  };
}

// Parameters and locals of the WebAssembly function: bytes in whole blocks, bytes in stripes after them, whether the last stripe follows.
const BLOCKS = 0;
const STRIPE_END = 1;
const WITH_LAST = 2;
const AT = 3;
const KEYS = 4;
const BLOCK_END = 5;
const WORDS = 6;
const SUM = 7; // four vectors of two sums each

const vectors = [0, 1, 2, 3];

function sumsFunction({ secret, sums, last }: Addresses): WasmFunction {
  const [start, end] = [wasm.i32Const(0), wasm.localGet(STRIPE_END)];
  return {
    parameters: 3,
    locals: [I32, I32, I32, V128, ...vectors.map(() => V128)],
    body: [
      vectors.map((i) => [wasm.i32Const(sums + i * VECTOR_BYTES), wasm.v128Load(0), wasm.localSet(SUM + i)]),
      [start, wasm.localSet(AT), wasm.localGet(BLOCKS), wasm.when(eachBlock(secret))],
      [start, wasm.localSet(AT), wasm.i32Const(secret), wasm.localSet(KEYS), end, wasm.when(eachStripe(end))],
      [wasm.i32Const(last), wasm.localSet(AT), wasm.i32Const(secret + LAST_KEY), wasm.localSet(KEYS), wasm.localGet(WITH_LAST), wasm.when(addStripe())],
      vectors.map((i) => [wasm.i32Const(sums + i * VECTOR_BYTES), wasm.localGet(SUM + i), wasm.v128Store(0)]),
    ],
  };
}

function eachBlock(secret: number): Code {
  return wasm.repeatWhile([
    [wasm.localGet(AT), wasm.i32Const(STRIPES * STRIPE_BYTES), wasm.i32Add, wasm.localSet(BLOCK_END), wasm.i32Const(secret), wasm.localSet(KEYS)],
    eachStripe(wasm.localGet(BLOCK_END)),
    vectors.map((i) => scramble(i, secret + END_KEY + i * VECTOR_BYTES)),
    [wasm.localGet(AT), wasm.localGet(BLOCKS), wasm.i32LtU],
  ]);
}

/** Stripes up to an address; each uses the keys eight bytes on. */
function eachStripe(end: Code): Code {
  return wasm.repeatWhile([
    addStripe(),
    [wasm.localGet(KEYS), wasm.i32Const(8), wasm.i32Add, wasm.localSet(KEYS)],
    [wasm.localGet(AT), wasm.i32Const(STRIPE_BYTES), wasm.i32Add, wasm.localTee(AT), end, wasm.i32LtU],
  ]);
}

const words = (order: number[]): number[] => order.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte));
const EXCHANGED = words([2, 3, 0, 1]);
const LOWER = words([0, 2, 0, 2]);
const UPPER = words([1, 3, 1, 3]);

/** Each sum gets the product of the halves of its keyed word, and its neighbour the word itself. */
function addStripe(): Code {
  const shuffled = (order: number[]): Code => [wasm.localGet(WORDS), wasm.localGet(WORDS), wasm.i8x16Shuffle(order)];
  return vectors.map((i) => [
    [wasm.localGet(AT), wasm.v128Load(i * VECTOR_BYTES), wasm.localSet(WORDS)],
    [wasm.localGet(SUM + i), shuffled(EXCHANGED), wasm.i64x2Add],
    [wasm.localGet(WORDS), wasm.localGet(KEYS), wasm.v128Load(i * VECTOR_BYTES), wasm.v128Xor, wasm.localSet(WORDS)],
    [shuffled(LOWER), shuffled(UPPER), wasm.i64x2ExtmulLowI32x4U, wasm.i64x2Add, wasm.localSet(SUM + i)],
  ]);
}

function scramble(i: number, keys: number): Code {
  const prime = Number(P32[0]) | 0;
  return [
    [wasm.localGet(SUM + i), wasm.localGet(SUM + i), wasm.i32Const(47), wasm.i64x2ShrU, wasm.v128Xor],
    [wasm.i32Const(keys), wasm.v128Load(0), wasm.v128Xor],
    [wasm.v128Const([prime, 0, prime, 0]), wasm.i64x2Mul, wasm.localSet(SUM + i)],
  ];
}
