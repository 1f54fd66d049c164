/** A raw image has no header: its length is its promise. */
import type { ByteSource } from '../types.js';
import { type ImageHeader, readAvailable } from './header.js';
import { HEAD_BYTES, identifyFormat } from './identify.js';

const SECTOR = 512;

/** `details.looksLike`: the magic of another format at the start, which a guest can write there itself (CVE-2010-3851). */
export async function parseRaw(source: ByteSource): Promise<ImageHeader> {
  const looksLike = identifyFormat(await readAvailable(source, 0, HEAD_BYTES));
  const sectors = source.sizeBytes % SECTOR === 0;
  return {
    format: 'raw',
    virtualSizeBytes: source.sizeBytes,
    promisedBytes: source.sizeBytes,
    backing: null,
    internalSnapshots: [],
    details: { wholeSectors: sectors, ...(looksLike ? { looksLike } : {}) },
  };
}
