/** Pages of BRIN indexes: BrinMetaPageData and RevmapContents in src/include/access/brin_page.h. They describe ranges of blocks, not rows. */
import { blockAt, type IndexPage, NO_BLOCK, specialOf, type TakeBlock } from './items.js';

const SPECIAL_BYTES = 8;
const TYPE = { meta: 0xf091, map: 0xf092 } as const;
const CONTENTS_AT = 24;
const LAST_MAP_AT = 36;
const POINTER_BYTES = 6;
/** Maps of 1360 ranges each: of more than any table has. A metapage may say anything. */
const MAX_MAPS = 2 ** 22;

/** Blocks in use by the word of this page: all maps, and where the ranges of a map are described. */
export function brinLinks(page: IndexPage, take: TakeBlock): void {
  const special = specialOf(page, SPECIAL_BYTES);
  if (special === null) return;
  const { view, at, block } = page;
  const type = view.getUint16(special + 6, true);
  if (type === TYPE.meta && block === 0) {
    const last = Math.min(view.getUint32(at + LAST_MAP_AT, true), MAX_MAPS);
    for (let map = 1; map <= last; map++) take(map);
  } else if (type === TYPE.map) {
    for (let pointer = at + CONTENTS_AT; pointer + POINTER_BYTES <= special; pointer += POINTER_BYTES) described(view, pointer, take);
  }
}

/** A range without description points nowhere: its item has no number. */
function described(view: DataView, pointer: number, take: TakeBlock): void {
  const block = blockAt(view, pointer);
  if (block !== NO_BLOCK && view.getUint16(pointer + 4, true) !== 0) take(block);
}
