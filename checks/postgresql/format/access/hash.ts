/** Pages of hash indexes: HashPageOpaqueData and HashMetaPageData in src/include/access/hash.h. */
import { blockAt, eachItem, type IndexPage, NO_BLOCK, specialOf, type TakeBlock } from './items.js';

const SPECIAL_BYTES = 16;
const PAGE_ID = 0xff80;
const FLAG = { overflow: 1, bucket: 2, meta: 8 } as const;
/**
 * In the metapage: number of the last bucket; pages of other kinds before each splitpoint, and how many there are of these numbers;
 * where the bitmaps of overflow pages lie.
 */
const META = { lastBucketAt: 48, bitmapCountAt: 68, sparesAt: 76, spares: 98, bitmapsAt: 468, bitmaps: 1024 } as const;
/** A metapage may say anything. */
const MAX_BUCKETS = 2 ** 24;
/** Buckets are added by doubling; from the tenth time on in four steps each. */
const ONE_STEP_DOUBLINGS = 10;

/** Blocks of the table in which rows of this page lie. */
export function hashRows(page: IndexPage, take: TakeBlock): void {
  if (flagsOf(page) & (FLAG.overflow | FLAG.bucket)) eachItem(page, 0, (item) => take(blockAt(page.view, item)));
}

/** Blocks in use by the word of this page: buckets and bitmaps, and the overflow page that comes next. Buckets to come are zero, and nothing points to them. */
export function hashLinks(page: IndexPage, take: TakeBlock): void {
  const flags = flagsOf(page);
  if (flags & FLAG.meta && page.block === 0) {
    buckets(page, take);
    bitmaps(page, take);
  }
  if (!(flags & (FLAG.overflow | FLAG.bucket))) return;
  const next = page.view.getUint32(page.at + page.pageBytes - SPECIAL_BYTES + 4, true);
  if (next !== NO_BLOCK) take(next);
}

/** 0 of a page that is none of a hash index. */
function flagsOf(page: IndexPage): number {
  const special = specialOf(page, SPECIAL_BYTES);
  if (special === null || page.view.getUint16(special + 14, true) !== PAGE_ID) return 0;
  return page.view.getUint16(special + 12, true);
}

function buckets({ view, at }: IndexPage, take: TakeBlock): void {
  const last = Math.min(view.getUint32(at + META.lastBucketAt, true), MAX_BUCKETS);
  for (let bucket = 0; bucket <= last; bucket++) {
    const splitpoint = splitpointOf(bucket + 1);
    if (splitpoint > META.spares) return;
    const before = bucket === 0 ? 0 : view.getUint32(at + META.sparesAt + 4 * (splitpoint - 1), true);
    take(bucket + before + 1);
  }
}

function bitmaps({ view, at, pageBytes }: IndexPage, take: TakeBlock): void {
  const count = Math.min(view.getUint32(at + META.bitmapCountAt, true), META.bitmaps);
  for (let i = 0; i < count && META.bitmapsAt + 4 * i + 4 <= pageBytes; i++) take(view.getUint32(at + META.bitmapsAt + 4 * i, true));
}

/** The step in which so many buckets are reached (_hash_spareindex in src/backend/access/hash/hashutil.c describes it). */
function splitpointOf(buckets: number): number {
  const doublings = 32 - Math.clz32(buckets - 1);
  if (doublings < ONE_STEP_DOUBLINGS) return doublings;
  return ONE_STEP_DOUBLINGS + 4 * (doublings - ONE_STEP_DOUBLINGS) + (((buckets - 1) >>> (doublings - 3)) & 3);
}
