/** Finds LMDB stores (OpenLDAP and others) anywhere in a guest: by the magic number of their first page, and every `data.mdb`. */
import { posix } from 'node:path';
import { fileHeads } from '../../src/bytes/file-heads.js';
import type { EngineFinder } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { lmdbWidth } from './format/meta.js';

const HEAD_BYTES = 24;
const MIN_PAGE_BYTES = 4096;
/** The name that LMDB gives to a store in a folder of its own. */
const OWN_NAME = 'data.mdb';

export const lmdbFinder: EngineFinder = {
  engine: 'lmdb',
  async find({ files, entries }) {
    const instances: DatabaseInstance[] = [];
    for await (const { entry, head } of fileHeads(files, [...entries()].filter(isCandidate), HEAD_BYTES)) {
      const { location, sizeBytes } = entry;
      const width = lmdbWidth(head);
      if (width === null && !hasOwnName(entry)) continue;
      instances.push({ id: `lmdb ${location.volume}:${location.path}`, engine: 'lmdb', version: null, location, links: [], facts: { width, sizeBytes } });
    }
    return instances;
  },
};

const hasOwnName = ({ location }: GuestEntry): boolean => posix.basename(location.path) === OWN_NAME;

/** Stores grow by whole pages; one that was cut is known by its name only. */
function isCandidate(entry: GuestEntry): boolean {
  const { type, sizeBytes } = entry;
  return type === 'file' && (hasOwnName(entry) || (sizeBytes >= 2 * MIN_PAGE_BYTES && sizeBytes % MIN_PAGE_BYTES === 0));
}
