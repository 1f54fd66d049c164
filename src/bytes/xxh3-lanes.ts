/**
 * The eight sums of the long form of XXH3, over input of more than 240 bytes. Each is a number of 64 bits in two words, the lower first.
 * This is the plain definition, and the fallback: it works on 32-bit halves, for JavaScript has no fast 64-bit integers.
 */
export const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);
export const MASK = 0xffffffffffffffffn;
export const P32 = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn] as const;
export const P64 = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n] as const;
export const STRIPE_BYTES = 64;
export const STRIPES = 16;
export const BLOCK_BYTES = STRIPES * STRIPE_BYTES;
/** Where in the secret the keys lie that end a block, and those of the last stripe. */
export const END_KEY = 128;
export const LAST_KEY = 121;
/** Where each sum starts. */
export const STARTS = Uint32Array.from(
  [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]].flatMap((start) => [Number(start & 0xffffffffn), Number(start >> 32n)]),
);

/** Whole blocks, and the stripes after them, the last of which is taken apart: it may begin before the ones before it end. */
export function partsOf(lengthBytes: number): { blocks: number; stripes: number } {
  const blocks = Math.floor((lengthBytes - 1) / BLOCK_BYTES);
  return { blocks, stripes: Math.floor((lengthBytes - 1 - blocks * BLOCK_BYTES) / STRIPE_BYTES) };
}

export const key = (at: number): bigint => SECRET.readBigUInt64LE(at);

export function plainLanes(bytes: Buffer): Uint32Array {
  const sums = Float64Array.from(STARTS);
  const { blocks, stripes } = partsOf(bytes.length);
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < STRIPES; i++) accumulate(sums, bytes, block * BLOCK_BYTES + i * STRIPE_BYTES, 8 * i);
    scramble(sums);
  }
  for (let i = 0; i < stripes; i++) accumulate(sums, bytes, blocks * BLOCK_BYTES + i * STRIPE_BYTES, 8 * i);
  accumulate(sums, bytes, bytes.length - STRIPE_BYTES, LAST_KEY);
  return Uint32Array.from(sums);
}

const TWO_32 = 2 ** 32;

/** Lane i gets the product of the halves of its keyed word, and its neighbour the word itself. */
function accumulate(sums: Float64Array, bytes: Buffer, at: number, keyAt: number): void {
  for (let lane = 0; lane < 16; lane += 2) {
    const low = bytes.readUInt32LE(at + 4 * lane);
    const high = bytes.readUInt32LE(at + 4 * lane + 4);
    add(sums, lane ^ 2, low, high);
    multiplyAdd(sums, lane, (low ^ SECRET.readUInt32LE(keyAt + 4 * lane)) >>> 0, (high ^ SECRET.readUInt32LE(keyAt + 4 * lane + 4)) >>> 0);
  }
}

function add(sums: Float64Array, lane: number, low: number, high: number): void {
  const lowSum = (sums[lane] as number) + low;
  const carry = lowSum >= TWO_32 ? 1 : 0;
  sums[lane] = lowSum - carry * TWO_32;
  sums[lane + 1] = ((sums[lane + 1] as number) + high + carry) % TWO_32;
}

function multiplyAdd(sums: Float64Array, lane: number, a: number, b: number): void {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aLow * bHigh + aHigh * bLow;
  const low = aLow * bLow + (middle % 65536) * 65536;
  add(sums, lane, low % TWO_32, (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(low / TWO_32)) % TWO_32);
}

function scramble(sums: Float64Array): void {
  for (let lane = 0; lane < 16; lane += 2) {
    const value = laneOf(sums, lane);
    const result = ((value ^ (value >> 47n) ^ key(END_KEY + 4 * lane)) * P32[0]) & MASK;
    sums[lane] = Number(result & 0xffffffffn);
    sums[lane + 1] = Number(result >> 32n);
  }
}

export function laneOf(sums: Float64Array | Uint32Array, lane: number): bigint {
  return BigInt(sums[lane] as number) + (BigInt(sums[lane + 1] as number) << 32n);
}
