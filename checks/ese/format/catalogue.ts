/** Rows of MSysObjects, the catalogue of an ESE database, as far as they lead to trees. Source: the format specification of libesedb. */

/** Objects that are trees of their own. */
const TREES = { table: 1, index: 3, longValue: 4 } as const;
const RECORD_HEADER_BYTES = 4;

export interface CatalogueEntry {
  tree: number;
  /** Root of it. */
  page: number;
}

/** Null: a column or a callback, or no row that is known. */
export function catalogueEntry(row: Buffer): CatalogueEntry | null {
  if (row.length < RECORD_HEADER_BYTES + 14) return null;
  const type = row.readUInt16LE(RECORD_HEADER_BYTES + 4);
  if (type !== TREES.table && type !== TREES.index && type !== TREES.longValue) return null;
  return { tree: row.readUInt32LE(RECORD_HEADER_BYTES + 6), page: row.readUInt32LE(RECORD_HEADER_BYTES + 10) };
}
