/** Tells each index whose table has zero pages what to look for. */
import type { RelationParts } from '../catalogue/relation-index.js';
import { ACCESS_METHODS } from '../format/access/methods.js';
import type { PagesRequest, RelationPages } from './request.js';
import type { Watch } from './row-pointers.js';
import type { ZeroRuns } from './zero-runs.js';
import { type ZeroSlice, ZeroTable } from './zero-table.js';

/** Sets `watch` of these files of indexes. Gives the zero blocks that they are held against, and how many indexes are. */
export function watchTables(request: PagesRequest, indexes: RelationPages[], zeroes: ZeroRuns): { table: ZeroTable; watching: number } {
  const tables = new Set(indexes.map(({ parts }) => parts?.known?.table?.main));
  const { table, slices } = ZeroTable.of(
    zeroes,
    zeroes.relations.filter((relation) => tables.has(relation)),
  );
  const watching = new Set<RelationParts>();
  for (const { detail, parts } of indexes) {
    detail.watch = watchOf(request, parts, slices);
    if (parts && detail.watch) watching.add(parts);
  }
  return { table, watching: watching.size };
}

function watchOf({ relations, control }: PagesRequest, parts: RelationParts | undefined, slices: Map<number, ZeroSlice>): Watch | null {
  const known = parts?.known;
  const main = known?.ready ? known.table?.main : undefined;
  const slice = main === undefined ? undefined : slices.get(main);
  if (!known || main === undefined || !slice || !ACCESS_METHODS[known.access]?.rows) return null;
  return { access: known.access, slice, table: relations.entries[main]?.path ?? '', segmentPages: control.relationSegmentPages };
}
