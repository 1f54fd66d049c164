/** Whether a volume that nobody recognises holds anything at all. */
import type { ByteSource } from '../../types.js';

const EDGE_BYTES = 1024 * 1024;
const SAMPLES = 256;
const SAMPLE_BYTES = 16 * 1024;

/** True when start, end and samples spread over the volume hold only zeroes. */
export async function looksEmpty(source: ByteSource): Promise<boolean> {
  const edge = Math.min(EDGE_BYTES, source.sizeBytes);
  if (!(await isZero(source, 0, edge)) || !(await isZero(source, source.sizeBytes - edge, edge))) return false;
  const step = Math.floor(source.sizeBytes / SAMPLES);
  for (let i = 1; i < SAMPLES && step > 0; i++) {
    const offset = i * step;
    if (!(await isZero(source, offset, Math.min(SAMPLE_BYTES, step, source.sizeBytes - offset)))) return false;
  }
  return true;
}

async function isZero(source: ByteSource, offset: number, length: number): Promise<boolean> {
  const bytes = await source.read(offset, length);
  return bytes.equals(Buffer.alloc(length));
}
