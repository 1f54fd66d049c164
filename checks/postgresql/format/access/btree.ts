/** Pages of b-trees: BTPageOpaqueData, BTMetaPageData and the kinds of tuples in src/include/access/nbtree.h. */
import { blockAt, eachItem, type IndexPage, specialOf, type TakeBlock } from './items.js';

const SPECIAL_BYTES = 16;
const FLAG = { leaf: 1, deleted: 4, meta: 8, halfDead: 16 } as const;
/** Of `t_info`: the item pointer is used for something else; then of its second part: it is a list of rows. */
const OTHER_POINTER = 0x2000;
const POSTING = 0x2000;
const POSTING_COUNT = 0x0fff;
const ROW_POINTER_BYTES = 6;
/** Roots in the metapage: the true one, and the one where searches begin. */
const ROOTS_AT = [32, 40];

/** Blocks of the table in which rows of this leaf lie. The first item of all pages but the rightmost is a bound, and points nowhere. */
export function btreeRows(page: IndexPage, take: TakeBlock): void {
  const special = specialOf(page, SPECIAL_BYTES);
  if (special === null) return;
  const { view } = page;
  const flags = view.getUint16(special + 12, true);
  if (!(flags & FLAG.leaf) || flags & (FLAG.deleted | FLAG.meta | FLAG.halfDead)) return;
  eachItem(page, firstItem(view, special), (item, lengthBytes) => {
    if (!(view.getUint16(item + 6, true) & OTHER_POINTER)) take(blockAt(view, item));
    else postings(view, item, lengthBytes, take);
  });
}

/** Since version 13: rows with equal keys share one item. */
function postings(view: DataView, item: number, lengthBytes: number, take: TakeBlock): void {
  const second = view.getUint16(item + 4, true);
  if (!(second & POSTING)) return;
  const list = blockAt(view, item);
  const count = second & POSTING_COUNT;
  if (list + count * ROW_POINTER_BYTES > lengthBytes) return;
  for (let i = 0; i < count; i++) take(blockAt(view, item + list + i * ROW_POINTER_BYTES));
}

/** Blocks of the index itself to which a page in use points: neighbours, children, roots. */
export function btreeLinks(page: IndexPage, take: TakeBlock): void {
  const special = specialOf(page, SPECIAL_BYTES);
  if (special === null) return;
  const { view, at } = page;
  const flags = view.getUint16(special + 12, true);
  const linked = (block: number) => void (block !== 0 && take(block)); // 0 is the metapage: nobody points there
  if (flags & FLAG.meta) for (const root of ROOTS_AT) linked(view.getUint32(at + root, true));
  if (flags & (FLAG.deleted | FLAG.meta | FLAG.halfDead)) return;
  linked(view.getUint32(special, true));
  linked(view.getUint32(special + 4, true));
  if (!(flags & FLAG.leaf)) eachItem(page, firstItem(view, special), (item) => linked(blockAt(view, item)));
}

function firstItem(view: DataView, special: number): number {
  return view.getUint32(special + 4, true) === 0 ? 0 : 1;
}
