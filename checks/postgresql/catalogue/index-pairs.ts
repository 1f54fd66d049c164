/** Which index is whose, by pg_index of one database, and which of them are built. */
import { readIndexRow } from '../format/catalogue.js';
import type { CatalogueFacts } from './facts.js';
import type { RelationParts } from './relation-index.js';
import type { CatalogueSource } from './source.js';

/** Oid of pg_index (src/include/catalog/pg_index.h). */
const PG_INDEX = 2610;

export class IndexPairs {
  /** By oid: more than one where the log rewrites a relation. */
  private readonly byOid = new Map<number, RelationParts[]>();

  /** A relation in force. Several versions of its row may name the same files. */
  add(oid: number, parts: RelationParts | null): void {
    if (!parts) return;
    const known = this.byOid.get(oid) ?? [];
    if (!known.includes(parts)) this.byOid.set(oid, [...known, parts]);
  }

  /** Afterwards each index says whether it is ready, where all of pg_index could be read, and which table it belongs to. */
  async read(source: CatalogueSource, facts: CatalogueFacts): Promise<void> {
    const own = this.settled(PG_INDEX);
    if (!own) return;
    const damagedBefore = facts.damagedPages;
    let undecided = 0;
    for await (const { row, state } of source.rowsOf(own, readIndexRow, false)) {
      if (state === 'undecided') undecided++;
      else if (state === 'live') this.pair(row.index, row.table, row.ready);
    }
    if (undecided === 0 && facts.damagedPages === damagedBefore) this.noteUnfinished();
  }

  private pair(index: number, table: number, ready: boolean): void {
    for (const { known } of this.byOid.get(index) ?? []) if (known) known.ready = ready && known.ready !== false;
    const known = this.settled(index)?.known;
    if (known) known.table = this.settled(table);
  }

  /** An index that the log makes, and without a row in force there: its row is newer than what is on disk. */
  private noteUnfinished(): void {
    for (const parts of this.byOid.values()) {
      for (const { known } of parts) if (known?.kind === 'i' && !known.settled) known.ready ??= false;
    }
  }

  /** The one relation of this oid whose files stay as they are; null where there is none, or nothing tells which. */
  private settled(oid: number): RelationParts | null {
    const [parts, another] = (this.byOid.get(oid) ?? []).filter(({ known }) => known?.settled);
    return another ? null : (parts ?? null);
  }
}
