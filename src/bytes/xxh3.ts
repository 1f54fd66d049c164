/**
 * XXH3, 64 bits, no seed: the low 32 bits are what block checksums of that kind keep. Source: the XXH3 specification of the xxHash
 * project.
 */
import { key, laneOf, MASK, P64, plainLanes, SECRET } from './xxh3-lanes.js';
import { simdLanes } from './xxh3-simd.js';

export function xxh3(input: Uint8Array, allowSimd = true): bigint {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length);
  if (bytes.length <= 16) return short(bytes);
  if (bytes.length <= 128) return avalanche(upTo128(bytes));
  return bytes.length <= 240 ? upTo240(bytes) : long(bytes, allowSimd);
}

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

function long(bytes: Buffer, allowSimd: boolean): bigint {
  const lanes = (allowSimd && simdLanes()) || plainLanes;
  return merged(lanes(bytes), BigInt(bytes.length));
}

function merged(sums: Uint32Array, length: bigint): bigint {
  let result = length * P64[0];
  for (let i = 0; i < 4; i++) result += fold(laneOf(sums, 4 * i) ^ key(11 + 16 * i), laneOf(sums, 4 * i + 2) ^ key(19 + 16 * i));
  return avalanche(result & MASK);
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
