import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IndexPage } from './items.js';
import { ACCESS_METHODS } from './methods.js';

const PAGE = 8192;
const METHOD = { btree: 403, hash: 405, gist: 783, gin: 2742, spgist: 4000, brin: 3580 } as const;

/** A page with a special area of its own and items, laid out as PageAddItem does it: pointers from the front, items from the back. */
function built(specialBytes: number, fillSpecial: (special: Buffer) => void, items: Buffer[] = []): Buffer {
  const page = Buffer.alloc(PAGE);
  let upper = PAGE - specialBytes;
  fillSpecial(page.subarray(upper));
  for (const [i, item] of items.entries()) {
    upper -= Math.ceil(item.length / 8) * 8;
    item.copy(page, upper);
    page.writeUInt32LE((upper | (1 << 15) | (item.length << 17)) >>> 0, 24 + 4 * i);
  }
  page.writeUInt16LE(24 + 4 * items.length, 12);
  page.writeUInt16LE(upper, 14);
  page.writeUInt16LE(PAGE - specialBytes, 16);
  page.writeUInt16LE(PAGE | 4, 18);
  return page;
}

/** An index tuple: the pointer to a row or page, `info` (its length is filled in), and what follows. */
function tuple(block: number, second = 1, info = 0, rest = Buffer.alloc(8)): Buffer {
  const head = Buffer.alloc(8);
  writePointer(head, 0, block, second);
  head.writeUInt16LE(info | (8 + rest.length), 6);
  return Buffer.concat([head, rest]);
}

function writePointer(bytes: Buffer, at: number, block: number, second: number): void {
  bytes.writeUInt16LE(Math.floor(block / 65536), at);
  bytes.writeUInt16LE(block % 65536, at + 2);
  bytes.writeUInt16LE(second, at + 4);
}

function asPage(bytes: Buffer, block = 5): IndexPage {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0, block, pageBytes: PAGE };
}

function read(method: number, what: 'rows' | 'links', bytes: Buffer, block = 5): number[] {
  const found: number[] = [];
  ACCESS_METHODS[method]?.[what]?.(asPage(bytes, block), (one) => void found.push(one));
  return found;
}

const btree = (flags: number, previous: number, next: number, items: Buffer[]): Buffer =>
  built(
    16,
    (special) => {
      special.writeUInt32LE(previous, 0);
      special.writeUInt32LE(next, 4);
      special.writeUInt16LE(flags, 12);
    },
    items,
  );
const BTREE = { leaf: 1, deleted: 4, meta: 8, halfDead: 16 };

describe('pages of b-trees', () => {
  it('say where rows lie, but for the bound on all pages but the last', () => {
    const items = [tuple(9), tuple(70000), tuple(3)];
    expect(read(METHOD.btree, 'rows', btree(BTREE.leaf, 4, 0, items))).toEqual([9, 70000, 3]);
    expect(read(METHOD.btree, 'rows', btree(BTREE.leaf, 4, 6, items))).toEqual([70000, 3]);
  });

  it('say it in lists, too', () => {
    const list = Buffer.alloc(8 + 12);
    writePointer(list, 8, 20, 1);
    writePointer(list, 14, 21, 7);
    const posting = tuple(16, 0x2000 | 2, 0x2000, list);
    expect(read(METHOD.btree, 'rows', btree(BTREE.leaf, 0, 0, [posting]))).toEqual([20, 21]);
    const tooLong = tuple(16, 0x2000 | 3, 0x2000, list);
    expect(read(METHOD.btree, 'rows', btree(BTREE.leaf, 0, 0, [tooLong]))).toEqual([]);
    const bound = tuple(16, 2, 0x2000, list);
    expect(read(METHOD.btree, 'rows', btree(BTREE.leaf, 0, 0, [bound]))).toEqual([]);
  });

  it('say nothing once they are deleted, and inner pages do not name rows', () => {
    for (const flags of [BTREE.leaf | BTREE.deleted, BTREE.leaf | BTREE.halfDead, 0])
      expect(read(METHOD.btree, 'rows', btree(flags, 0, 0, [tuple(9)]))).toEqual([]);
    expect(read(METHOD.btree, 'links', btree(BTREE.leaf | BTREE.deleted, 7, 8, []))).toEqual([]);
  });

  it('name their neighbours and children, and the metapage its roots', () => {
    expect(read(METHOD.btree, 'links', btree(BTREE.leaf, 7, 8, [tuple(1000), tuple(1001)]))).toEqual([7, 8]);
    expect(read(METHOD.btree, 'links', btree(0, 0, 8, [tuple(1), tuple(2), tuple(3)]))).toEqual([8, 2, 3]);
    const meta = btree(BTREE.meta, 0, 0, []);
    meta.writeUInt32LE(3, 32);
    meta.writeUInt32LE(1, 40);
    expect(read(METHOD.btree, 'links', meta)).toEqual([3, 1]);
  });

  it('leave out items that are dead, and items that overlap', () => {
    const page = btree(BTREE.leaf, 0, 0, [tuple(9), tuple(10)]);
    page.writeUInt32LE((page.readUInt32LE(24) | (3 << 15)) >>> 0, 24);
    expect(read(METHOD.btree, 'rows', page)).toEqual([10]);
    const pointers = Buffer.alloc(PAGE);
    btree(BTREE.leaf, 0, 0, [Buffer.concat([tuple(9), Buffer.alloc(4000)])]).copy(pointers);
    for (let i = 1; i < 100; i++) pointers.copy(pointers, 24 + 4 * i, 24, 28);
    pointers.writeUInt16LE(24 + 400, 12);
    expect(read(METHOD.btree, 'rows', pointers)).toEqual([9, 9]);
  });
});

