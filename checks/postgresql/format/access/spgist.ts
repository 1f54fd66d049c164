/** Pages of SP-GiST indexes: SpGistPageOpaqueData, SpGistInnerTupleData and SpGistLeafTupleData in src/include/access/spgist_private.h. */
import { blockAt, eachItem, type IndexPage, NO_BLOCK, specialOf, type TakeBlock } from './items.js';

const SPECIAL_BYTES = 8;
const PAGE_ID = 0xff82;
const FLAG = { meta: 1, deleted: 2, leaf: 4 } as const;
/** Of the tree, and of the one for nulls. */
const ROOTS = [1, 2];
/** The two lowest bits of a tuple: 0 is live, the others mark where something was. */
const STATE = 3;
const LEAF = { rowAt: 6, leastBytes: 12 } as const;
/** Of an inner tuple: the number of its nodes stands above three bits, then comes the length of what they have in common. */
const INNER = { headerBytes: 8, nodesShift: 3, nodesMask: 0x1fff } as const;
const NODE = { leastBytes: 8, sizeMask: 0x1fff } as const;

/** Blocks of the table in which rows of this leaf lie. */
export function spgistRows(page: IndexPage, take: TakeBlock): void {
  const { view } = page;
  if (kindOf(page) !== 'leaf') return;
  eachItem(page, 0, (item, lengthBytes) => {
    if (lengthBytes >= LEAF.leastBytes && (view.getUint32(item, true) & STATE) === 0) take(blockAt(view, item + LEAF.rowAt));
  });
}

/** Children of an inner page; the metapage says that there are roots. */
export function spgistLinks(page: IndexPage, take: TakeBlock): void {
  const kind = kindOf(page);
  if (kind === 'meta') for (const root of ROOTS) take(root);
  if (kind !== 'inner') return;
  eachItem(page, 0, (item, lengthBytes) => {
    if ((page.view.getUint32(item, true) & STATE) === 0) children(page.view, item, lengthBytes, take);
  });
}

function kindOf(page: IndexPage): 'meta' | 'leaf' | 'inner' | null {
  const { view } = page;
  const special = specialOf(page, SPECIAL_BYTES);
  if (special === null || view.getUint16(special + 6, true) !== PAGE_ID) return null;
  const flags = view.getUint16(special, true);
  if (flags & FLAG.meta) return 'meta';
  if (flags & FLAG.deleted) return null;
  return flags & FLAG.leaf ? 'leaf' : 'inner';
}

function children(view: DataView, item: number, lengthBytes: number, take: TakeBlock): void {
  const head = view.getUint32(item, true);
  const nodes = (head >>> INNER.nodesShift) & INNER.nodesMask;
  let node = item + INNER.headerBytes + (head >>> 16);
  for (let i = 0; i < nodes && node + NODE.leastBytes <= item + lengthBytes; i++) {
    const block = blockAt(view, node);
    if (block !== NO_BLOCK && view.getUint16(node + 4, true) !== 0) take(block);
    const size = view.getUint16(node + 6, true) & NODE.sizeMask;
    if (size < NODE.leastBytes) return;
    node += size;
  }
}
