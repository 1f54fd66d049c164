/**
 * XXH3, 64 bits, no seed: the low 32 bits are what block checksums of that kind keep. Source: the XXH3 specification of the xxHash
 * project. The long form works on 32-bit halves: JavaScript has no fast 64-bit integers.
 */
const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);
const MASK = 0xffffffffffffffffn;
const P32 = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn] as const;
const P64 = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n] as const;
const STRIPE = 64;
const BLOCK = 1024;
const LAST_KEY = 128;

export function xxh3(input: Uint8Array): bigint {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length);
  if (bytes.length <= 16) return short(bytes);
  if (bytes.length <= 128) return avalanche(upTo128(bytes));
  return bytes.length <= 240 ? upTo240(bytes) : long(bytes);
}

const key = (at: number): bigint => SECRET.readBigUInt64LE(at);

function short(bytes: Buffer): bigint {
  const length = bytes.length;
  if (length > 8) {
    const low = bytes.readBigUInt64LE(0) ^ key(24) ^ key(32);
    const high = bytes.readBigUInt64LE(length - 8) ^ key(40) ^ key(48);
    return avalanche(BigInt(length) + swapped(low) + high + fold(low, high));
  }
  if (length >= 4) {
    const both = BigInt(bytes.readUInt32LE(length - 4)) + (BigInt(bytes.readUInt32LE(0)) << 32n);
    return mixed(both ^ key(8) ^ key(16), BigInt(length));
  }
  if (length === 0) return finished(key(56) ^ key(64));
  const [first, middle, last] = [bytes[0] as number, bytes[length >> 1] as number, bytes[length - 1] as number];
  const all = ((first << 16) | (middle << 24) | last | (length << 8)) >>> 0;
  return finished(BigInt((all ^ SECRET.readUInt32LE(0) ^ SECRET.readUInt32LE(4)) >>> 0));
}

function upTo128(bytes: Buffer): bigint {
  let sum = BigInt(bytes.length) * P64[0];
  for (let i = 0; i <= (bytes.length - 1) >> 5; i++) sum += mix16(bytes, 16 * i, 32 * i) + mix16(bytes, bytes.length - 16 * (i + 1), 32 * i + 16);
  return sum & MASK;
}

function upTo240(bytes: Buffer): bigint {
  let sum = BigInt(bytes.length) * P64[0];
  for (let i = 0; i < 8; i++) sum += mix16(bytes, 16 * i, 16 * i);
  sum = avalanche(sum & MASK);
  for (let i = 8; i < bytes.length >> 4; i++) sum += mix16(bytes, 16 * i, 16 * (i - 8) + 3);
  return avalanche((sum + mix16(bytes, bytes.length - 16, 136 - 17)) & MASK);
}

function long(bytes: Buffer): bigint {
  const sums = new Float64Array(16);
  for (const [i, start] of [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]].entries()) {
    sums[2 * i] = Number(start & 0xffffffffn);
    sums[2 * i + 1] = Number(start >> 32n);
  }
  const blocks = Math.floor((bytes.length - 1) / BLOCK);
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < BLOCK / STRIPE; i++) accumulate(sums, bytes, block * BLOCK + i * STRIPE, 8 * i);
    scramble(sums);
  }
  const rest = Math.floor((bytes.length - 1 - blocks * BLOCK) / STRIPE);
  for (let i = 0; i < rest; i++) accumulate(sums, bytes, blocks * BLOCK + i * STRIPE, 8 * i);
  accumulate(sums, bytes, bytes.length - STRIPE, LAST_KEY - 7);
  return merged(sums, BigInt(bytes.length));
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
    const value = wordOf(sums, lane);
    const result = ((value ^ (value >> 47n) ^ key(LAST_KEY + 4 * lane)) * P32[0]) & MASK;
    sums[lane] = Number(result & 0xffffffffn);
    sums[lane + 1] = Number(result >> 32n);
  }
}

function merged(sums: Float64Array, length: bigint): bigint {
  let result = length * P64[0];
  for (let i = 0; i < 4; i++) result += fold(wordOf(sums, 4 * i) ^ key(11 + 16 * i), wordOf(sums, 4 * i + 2) ^ key(19 + 16 * i));
  return avalanche(result & MASK);
}

function wordOf(sums: Float64Array, lane: number): bigint {
  return BigInt(sums[lane] as number) + (BigInt(sums[lane + 1] as number) << 32n);
}

function mix16(bytes: Buffer, at: number, keyAt: number): bigint {
  return fold(bytes.readBigUInt64LE(at) ^ key(keyAt), bytes.readBigUInt64LE(at + 8) ^ key(keyAt + 8));
}

function fold(a: bigint, b: bigint): bigint {
  const product = a * b;
  return (product & MASK) ^ (product >> 64n);
}

function avalanche(value: bigint): bigint {
  const hash = value & MASK;
  const mixedOnce = ((hash ^ (hash >> 37n)) * 0x165667919e3779f9n) & MASK;
  return mixedOnce ^ (mixedOnce >> 32n);
}

/** The end of the older XXH64. */
function finished(value: bigint): bigint {
  let hash = ((value ^ (value >> 33n)) * P64[1]) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P64[2]) & MASK;
  return hash ^ (hash >> 32n);
}

function mixed(value: bigint, length: bigint): bigint {
  const rotated = (by: bigint) => ((value << by) | (value >> (64n - by))) & MASK;
  let hash = ((value ^ rotated(49n) ^ rotated(24n)) * 0x9fb21c651e98df25n) & MASK;
  hash = ((hash ^ ((hash >> 35n) + length)) * 0x9fb21c651e98df25n) & MASK;
  return hash ^ (hash >> 28n);
}

function swapped(value: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.readBigUInt64BE(0);
}
