import { describe, expect, it } from 'vitest';
import type { IndexRow } from '../format/catalogue.js';
import type { RowState } from '../status/row-state.js';
import { emptyCatalogueFacts } from './facts.js';
import { IndexPairs } from './index-pairs.js';
import type { KnownRelation, RelationParts } from './relation-index.js';
import type { CatalogueSource } from './source.js';

const PG_INDEX = 2610;

function relation(kind: string, settled = true): RelationParts & { known: KnownRelation } {
  return { main: 1, later: [], init: -1, visibility: -1, other: 1, inForce: true, known: { kind, access: 403, settled, ready: null, table: null } };
}

/** Reads these rows instead of pg_index. */
function sourceOf(rows: (IndexRow & { state?: RowState })[]): CatalogueSource {
  async function* rowsOf() {
    for (const { state = 'live', ...row } of rows) yield { row, state };
  }
  return { rowsOf } as unknown as CatalogueSource;
}

async function paired(relations: [number, RelationParts][], rows: (IndexRow & { state?: RowState })[]): Promise<void> {
  const pairs = new IndexPairs();
  pairs.add(PG_INDEX, relation('r'));
  for (const [oid, parts] of relations) pairs.add(oid, parts);
  await pairs.read(sourceOf(rows), emptyCatalogueFacts());
}

describe('indexes and their tables', () => {
  const [TABLE, INDEX] = [16384, 16390];

  it('are brought together, also when several versions of a row name the same files', async () => {
    const [table, index] = [relation('r'), relation('i')];
    await paired(
      [
        [TABLE, table],
        [INDEX, index],
        [INDEX, index],
      ],
      [{ index: INDEX, table: TABLE, ready: true }],
    );
    expect(index.known).toMatchObject({ ready: true });
    expect(index.known.table).toBe(table);
  });

  it('are not where the log rewrites one of them, or nothing tells which files count', async () => {
    const [old, fresh, index] = [relation('r', false), relation('r', false), relation('i')];
    await paired(
      [
        [TABLE, old],
        [TABLE, fresh],
        [INDEX, index],
      ],
      [{ index: INDEX, table: TABLE, ready: true }],
    );
    expect(index.known).toMatchObject({ ready: true, table: null });
    const [one, another, own] = [relation('r'), relation('r'), relation('i')];
    await paired(
      [
        [TABLE, one],
        [TABLE, another],
        [INDEX, own],
      ],
      [{ index: INDEX, table: TABLE, ready: true }],
    );
    expect(own.known.table).toBeNull();
  });

  it('are unfinished where the row in force says so, or the log makes them and the row is not on disk yet', async () => {
    const [building, fresh, old] = [relation('i'), relation('i', false), relation('i')];
    await paired(
      [
        [INDEX, building],
        [INDEX + 1, fresh],
        [INDEX + 2, old],
      ],
      [{ index: INDEX, table: TABLE, ready: false }],
    );
    expect([building.known.ready, fresh.known.ready, old.known.ready]).toEqual([false, false, null]);
  });

  it('are not known to be ready where rows are undecided', async () => {
    const index = relation('i');
    await paired([[INDEX, index]], [{ index: INDEX, table: TABLE, ready: true, state: 'undecided' }]);
    expect(index.known.ready).toBeNull();
  });
});
