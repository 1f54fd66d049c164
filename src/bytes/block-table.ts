/**
 * What the log says of blocks, in a compact hash table that threads share:
 * the LSN a block must carry at least (rule R2), and whether recovery makes the block anew before it reads it.
 * Each entry is four 32-bit words: relation number + 1 and flags, block, LSN high, LSN low.
 */
const WORDS = 4;
const RELATION_MASK = 0x0fffffff;
const HELD_ELSEWHERE = 1 << 29;
const TOUCHED = 1 << 30;
const RESTORED = 1 << 31;
const HIGH = 2 ** 32;

/** 2^21 entries: 32 MiB. Above this the log touches more blocks than we hold. */
const MAX_ENTRIES = 1_500_000;

export class BlockTable {
  private words: Uint32Array<SharedArrayBuffer>;
  private capacity: number;
  private count = 0;
  /** Something was required since it was last forgotten: forgetting walks over all entries, and a damaged log makes it happen often. */
  private requires = false;
  /** Set when something had to be left out: then nothing may be concluded from an absent entry. */
  overflowed = false;

  constructor(
    shared?: SharedArrayBuffer,
    private readonly maxEntries = MAX_ENTRIES,
  ) {
    this.words = new Uint32Array(shared ?? new SharedArrayBuffer(WORDS * 4 * 1024));
    this.capacity = this.words.length / WORDS;
  }

  get shared(): SharedArrayBuffer {
    return this.words.buffer;
  }

  get size(): number {
    return this.count;
  }

  /** A change logged before redo: the page must carry this LSN or a later one. */
  require(relation: number, block: number, lsn: number): void {
    const at = this.insert(relation, block);
    this.requires = true;
    if (at >= 0 && this.lsnAt(at) < lsn) this.setLsn(at, lsn);
  }

  /** As `require`, unless recovery makes the block anew. */
  requireOnDisk(relation: number, block: number, lsn: number): void {
    const at = this.insert(relation, block);
    if (at < 0 || (this.words[at] as number) & RESTORED) return;
    this.requires = true;
    if (this.lsnAt(at) < lsn) this.setLsn(at, lsn);
  }

  /** A reference at or after redo. Only the first counts: recovery either replaces the page unread (`restores`), or reads it. */
  touch(relation: number, block: number, restores: boolean): void {
    const at = this.insert(relation, block);
    if (at < 0 || (this.words[at] as number) & TOUCHED) return;
    this.words[at] = (this.words[at] as number) | TOUCHED | (restores ? RESTORED : 0);
  }

  /** Recovery makes the block anew whatever it holds, or nobody reads it any more: nothing is required of it. */
  renew(relation: number, block: number): void {
    const at = this.insert(relation, block);
    if (at < 0) return;
    this.words[at] = (this.words[at] as number) | TOUCHED | RESTORED;
    this.setLsn(at, 0);
  }

  /** Nothing is required of the block up to here: it was freed. */
  release(relation: number, block: number): void {
    const at = this.find(relation, block);
    if (at >= 0) this.setLsn(at, 0);
  }

  /** An intact copy lies elsewhere, which recovery takes if the block itself is damaged. */
  noteCopy(relation: number, block: number): void {
    const at = this.insert(relation, block);
    if (at >= 0) this.words[at] = (this.words[at] as number) | HELD_ELSEWHERE;
  }

  /** Forgets what was required of blocks from `firstBlock` on before `lsn`: the relation was truncated there. Gives nothing back to the table. */
  truncate(relation: number, firstBlock: number, lsn: number): void {
    for (let at = 0; at < this.words.length; at += WORDS) {
      const same = ((this.words[at] as number) & RELATION_MASK) === relation + 1 && (this.words[at + 1] as number) >= firstBlock;
      if (same && this.lsnAt(at) < lsn) this.setLsn(at, 0);
    }
  }

  /** Forgets all that was required: nothing is known any more of what came between. */
  forgetRequired(): void {
    if (!this.requires) return;
    this.requires = false;
    for (let at = 0; at < this.words.length; at += WORDS) this.setLsn(at, 0);
  }