const hash = (flags: number, next: number, items: Buffer[] = []): Buffer =>
  built(
    16,
    (special) => {
      special.writeUInt32LE(next, 4);
      special.writeUInt16LE(flags, 12);
      special.writeUInt16LE(0xff80, 14);
    },
    items,
  );

describe('pages of hash indexes', () => {
  it('say where rows lie, and which page comes next', () => {
    expect(read(METHOD.hash, 'rows', hash(2, 17, [tuple(4), tuple(5)]))).toEqual([4, 5]);
    expect(read(METHOD.hash, 'links', hash(2, 17))).toEqual([17]);
    expect(read(METHOD.hash, 'links', hash(1, 0xffffffff))).toEqual([]);
    expect(read(METHOD.hash, 'rows', hash(0, 17, [tuple(4)]))).toEqual([]);
  });

  it('name the buckets in use and the bitmaps in the metapage', () => {
    const meta = hash(8, 0xffffffff);
    meta.writeUInt32LE(4, 48); // buckets 0 to 4
    for (const [splitpoint, before] of [0, 1, 3].entries()) meta.writeUInt32LE(before, 76 + 4 * splitpoint);
    meta.writeUInt32LE(1, 68);
    meta.writeUInt32LE(99, 468);
    // Bucket 1 is reached by the first doubling, 2 and 3 by the second, 4 by the third: behind no, one and three pages of other kinds.
    expect(read(METHOD.hash, 'links', meta, 0)).toEqual([1, 2, 4, 5, 8, 99]);
    expect(read(METHOD.hash, 'links', meta, 9)).toEqual([]);
  });
});

const gist = (flags: number, right: number, items: Buffer[]): Buffer =>
  built(
    16,
    (special) => {
      special.writeUInt32LE(right, 8);
      special.writeUInt16LE(flags, 12);
      special.writeUInt16LE(0xff81, 14);
    },
    items,
  );

describe('pages of GiST indexes', () => {
  it('say where rows lie, and name children and the page to the right', () => {
    expect(read(METHOD.gist, 'rows', gist(1, 0xffffffff, [tuple(4), tuple(5)]))).toEqual([4, 5]);
    expect(read(METHOD.gist, 'links', gist(1, 12, [tuple(4)]))).toEqual([12]);
    expect(read(METHOD.gist, 'links', gist(0, 0xffffffff, [tuple(4, 0xffff), tuple(5, 0xffff)]))).toEqual([4, 5]);
    expect(read(METHOD.gist, 'rows', gist(3, 12, [tuple(4)]))).toEqual([]);
  });
});

const spgist = (flags: number, items: Buffer[]): Buffer =>
  built(
    8,
    (special) => {
      special.writeUInt16LE(flags, 0);
      special.writeUInt16LE(0xff82, 6);
    },
    items,
  );

function spgistLeaf(state: number, block: number): Buffer {
  const item = Buffer.alloc(16);
  item.writeUInt32LE(state | (16 << 2), 0);
  writePointer(item, 6, block, 1);
  return item;
}

describe('pages of SP-GiST indexes', () => {
  it('say where rows lie', () => {
    expect(read(METHOD.spgist, 'rows', spgist(4, [spgistLeaf(0, 8), spgistLeaf(2, 9), spgistLeaf(0, 10)]))).toEqual([8, 10]);
    expect(read(METHOD.spgist, 'rows', spgist(0, [spgistLeaf(0, 8)]))).toEqual([]);
  });

  it('name children, and the metapage the roots', () => {
    const inner = Buffer.concat([Buffer.alloc(8), Buffer.alloc(8), tuple(30), tuple(0xffffffff, 0), tuple(31)]);
    inner.writeUInt32LE(((3 << 3) | (8 << 16)) >>> 0, 0);
    expect(read(METHOD.spgist, 'links', spgist(0, [inner]))).toEqual([30, 31]);
    expect(read(METHOD.spgist, 'links', spgist(1, []))).toEqual([1, 2]);
  });
});

