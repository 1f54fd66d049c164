/**
 * Meta pages of bbolt (etcd, Consul, containerd and others), version 2, little-endian: pages 0 and 1; the newest whose checksum
 * fits counts. Source: the documentation of bbolt's on-disk format.
 */
import type { ByteSource } from '../../../src/types.js';

export const HEADER_BYTES = 16;
const META_BYTES = HEADER_BYTES + 64;
const MAGIC = 0xed0cdaed;
const NO_PAGE = 0xffffffffffffffffn;
const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

export interface Meta {
  pageBytes: number;
  root: number;
  /** Null: the list of free pages is not kept on disk. */
  freeList: number | null;
  /** Number of pages of the store. */
  highWater: number;
  transaction: number;
}

export const isBolt = (head: Buffer): boolean => head.length >= 24 && head.readUInt32LE(16) === MAGIC && head.readUInt32LE(20) === 2;

/** @returns null where the page is damaged: bad magic, version, size or checksum */
export function parseMeta(bytes: Buffer): Meta | null {
  if (bytes.length < META_BYTES || !isBolt(bytes) || bytes.readBigUInt64LE(72) !== fnv1a(bytes.subarray(16, 72))) return null;
  const pageBytes = bytes.readUInt32LE(24);
  if (pageBytes < 512 || pageBytes > 65536 || (pageBytes & (pageBytes - 1)) !== 0) return null;
  const freeList = bytes.readBigUInt64LE(48);
  const numbers = [bytes.readBigUInt64LE(32), freeList === NO_PAGE ? 0n : freeList, bytes.readBigUInt64LE(56), bytes.readBigUInt64LE(64)].map(Number);
  if (numbers.some((number) => !Number.isSafeInteger(number))) return null;
  const [root = 0, free = 0, highWater = 0, transaction = 0] = numbers;
  return { pageBytes, root, freeList: freeList === NO_PAGE ? null : free, highWater, transaction };
}

/** Both meta pages; the place of the second follows from the page size, which is tried where the first is damaged. */
export async function readMetas(source: ByteSource): Promise<(Meta | null)[]> {
  const at = async (offset: number) =>
    parseMeta(await source.read(Math.min(offset, source.sizeBytes), Math.max(0, Math.min(META_BYTES, source.sizeBytes - offset))));
  const first = await at(0);
  if (first) return [first, await at(first.pageBytes)];
  for (let pageBytes = 512; pageBytes <= 65536; pageBytes *= 2) {
    const second = await at(pageBytes);
    if (second?.pageBytes === pageBytes) return [null, second];
  }
  return [null, null];
}

function fnv1a(bytes: Uint8Array): bigint {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * FNV_PRIME) & MASK;
  return hash;
}
