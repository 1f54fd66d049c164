/** What a stretch of log says last of each page: a hash table of four words for each, which is kept small enough for the processor's cache. */

/** `touched`: it is changed; `renewed`: it is made anew, and may be changed too. */
export const MARK = { required: 1, released: 2, renewed: 3, touched: 4 } as const;
export const MARK_WORDS = 4;

const LEAST_SLOTS = 1 << 14;
/** A stretch that names more pages is read in the slow way. */
const MOST_PAGES = 1 << 17;

export class PageMarks {
  private slots = LEAST_SLOTS;
  private words = new Int32Array(MARK_WORDS * LEAST_SLOTS);
  private count = 0;
  /** Something had to be left out. */
  overflowed = false;

  /** Numbers as signed 32-bit words; `lsn` is relative. */
  set(mark: number, space: number, page: number, lsn: number): void {
    const { words } = this;
    const last = this.slots - 1;
    let at = (hash(space, page) & last) * MARK_WORDS;
    while (words[at] !== 0 && (words[at + 1] !== space || words[at + 2] !== page)) at = ((at / MARK_WORDS + 1) & last) * MARK_WORDS;
    if (words[at] === 0) this.insert(at, mark, space, page, lsn);
    else {
      if (mark !== MARK.touched) words[at] = mark; // what is made anew stays so, whatever is changed of it
      words[at + 3] = lsn;
    }
  }

  /** All marks, in no order: mark, space, page, LSN; empties the table. */
  take(): Int32Array {
    const taken = new Int32Array(MARK_WORDS * this.count);
    let to = 0;
    for (let at = 0; at < this.words.length; at += MARK_WORDS) {
      if (this.words[at] === 0) continue;
      for (let i = 0; i < MARK_WORDS; i++) taken[to++] = this.words[at + i] as number;
    }
    this.clear();
    return taken;
  }

  clear(): void {
    if (this.slots > LEAST_SLOTS) {
      this.slots = LEAST_SLOTS;
      this.words = new Int32Array(MARK_WORDS * LEAST_SLOTS);
    } else if (this.count > 0) this.words.fill(0);
    this.count = 0;
    this.overflowed = false;
  }

  private insert(at: number, mark: number, space: number, page: number, lsn: number): void {
    if (this.count >= MOST_PAGES) {
      this.overflowed = true;
      return;
    }
    const { words } = this;
    words[at] = mark;
    words[at + 1] = space;
    words[at + 2] = page;
    words[at + 3] = lsn;
    if (++this.count * 2 > this.slots) this.grow();
  }

  private grow(): void {
    const old = this.words;
    this.slots *= 2;
    this.words = new Int32Array(MARK_WORDS * this.slots);
    for (let from = 0; from < old.length; from += MARK_WORDS) {
      if (old[from] === 0) continue;
      let slot = hash(old[from + 1] as number, old[from + 2] as number) & (this.slots - 1);
      while (this.words[slot * MARK_WORDS] !== 0) slot = (slot + 1) & (this.slots - 1);
      for (let i = 0; i < MARK_WORDS; i++) this.words[slot * MARK_WORDS + i] = old[from + i] as number;
    }
  }
}

function hash(space: number, page: number): number {
  const h = Math.imul(space, 0x9e3779b1) ^ Math.imul(page, 0x85ebca6b);
  const mixed = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}
