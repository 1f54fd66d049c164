/** The indexes that hold zero pages themselves, for the pass that looks for what points to these. */
import type { PageFile } from '../../../src/bytes/page-pool.js';
import { ACCESS_METHODS } from '../format/access/methods.js';
import type { LinkConfig, LinkDetail } from './link-verifier.js';
import type { PagesRequest, RelationPages } from './request.js';
import type { ZeroRuns } from './zero-runs.js';
import { ZeroTable } from './zero-table.js';

export function linkPass(request: PagesRequest, indexes: RelationPages[], zeroes: ZeroRuns): { config: LinkConfig; files: PageFile<LinkDetail>[] } {
  const { control, table, relations } = request;
  const mains = new Set(indexes.map(({ parts }) => parts?.main));
  const { table: zeroTable, slices } = ZeroTable.of(
    zeroes,
    zeroes.relations.filter((relation) => mains.has(relation)),
  );
  const files = indexes.flatMap(({ map, detail, parts }): PageFile<LinkDetail>[] => {
    const slice = slices.get(parts?.main ?? -1);
    const access = parts?.known?.access ?? 0;
    if (!parts || !slice || !(access in ACCESS_METHODS)) return [];
    const { path, relation, firstBlock } = detail;
    return [{ map, detail: { firstPath: relations.entries[parts.main]?.path ?? path, relation, firstBlock, access, slice } }];
  });
  const { pageBytes, relationSegmentPages: segmentPages, checksums } = control;
  return { config: { pageBytes, segmentPages, checksums, table: table.shared, zeroes: zeroTable.shared }, files };
}
