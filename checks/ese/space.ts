/** Which pages of a file are reached, and which its space trees call free: one bit each, shared with the threads of the page pass. */

/** 4 TiB of 4 KiB pages: the maps take 128 MiB each then. */
export const MAX_PAGES = 2 ** 30;

export class PageBits {
  readonly shared: SharedArrayBuffer;
  private readonly bits: Uint8Array;
  private added = 0;

  /** Pages are numbered from 1 to `pages`. */
  constructor(readonly pages: number) {
    this.shared = new SharedArrayBuffer(Math.floor(Math.min(pages, MAX_PAGES) / 8) + 1);
    this.bits = new Uint8Array(this.shared);
  }

  /** @returns false when it was in already, or is no page of the file. */
  add(page: number): boolean {
    if (page < 1 || page > this.pages || page > MAX_PAGES) return false;
    const mask = 1 << (page & 7);
    const before = this.bits[page >> 3] as number;
    this.bits[page >> 3] = before | mask;
    return (before & mask) === 0;
  }

  /** However many ranges a damaged file names, no more is done than to go over all its pages four times. */
  addRange(first: number, count: number): void {
    const end = Math.min(first + count - 1, this.pages);
    for (let page = Math.max(1, first); page <= end && this.added < 4 * this.pages; page++, this.added++) this.add(page);
  }

  common(other: PageBits, limit: number): number[] {
    const found: number[] = [];
    for (let i = 0; i < this.bits.length && found.length < limit; i++) {
      const both = (this.bits[i] as number) & (other.bits[i] ?? 0);
      for (let bit = 0; bit < 8; bit++) if (both & (1 << bit)) found.push(i * 8 + bit);
    }
    return found.slice(0, limit);
  }
}

/** An entry of a space tree: the key is the last page of the extent, the data its length. Null: of a kind that is not known. */
export function spaceExtent(key: Buffer, data: Buffer): { first: number; count: number } | null {
  // Since revision 0x14 a byte may precede the page: the pool that the space is kept for.
  if ((key.length !== 4 && key.length !== 5) || data.length !== 4) return null;
  const last = key.readUInt32BE(key.length - 4);
  const count = data.readUInt32LE(0);
  return count <= last ? { first: last - count + 1, count } : null;
}
