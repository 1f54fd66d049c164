/** Finds LMDB stores (OpenLDAP and others) anywhere in a guest: by the magic number of their first page, and every `data.mdb`. */
import { posix } from 'node:path';
import { MappedSource } from '../../src/bytes/source.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { lmdbWidth } from './format/meta.js';

const HEAD_BYTES = 24;
const MIN_PAGE_BYTES = 4096;
/** The name that LMDB gives to a store in a folder of its own. */
const OWN_NAME = 'data.mdb';
const BATCH = 2000;

export const lmdbFinder: EngineFinder = {
  engine: 'lmdb',
  async find(tree) {
    const candidates: GuestEntry[] = [];
    for (const entry of tree.entries()) if (isCandidate(entry)) candidates.push(entry);
    const instances: DatabaseInstance[] = [];
    for (let from = 0; from < candidates.length; from += BATCH) instances.push(...(await examine(tree, candidates.slice(from, from + BATCH))));
    return instances;
  },
};

/** Stores grow by whole pages; one that was cut is known by its name only. */
function isCandidate({ type, sizeBytes, location }: GuestEntry): boolean {
  if (type !== 'file') return false;
  return posix.basename(location.path) === OWN_NAME || (sizeBytes >= 2 * MIN_PAGE_BYTES && sizeBytes % MIN_PAGE_BYTES === 0);
}

async function examine(tree: GuestTree, candidates: GuestEntry[]): Promise<DatabaseInstance[]> {
  const maps = await tree.files.map(candidates.map(({ location }) => location));
  const instances: DatabaseInstance[] = [];
  for (const [i, { location, sizeBytes }] of candidates.entries()) {
    const map = maps[i];
    if (!map) continue;
    const source = new MappedSource(map);
    const width = lmdbWidth(await source.read(0, Math.min(HEAD_BYTES, map.sizeBytes)).finally(() => source.close()));
    if (width === null && posix.basename(location.path) !== OWN_NAME) continue;
    instances.push({ id: `lmdb ${location.volume}:${location.path}`, engine: 'lmdb', version: null, location, links: [], facts: { width, sizeBytes } });
  }
  return instances;
}
