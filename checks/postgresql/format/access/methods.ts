/** The access methods that come with PostgreSQL, by their oids (src/include/catalog/pg_am.dat), and what is read of their pages. */
import { brinLinks } from './brin.js';
import { btreeLinks, btreeRows } from './btree.js';
import { ginLinks, ginRows } from './gin.js';
import { gistLinks, gistRows } from './gist.js';
import { hashLinks, hashRows } from './hash.js';
import type { IndexPage, TakeBlock } from './items.js';
import { spgistLinks, spgistRows } from './spgist.js';

type Read = (page: IndexPage, take: TakeBlock) => void;

export interface AccessMethod {
  /** Blocks of the table to whose rows a page points; null: its pages do not name rows. */
  rows: Read | null;
  /** Blocks of the index itself that were surely in use when the page was written. */
  links: Read;
}

export const BTREE = 403;

/** All of them keep a description of the index in its first page. */
export const ACCESS_METHODS: Record<number, AccessMethod> = {
  [BTREE]: { rows: btreeRows, links: btreeLinks },
  405: { rows: hashRows, links: hashLinks },
  783: { rows: gistRows, links: gistLinks },
  2742: { rows: ginRows, links: ginLinks },
  4000: { rows: spgistRows, links: spgistLinks },
  3580: { rows: null, links: brinLinks },
};
