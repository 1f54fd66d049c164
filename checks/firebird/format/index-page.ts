/**
 * Nodes of b-tree pages: three bits of kind and a record number, on upper levels a page, then a key as what differs from the one before.
 * Source: `src/jrd/ods.h` (btree_page) and `src/jrd/btn.h` of the Firebird project.
 */
const KIND = { endLevel: 1, endBucket: 2, emptyKey: 3, sameKey: 4, oneByte: 5 } as const;
const NODES_AT = 39;
const MAX_KEY = 32_768;

export interface IndexPage {
  sibling: number;
  left: number;
  relation: number;
  index: number;
  level: number;
  /** Pages of the level below, in order; empty on leaves. */
  children: number[];
  keys: number;
  firstKey: Buffer | null;
  lastKey: Buffer | null;
  /** The chain of pages ends here. */
  endsLevel: boolean;
}

/** The page, or a sentence part that says what is wrong with it. */
export function parseIndexPage(page: Buffer): IndexPage | string {
  const length = page.readUInt16LE(30);
  const jumpBytes = page.readUInt16LE(36);
  if (length < NODES_AT || length > page.length || NODES_AT + jumpBytes > length) return `has an impossible length (${length})`;
  const parsed: IndexPage = {
    ...{ sibling: page.readUInt32LE(16), left: page.readUInt32LE(20), relation: page.readUInt16LE(28), index: page[32] ?? 0, level: page[33] ?? 0 },
    ...{ children: [], keys: 0, firstKey: null, lastKey: null, endsLevel: false },
  };
  return new NodeReader(page.subarray(0, length), NODES_AT + jumpBytes, parsed).read() ?? parsed;
}

class NodeReader {
  private key: Buffer = Buffer.alloc(0);

  constructor(
    private readonly page: Buffer,
    private at: number,
    private readonly parsed: IndexPage,
  ) {}

  /** A sentence part, or null when all nodes are in order and the last one ends the page. */
  read(): string | null {
    while (this.at < this.page.length) {
      const kind = (this.page[this.at] ?? 0) >> 5;
      if (kind === KIND.endLevel) return this.end(true);
      const child = this.numbers();
      const problem = this.nextKey(kind);
      if (problem) return problem;
      if (kind === KIND.endBucket) return this.end(false);
      this.parsed.keys++;
      if (this.parsed.level > 0) this.parsed.children.push(child);
    }
    return 'ends without a mark of its end';
  }

  private end(level: boolean): null {
    this.parsed.endsLevel = level;
    this.parsed.lastKey = this.parsed.firstKey ? this.key : null;
    return null;
  }

  /** Steps over the record number; gives the page of upper levels. */
  private numbers(): number {
    this.at++;
    this.varint();
    return this.parsed.level > 0 ? this.varint() : 0;
  }

  private varint(): number {
    let value = 0;
    for (let shift = 1; shift <= 2 ** 35; shift *= 128) {
      const byte = this.page[this.at++] ?? 0;
      value += (byte & 0x7f) * shift;
      if (byte < 128) break;
    }
    return value;
  }

  private nextKey(kind: number): string | null {
    const prefix = kind === KIND.emptyKey ? 0 : this.varint();
    const length = kind === KIND.emptyKey || kind === KIND.sameKey ? 0 : kind === KIND.oneByte ? 1 : this.varint();
    if (prefix > this.key.length || prefix + length > MAX_KEY || this.at + length > this.page.length) return `has a node near ${this.at} that cannot be`;
    const key = Buffer.concat([this.key.subarray(0, prefix), this.page.subarray(this.at, this.at + length)]);
    this.at += length;
    if (this.parsed.firstKey && Buffer.compare(key, this.key) < 0) return `has keys out of order near ${this.at}`;
    this.parsed.firstKey ??= key;
    this.key = key;
    return null;
  }
}
