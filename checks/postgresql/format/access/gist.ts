/** Pages of GiST indexes: GISTPageOpaqueData in src/include/access/gist.h. */
import { blockAt, eachItem, type IndexPage, NO_BLOCK, specialOf, type TakeBlock } from './items.js';

const SPECIAL_BYTES = 16;
const PAGE_ID = 0xff81;
const FLAG = { leaf: 1, deleted: 2 } as const;

/** Blocks of the table in which rows of this leaf lie. */
export function gistRows(page: IndexPage, take: TakeBlock): void {
  const special = inUse(page);
  if (special !== null && isLeaf(page, special)) eachItem(page, 0, (item) => take(blockAt(page.view, item)));
}

/** Children, and the page to the right. */
export function gistLinks(page: IndexPage, take: TakeBlock): void {
  const special = inUse(page);
  if (special === null) return;
  const right = page.view.getUint32(special + 8, true);
  if (right !== NO_BLOCK) take(right);
  if (!isLeaf(page, special)) eachItem(page, 0, (item) => take(blockAt(page.view, item)));
}

function inUse(page: IndexPage): number | null {
  const special = specialOf(page, SPECIAL_BYTES);
  if (special === null || page.view.getUint16(special + 14, true) !== PAGE_ID) return null;
  return page.view.getUint16(special + 12, true) & FLAG.deleted ? null : special;
}

function isLeaf({ view }: IndexPage, special: number): boolean {
  return (view.getUint16(special + 12, true) & FLAG.leaf) !== 0;
}
