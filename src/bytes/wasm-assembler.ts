/**
 * A very small WebAssembly assembler: inner loops over pages are written as lists of instructions in TypeScript,
 * so that no opaque binary is kept and no compiler is needed at run time.
 * Binary format: https://webassembly.github.io/spec/core/binary/index.html (only what the inner loops use).
 */
/** Lists may hold lists: code is put together without copying, and made flat once. */
export type Code = readonly (number | Code)[];

export const I32 = 0x7f;
export const V128 = 0x7b;

/** Instructions by their names in the specification. Operands come first on the stack, immediates are arguments. */
export const wasm = {
  localGet: (index: number): Code => [0x20, ...unsigned(index)],
  localSet: (index: number): Code => [0x21, ...unsigned(index)],
  localTee: (index: number): Code => [0x22, ...unsigned(index)],
  i32Const: (value: number): Code => [0x41, ...signed(value | 0)],
  i32Load: (offset: number): Code => [0x28, 2, ...unsigned(offset)],
  i32Load8U: (offset: number): Code => [0x2d, 0, ...unsigned(offset)],
  i32Load16U: (offset: number): Code => [0x2f, 1, ...unsigned(offset)],
  i32Store: (offset: number): Code => [0x36, 2, ...unsigned(offset)],
  i32Store8: (offset: number): Code => [0x3a, 0, ...unsigned(offset)],
  i32Store16: (offset: number): Code => [0x3b, 1, ...unsigned(offset)],
  i32Add: [0x6a] as Code,
  i32Sub: [0x6b] as Code,
  i32RemU: [0x70] as Code,
  i32And: [0x71] as Code,
  i32Or: [0x72] as Code,
  i32Xor: [0x73] as Code,
  i32Shl: [0x74] as Code,
  i32ShrU: [0x76] as Code,
  i32Eqz: [0x45] as Code,
  i32Eq: [0x46] as Code,
  i32Ne: [0x47] as Code,
  i32LtS: [0x48] as Code,
  i32LtU: [0x49] as Code,
  i32GtU: [0x4b] as Code,
  i32LeU: [0x4d] as Code,
  i32GeU: [0x4f] as Code,
  /** Address, value of the bytes, how many. */
  memoryFill: [0xfc, 0x0b, 0] as Code,
  v128Load: (offset: number): Code => [0xfd, 0x00, 0, ...unsigned(offset)],
  v128Store: (offset: number): Code => [0xfd, 0x0b, 0, ...unsigned(offset)],
  v128Const: (lanes: number[]): Code => [0xfd, 0x0c, lanes.flatMap((lane) => [lane & 255, (lane >>> 8) & 255, (lane >>> 16) & 255, lane >>> 24])],
  v128Xor: [0xfd, 0x51] as Code,
  /** Bytes of two vectors: 0 to 15 are of the first, 16 to 31 of the second. */
  i8x16Shuffle: (bytes: number[]): Code => [0xfd, 0x0d, bytes],
  i64x2Add: [0xfd, 0xce, 0x01] as Code,
  i64x2Mul: [0xfd, 0xd5, 0x01] as Code,
  i64x2ShrU: [0xfd, 0xcd, 0x01] as Code,
  /** Products, of 64 bits, of the two lower words of each. */
  i64x2ExtmulLowI32x4U: [0xfd, 0xde, 0x01] as Code,
  i32x4ExtractLane: (lane: number): Code => [0xfd, 0x1b, lane],
  i32x4ShrU: [0xfd, 0xad, 0x01] as Code,
  i32x4Mul: [0xfd, 0xb5, 0x01] as Code,
  /** Runs `body` again as long as the i32 it leaves on the stack is not zero. */
  repeatWhile: (body: Code): Code => [0x03, 0x40, body, 0x0d, 0, 0x0b],
  /** Takes an i32 off the stack and runs `body` when it is not zero. */
  when: (body: Code): Code => [0x04, 0x40, body, 0x0b],
  /** Takes an i32 off the stack. */
  choose: (ifNotZero: Code, ifZero: Code): Code => [0x04, 0x40, ifNotZero, 0x05, ifZero, 0x0b],
  /** `leave` within it goes to its end. */
  block: (body: Code): Code => [0x02, 0x40, body, 0x0b],
  /** `leave` within it goes to its beginning; at its end it is over. */
  loop: (body: Code): Code => [0x03, 0x40, body, 0x0b],
  /** @param depth 0 is the innermost of what surrounds it: block, loop, when, choose. */
  leave: (depth: number): Code => [0x0c, ...unsigned(depth)],
  leaveWhen: (depth: number): Code => [0x0d, ...unsigned(depth)],
  /** Ends the function. */
  finish: [0x0f] as Code,
};

export interface WasmFunction {
  /** Number of i32 parameters; there is no result. */
  parameters: number;
  /** Types of the further locals, numbered after the parameters. */
  locals: number[];
  body: Code;
}

/** One module that imports its memory as `env.memory` and exports one function as `run`. */
export function assemble({ parameters, locals, body }: WasmFunction): Uint8Array<ArrayBuffer> {
  const type = [0x60, vector(Array<Code>(parameters).fill([I32])), 0];
  const code = flat([vector(locals.map((local) => [1, local])), body, 0x0b]);
  return Uint8Array.from(
    flat([
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, vector([type])),
      section(2, vector([[text('env'), text('memory'), 0x02, 0, 1]])),
      section(3, vector([[0]])),
      section(7, vector([[text('run'), 0x00, 0]])),
      section(10, vector([[unsigned(code.length), code]])),
    ]),
  );
}

function section(id: number, content: Code): Code {
  const bytes = flat(content);
  return [id, unsigned(bytes.length), bytes];
}

function vector(items: Code[]): Code {
  return [unsigned(items.length), items];
}

function text(value: string): Code {
  const bytes = [...Buffer.from(value)];
  return [unsigned(bytes.length), bytes];
}

function flat(code: Code): number[] {
  const bytes: number[] = [];
  const add = (items: Code): void => {
    for (const item of items) {
      if (typeof item === 'number') bytes.push(item);
      else add(item);
    }
  };
  add(code);
  return bytes;
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = rest & 127;
    rest >>= 7;
    const last = (rest === 0 && !(byte & 64)) || (rest === -1 && byte & 64);
    bytes.push(last ? byte : byte | 128);
    if (last) return bytes;
  }
}
