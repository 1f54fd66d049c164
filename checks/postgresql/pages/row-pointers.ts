/** Holds what index pages say of rows against the zero blocks of their table. */
import { keepExample } from '../../../src/bytes/page-facts.js';
import type { IndexPage } from '../format/access/items.js';
import { ACCESS_METHODS } from '../format/access/methods.js';
import { type SharedZeroes, type ZeroSlice, ZeroTable } from './zero-table.js';
import type { ZeroesSeen } from './zeroes-seen.js';

/** Which zero blocks an index is held against. */
export interface Watch {
  /** Oid of the index's access method. */
  access: number;
  slice: ZeroSlice;
  /** The table's first file, as the administrator knows it. */
  table: string;
  segmentPages: number;
}

export class RowPointers {
  private readonly zeroes: ZeroTable;
  private readonly page: IndexPage;

  constructor(shared: SharedZeroes, view: DataView, pageBytes: number) {
    this.zeroes = new ZeroTable(shared);
    this.page = { view, at: 0, block: 0, pageBytes };
  }

  /** Takes a sound page of an index. Each zero block is noted once, whatever number of rows it is said to hold. */
  read({ path, watch }: { path: string; watch: Watch | null }, block: number, offset: number, seen: ZeroesSeen): void {
    const rows = watch ? ACCESS_METHODS[watch.access]?.rows : null;
    if (!watch || !rows) return;
    this.page.at = offset;
    this.page.block = block;
    const [least, most] = this.zeroes.bounds(watch.slice);
    rows(this.page, (row) => {
      if (row < least || row > most || !this.zeroes.mark(watch.slice, row)) return;
      keepExample(seen.lost.index, { file: segmentPath(watch.table, row, watch.segmentPages), block: row, index: path, from: block });
    });
  }
}

/** The file of a relation in which a block lies. */
export function segmentPath(first: string, block: number, segmentPages: number): string {
  const segment = Math.floor(block / segmentPages);
  return segment === 0 ? first : `${first}.${segment}`;
}
