/** What was found of pages that hold only zeroes: counts, and a few examples of each kind. Plain data, small enough to be kept as evidence. */
import { emptyTallies, type Tally } from '../../../src/bytes/page-facts.js';

export const LOST_KINDS = ['index', 'map', 'link', 'log', 'first'] as const;
/**
 * What shows that something was in a zero page. index: an index points to rows in it. map: the visibility map calls its rows visible.
 * link: another page of the same index points to it. log: the log to be replayed changes it, and does not make it. first: it is the first
 * page of an index or sequence, which describes it.
 */
export type LostKind = (typeof LOST_KINDS)[number];

export type LostPages = Record<LostKind, Tally>;

export interface ZeroedFacts {
  /** Why nothing was judged; null: it was. */
  unread: string | null;
  /** Zero pages of relations in force that the log neither makes anew nor cuts off. Most were never used. */
  pages: number;
  relations: number;
  /** Zero pages that were too many to be looked up. */
  leftOut: number;
  /** Indexes whose pointers to rows were read, and visibility maps, because a table had such pages. */
  indexes: number;
  maps: number;
  lost: LostPages;
}

export function emptyLost(): LostPages {
  return emptyTallies(LOST_KINDS);
}

export function emptyZeroedFacts(unread: string | null = null): ZeroedFacts {
  return { unread, pages: 0, relations: 0, leftOut: 0, indexes: 0, maps: 0, lost: emptyLost() };
}