const gin = (flags: number, right: number, items: Buffer[] = []): Buffer =>
  built(
    8,
    (special) => {
      special.writeUInt32LE(right, 0);
      special.writeUInt16LE(flags, 6);
    },
    items,
  );
const NONE = 0xffffffff;

/** Rows as (block, number), packed as the documentation of posting lists says. */
function packed(rows: [number, number][]): Buffer {
  const [first, ...others] = rows.map(([block, number]) => block * 2048 + number) as [number, ...number[]];
  const bytes: number[] = [];
  let before = first;
  for (const row of others) {
    for (let step = row - before; ; step = Math.floor(step / 128)) {
      bytes.push((step % 128) | (step >= 128 ? 128 : 0));
      if (step < 128) break;
    }
    before = row;
  }
  const head = Buffer.alloc(8);
  writePointer(head, 0, Math.floor(first / 2048), first % 2048);
  head.writeUInt16LE(bytes.length, 6);
  return Buffer.concat([head, Buffer.from(bytes), Buffer.alloc(bytes.length & 1)]);
}

describe('pages of GIN indexes', () => {
  it('say where rows lie: pending, in an entry, in a tree of rows', () => {
    expect(read(METHOD.gin, 'rows', gin(16, NONE, [tuple(4), tuple(5)]))).toEqual([4, 5]);
    const list = packed([
      [3, 1],
      [3, 7],
      [900000, 2],
    ]);
    expect(read(METHOD.gin, 'rows', gin(2, NONE, [tuple(0x80000000 + 16, 3, 0, Buffer.concat([Buffer.alloc(8), list]))]))).toEqual([3, 3, 900000]);
    const leaf = gin(1 | 2 | 128, NONE);
    const both = Buffer.concat([list, packed([[7, 1]])]);
    both.copy(leaf, 32);
    leaf.writeUInt16LE(32 + both.length, 12);
    expect(read(METHOD.gin, 'rows', leaf)).toEqual([3, 3, 900000, 7]);
    leaf.writeUInt16LE(1 | 2, PAGE - 2);
    expect(read(METHOD.gin, 'rows', leaf)).toEqual([]);
  });

  it('name pages to the right, children, trees of rows and the pending list', () => {
    expect(read(METHOD.gin, 'links', gin(0, 9, [tuple(4), tuple(5)]))).toEqual([9, 4, 5]);
    expect(read(METHOD.gin, 'links', gin(2, NONE, [tuple(4, 0xffff), tuple(0x80000000 + 16, 3)]))).toEqual([4]);
    const inner = gin(1, NONE);
    inner.writeUInt16LE(2, PAGE - 4);
    writePointer(inner, 32, 21, 0);
    writePointer(inner, 42, 22, 0);
    expect(read(METHOD.gin, 'links', inner)).toEqual([21, 22]);
    const meta = gin(8, NONE);
    meta.writeUInt32LE(6, 24);
    meta.writeUInt32LE(NONE, 28);
    expect(read(METHOD.gin, 'links', meta)).toEqual([1, 6]);
    expect(read(METHOD.gin, 'links', gin(4, 9, [tuple(4)]))).toEqual([]);
  });
});

describe('pages of BRIN indexes', () => {
  const brin = (type: number): Buffer => built(8, (special) => void special.writeUInt16LE(type, 6));

  it('name the maps, and where ranges are described', () => {
    const meta = brin(0xf091);
    meta.writeUInt32LE(2, 36);
    expect(read(METHOD.brin, 'links', meta, 0)).toEqual([1, 2]);
    const map = brin(0xf092);
    writePointer(map, 24, 3, 1);
    writePointer(map, 30, 4, 0);
    writePointer(map, 36, 5, 2);
    expect(read(METHOD.brin, 'links', map)).toEqual([3, 5]);
  });
});

describe('pages of any bytes', () => {
  it('are read within themselves, in bounded time', () => {
    const header = fc.record({
      lower: fc.nat(65535),
      special: fc.constantFrom(PAGE - 16, PAGE - 8),
      id: fc.constantFrom(0xff80, 0xff81, 0xff82, 0xf092, 0x0002, 0x0003, 0x0083),
    });
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 512 });
    fc.assert(
      fc.property(bytes, header, (content, { lower, special, id }) => {
        const page = Buffer.alloc(PAGE, content);
        page.writeUInt16LE(lower, 12);
        page.writeUInt16LE(special, 16);
        page.writeUInt16LE(id, PAGE - 2);
        const view = new DataView(page.buffer, page.byteOffset, PAGE); // reading outside of it throws
        for (const { rows, links } of Object.values(ACCESS_METHODS)) {
          let [taken, least] = [0, 0];
          const count = (block: number) => {
            least = Math.min(least, block);
            taken++;
          };
          rows?.({ view, at: 0, block: 5, pageBytes: PAGE }, count);
          links({ view, at: 0, block: 5, pageBytes: PAGE }, count);
          expect([least, taken < 4 * PAGE]).toEqual([0, true]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
