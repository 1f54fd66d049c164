/** A set of page numbers that costs memory only where pages are: a claimed size of four billion pages allocates nothing. */
const CHUNK_PAGES = 1 << 20;

export class PageSet {
  private readonly chunks = new Map<number, Uint32Array>();
  size = 0;

  /** False when the page was in the set before. */
  add(page: number): boolean {
    const index = Math.floor(page / CHUNK_PAGES);
    let chunk = this.chunks.get(index);
    if (!chunk) {
      chunk = new Uint32Array(CHUNK_PAGES / 32);
      this.chunks.set(index, chunk);
    }
    const word = (page % CHUNK_PAGES) >>> 5;
    const bit = 1 << (page & 31);
    const before = chunk[word] as number;
    if (before & bit) return false;
    chunk[word] = before | bit;
    this.size++;
    return true;
  }

  has(page: number): boolean {
    const chunk = this.chunks.get(Math.floor(page / CHUNK_PAGES));
    return chunk !== undefined && ((chunk[(page % CHUNK_PAGES) >>> 5] as number) & (1 << (page & 31))) !== 0;
  }
}
