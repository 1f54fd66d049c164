/** A set of page numbers, one bit each, in pieces made when first used: sizes that a header claims allocate nothing. */
const PIECE_PAGES = 1 << 18;

export class PageSet {
  private readonly pieces = new Map<number, Uint8Array>();
  size = 0;

  /** @returns false when it was in already. `page` is a whole number from 0 on. */
  add(page: number): boolean {
    const index = Math.floor(page / PIECE_PAGES);
    let piece = this.pieces.get(index);
    if (!piece) {
      piece = new Uint8Array(PIECE_PAGES >> 3);
      this.pieces.set(index, piece);
    }
    const bit = page % PIECE_PAGES;
    const mask = 1 << (bit & 7);
    const before = piece[bit >> 3] as number;
    if (before & mask) return false;
    piece[bit >> 3] = before | mask;
    this.size++;
    return true;
  }

  has(page: number): boolean {
    const bit = page % PIECE_PAGES;
    return ((this.pieces.get(Math.floor(page / PIECE_PAGES))?.[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }

  /** Pages that are in both, lowest first, at most `limit`. */
  common(other: PageSet, limit: number): number[] {
    const found: number[] = [];
    for (const [index, piece] of [...this.pieces].sort(([a], [b]) => a - b)) {
      const theirs = other.pieces.get(index);
      if (!theirs) continue;
      for (let i = 0; i < piece.length && found.length < limit; i++) {
        const both = (piece[i] as number) & (theirs[i] as number);
        for (let bit = 0; bit < 8; bit++) if (both & (1 << bit)) found.push(index * PIECE_PAGES + i * 8 + bit);
      }
    }
    return found.slice(0, limit);
  }
}
