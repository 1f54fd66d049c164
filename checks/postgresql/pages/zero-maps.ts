/** Holds visibility maps against zero pages: no version of the server calls a page visible that was never initialised. */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import { keepExample, type Tally } from '../../../src/bytes/page-facts.js';
import type { ByteMap } from '../../../src/types.js';
import type { RelationIndex } from '../catalogue/relation-index.js';
import { takeVisible } from '../catalogue/visibility-map.js';
import type { RelationFiles } from '../cluster-files.js';
import type { ControlFile } from '../format/control.js';
import { segmentPath } from './row-pointers.js';
import type { ZeroRuns } from './zero-runs.js';

export interface MapsRequest {
  control: ControlFile;
  relations: RelationFiles;
  index: RelationIndex;
  maps: (ByteMap | null)[];
  signal: AbortSignal;
}

/** Adds to `lost` the zero pages that are called visible. Gives how many maps were read. */
export async function lookUpInMaps({ control, relations, index, maps, signal }: MapsRequest, zeroes: ZeroRuns, lost: Tally): Promise<number> {
  const reader = new BlockReader();
  let read = 0;
  try {
    for (const relation of zeroes.relations) {
      signal.throwIfAborted();
      const entry = relations.entries[relation];
      const map = entry && maps[index.find(entry.tablespace, entry.database, entry.relation)?.visibility ?? -1];
      if (!entry || !map) continue;
      read++;
      const note = (block: number) => keepExample(lost, { file: segmentPath(entry.path, block, control.relationSegmentPages), block });
      await takeVisible(reader, map, zeroes.of(relation), control, note);
    }
  } finally {
    await reader.close();
  }
  return read;
}
