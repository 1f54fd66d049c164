/**
 * Linux swap space, and whether a hibernated system lies in it.
 * Format: the header that swapon(8) reads: a signature in the last ten bytes of the first page; the page size is the guest's.
 */
import type { ByteSource, VolumeContent } from '../../types.js';
import { readWithin, uuidField } from '../reading.js';

const PAGE_SIZES = [4096, 8192, 16384, 32768, 65536];
const SWAP = /^(SWAP-SPACE|SWAPSPACE2)$/;
const HIBERNATED = /^(S1SUSPEND|S2SUSPEND|ULSUSPEND|LINHIB0001|TOI)/;

export async function identifySwap(source: ByteSource): Promise<VolumeContent | null> {
  for (const pageBytes of PAGE_SIZES) {
    const signature = (await readWithin(source, pageBytes - 10, 10))?.toString('latin1');
    if (!signature) return null;
    const hibernated = HIBERNATED.test(signature);
    if (!hibernated && !SWAP.test(signature)) continue;
    const header = await readWithin(source, 1024 + 12, 16);
    return { kind: 'swap', uuid: header ? uuidField(header, 0) : null, hibernated };
  }
  return null;
}
