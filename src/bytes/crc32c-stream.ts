/**
 * Whether a stretch of bytes is a multiple of the divisor of CRC-32C: what is left of messages of any length that lie one after the other,
 * each with its own checksum where the register comes to zero (see `prepareMessage`). All are proven at once, several times faster than one
 * by one; when that fails, nothing is said of any of them.
 *
 * A single damaged message is overlooked exactly when its own CRC overlooks it (a shift does not make a remainder zero), and several only
 * when their errors cancel, once in 2^32.
 *
 * The bytes are folded in place as in crc32c-blocks.ts, from the front to the last vectors, and are lost.
 */

import { FOLD_OF_EIGHT, throughTables } from './crc32c-blocks.js';
import { crc32cByTables, TABLES } from './crc32c-tables.js';
import { type Code, I32, type WasmFunction, wasm } from './wasm-assembler.js';
import { compiled, instantiate, WasmSpace } from './wasm-engine.js';

const VECTOR_BYTES = 16;
const { reach, steps } = FOLD_OF_EIGHT;
const REACH_BYTES = reach * VECTOR_BYTES;
/** No vector reaches another within so many. */
const AT_ONCE = Math.min(...steps);
const ROUND_BYTES = AT_ONCE * VECTOR_BYTES;
/** Not folded: at least as far as a vector reaches. */
const LEFT_BYTES = Math.ceil(reach / AT_ONCE) * ROUND_BYTES;

/** So many bytes before a stretch are used too. */
export const STREAM_MARGIN_BYTES = REACH_BYTES + ROUND_BYTES;

export interface Stream {
  /**
   * What is left of bytes from..to of the buffer: the register of a CRC that starts at zero. The bytes are lost, as are
   * STREAM_MARGIN_BYTES before them.
   */
  remainder(from: number, to: number): number;
}

/**
 * Makes a message and its checksum a multiple of the divisor. A CRC starts at all ones: the first four bytes are inverted. It ends in
 * the register, inverted, which makes what comes behind zero when it follows in the register's own order.
 * @param at where the message starts, @param end where it ends: five bytes follow, the last four of which are its checksum, big-endian.
 */
export function prepareMessage(bytes: Uint8Array, at: number, end: number): void {
  const stored = ((bytes[end + 1] as number) << 24) | ((bytes[end + 2] as number) << 16) | ((bytes[end + 3] as number) << 8) | (bytes[end + 4] as number);
  bytes[end] = ~stored;
  bytes[end + 1] = ~stored >>> 8;
  bytes[end + 2] = ~stored >>> 16;
  bytes[end + 3] = ~stored >>> 24;
  bytes[end + 4] = 0;
  // one by one: a loop takes as long as all the rest
  bytes[at] = ~(bytes[at] as number);
  bytes[at + 1] = ~(bytes[at + 1] as number);
  bytes[at + 2] = ~(bytes[at + 2] as number);
  bytes[at + 3] = ~(bytes[at + 3] as number);
}

export function streamIn(space: WasmSpace): Stream {
  const [tables, out] = [space.take(4 * TABLES.length), space.take(4)];
  new Int32Array(space.memory.buffer, tables, TABLES.length).set(TABLES);
  const module = compiled(`remainder of a stream ${tables} ${out}`, () => remainderFunction(tables, out));
  const call = module && instantiate(module, space.memory);
  const found = new Int32Array(space.memory.buffer, out, 1);
  const remainder = (from: number, to: number) => {
    // Zeroes in front change nothing: with them, only whole rounds are to be folded.
    const start = to - Math.ceil((to - from) / ROUND_BYTES) * ROUND_BYTES;
    space.buffer.fill(0, start, from);
    if (!call || to - start <= LEFT_BYTES) return ~crc32cByTables(space.buffer, from, to, -1);
    call(start, to - LEFT_BYTES, to);
    return found[0] as number;
  };
  return { remainder };
}

const PIECE_BYTES = 64 * 1024;
let own: { space: WasmSpace; stream: Stream } | null = null;

/** CRC-32C of any bytes, copied piece by piece to where they can be folded. */
export function crc32cStream(bytes: Uint8Array, start: number, end: number, previous: number): number {
  if (!own) {
    const space = new WasmSpace(STREAM_MARGIN_BYTES + PIECE_BYTES);
    own = { space, stream: streamIn(space) };
  }
  const { buffer } = own.space;
  let register = ~previous;
  for (let at = start; at < end; at += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, end - at);
    if (length < 4) return crc32cByTables(bytes, at, end, ~register);
    buffer.set(bytes.subarray(at, at + length), STREAM_MARGIN_BYTES);
    for (let i = 0; i < 4; i++) buffer[STREAM_MARGIN_BYTES + i] = (buffer[STREAM_MARGIN_BYTES + i] as number) ^ (register >>> (8 * i));
    register = own.stream.remainder(STREAM_MARGIN_BYTES, STREAM_MARGIN_BYTES + length);
  }
  return ~register >>> 0;
}

const START = 0;
const SPLIT = 1;
const END = 2;
const AT = 3;
const CRC = 4;
const NEXT = 5;
const CURSOR = 6;

function remainderFunction(tables: number, out: number): WasmFunction {
  return {
    parameters: 3,
    locals: [I32, I32, I32, I32],
    body: [
      [wasm.localGet(START), wasm.i32Const(REACH_BYTES), wasm.i32Sub, wasm.localTee(AT), wasm.i32Const(0), wasm.i32Const(REACH_BYTES), wasm.memoryFill],
      foldRounds(),
      steps.map(addToLeft),
      throughTables({ tables, from: wasm.localGet(SPLIT), end: wasm.localGet(END), crc: CRC, next: NEXT, cursor: CURSOR }),
      [wasm.i32Const(0), wasm.localGet(CRC), wasm.i32Store(out)],
    ],
  };
}

/** Each vector takes in those before it that reach it. `AT` is as far behind as a vector reaches. */
function foldRounds(): Code {
  const foldOne = (i: number): Code => [
    [wasm.localGet(AT), wasm.localGet(AT), wasm.v128Load(REACH_BYTES + i * VECTOR_BYTES)],
    steps.map((step) => [wasm.localGet(AT), wasm.v128Load(REACH_BYTES + (i - step) * VECTOR_BYTES), wasm.v128Xor]),
    wasm.v128Store(REACH_BYTES + i * VECTOR_BYTES),
  ];
  return [
    [wasm.localGet(SPLIT), wasm.i32Const(REACH_BYTES), wasm.i32Sub, wasm.localSet(CURSOR)],
    wasm.repeatWhile([
      Array.from({ length: AT_ONCE }, (_, i) => foldOne(i)),
      [wasm.localGet(AT), wasm.i32Const(ROUND_BYTES), wasm.i32Add, wasm.localTee(AT), wasm.localGet(CURSOR), wasm.i32LtU],
    ]),
  ];
}

/** To the vectors that are left are added those before them that reach them, not each other. */
function addToLeft(step: number): Code {
  const bytes = step * VECTOR_BYTES;
  return [
    [wasm.localGet(SPLIT), wasm.i32Const(bytes), wasm.i32Sub, wasm.localSet(AT)],
    wasm.repeatWhile([
      [wasm.localGet(AT), wasm.localGet(AT), wasm.v128Load(bytes), wasm.localGet(AT), wasm.v128Load(0), wasm.v128Xor, wasm.v128Store(bytes)],
      [wasm.localGet(AT), wasm.i32Const(VECTOR_BYTES), wasm.i32Add, wasm.localTee(AT), wasm.localGet(SPLIT), wasm.i32LtU],
    ]),
  ];
}