  /** Place of an entry for `requiredLsn` and `isRestored`; -1 when the log does not speak of the block. */
  find(relation: number, block: number): number {
    const at = this.probe(relation, block);
    return this.words[at] === 0 ? -1 : at;
  }

  requiredLsn(at: number): number {
    return at < 0 ? 0 : this.lsnAt(at);
  }

  hasCopy(at: number): boolean {
    return at >= 0 && ((this.words[at] as number) & HELD_ELSEWHERE) !== 0;
  }

  /** Whether a log record at or after redo names the block. */
  isTouched(at: number): boolean {
    return at >= 0 && ((this.words[at] as number) & TOUCHED) !== 0;
  }

  /** Every entry, in no order: its place for the questions above, its relation and its block. */
  forEach(visit: (at: number, relation: number, block: number) => void): void {
    for (let at = 0; at < this.words.length; at += WORDS) {
      const key = this.words[at] as number;
      if (key !== 0) visit(at, (key & RELATION_MASK) - 1, this.words[at + 1] as number);
    }
  }

  isRestored(at: number): boolean {
    return at >= 0 && ((this.words[at] as number) & RESTORED) !== 0;
  }

  private lsnAt(at: number): number {
    return (this.words[at + 2] as number) * HIGH + (this.words[at + 3] as number);
  }

  private setLsn(at: number, lsn: number): void {
    this.words[at + 2] = Math.floor(lsn / HIGH);
    this.words[at + 3] = lsn % HIGH;
  }

  private probe(relation: number, block: number): number {
    const mask = this.capacity - 1;
    let slot = hash(relation, block) & mask;
    for (;;) {
      const at = slot * WORDS;
      const key = this.words[at] as number;
      if (key === 0 || ((key & RELATION_MASK) === relation + 1 && this.words[at + 1] === block)) return at;
      slot = (slot + 1) & mask;
    }
  }

  /** Place of the entry, made if needed; -1 when the table is full. */
  private insert(relation: number, block: number): number {
    let at = this.probe(relation, block);
    if (this.words[at] !== 0) return at;
    if (this.count >= this.maxEntries) {
      this.overflowed = true;
      return -1;
    }
    if (this.count * 4 >= this.capacity * 3) {
      this.grow();
      at = this.probe(relation, block);
    }
    this.words[at] = relation + 1;
    this.words[at + 1] = block;
    this.count++;
    return at;
  }

  private grow(): void {
    const old = this.words;
    this.capacity *= 2;
    this.words = new Uint32Array(new SharedArrayBuffer(WORDS * 4 * this.capacity));
    for (let from = 0; from < old.length; from += WORDS) {
      if (old[from] === 0) continue;
      const at = this.probe(((old[from] as number) & RELATION_MASK) - 1, old[from + 1] as number);
      for (let i = 0; i < WORDS; i++) this.words[at + i] = old[from + i] as number;
    }
  }
}

function hash(relation: number, block: number): number {
  let h = Math.imul(relation + 1, 0x9e3779b1) ^ Math.imul(block, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return h ^ (h >>> 13);
}

const MAX_RELATIONS = 262_144;

/** Numbers relations (their main forks) in the order the log names them. */
export class RelationNumbers {
  private readonly byRelation = new Map<number, { tablespace: number; database: number; number: number }[]>();
  private count = 0;
  overflowed = false;

  /** Number of a relation, or -1 when the log never named it. */
  find(tablespace: number, database: number, relation: number): number {
    for (const known of this.byRelation.get(relation) ?? []) {
      if (known.tablespace === tablespace && known.database === database) return known.number;
    }
    return -1;
  }

  /** Number of a relation, given now if it has none; -1 when there are too many. */
  intern(tablespace: number, database: number, relation: number): number {
    const known = this.find(tablespace, database, relation);
    if (known >= 0) return known;
    if (this.count >= MAX_RELATIONS) {
      this.overflowed = true;
      return -1;
    }
    const list = this.byRelation.get(relation);
    const entry = { tablespace, database, number: this.count++ };
    if (list) list.push(entry);
    else this.byRelation.set(relation, [entry]);
    return entry.number;
  }
}
