/** Finds bbolt stores anywhere in a guest by the magic number of their meta pages, and members of etcd by their folders. */
import { MappedSource } from '../../src/bytes/source.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import type { ByteMap, DatabaseInstance, GuestEntry } from '../../src/types.js';
import { isBolt } from './format/meta.js';

const HEAD_BYTES = 24;
const PAGE_BYTES = 4096;
/** Where a member of etcd keeps its store: known by its place even when its first page is lost. */
const MEMBER_STORE = /\/member\/snap\/db$/;
const BATCH = 2000;

export const boltFinder: EngineFinder = {
  engine: 'bbolt',
  async find(tree) {
    const candidates: GuestEntry[] = [];
    for (const entry of tree.entries()) if (isCandidate(entry)) candidates.push(entry);
    const instances: DatabaseInstance[] = [];
    for (let from = 0; from < candidates.length; from += BATCH) instances.push(...(await examine(tree, candidates.slice(from, from + BATCH))));
    return instances;
  },
};

function isCandidate({ type, sizeBytes, location }: GuestEntry): boolean {
  return type === 'file' && (MEMBER_STORE.test(location.path) || (sizeBytes >= 4 * PAGE_BYTES && sizeBytes % PAGE_BYTES === 0));
}

async function examine(tree: GuestTree, candidates: GuestEntry[]): Promise<DatabaseInstance[]> {
  const maps = await tree.files.map(candidates.map(({ location }) => location));
  const instances: DatabaseInstance[] = [];
  for (const [i, { location, sizeBytes }] of candidates.entries()) {
    const isMember = MEMBER_STORE.test(location.path);
    if (!isMember && !(await hasMagic(maps[i] ?? null))) continue;
    const place = isMember ? { ...location, path: location.path.replace(/\/snap\/db$/, '') } : location;
    const engine = isMember ? 'etcd' : 'bbolt';
    instances.push({ id: `${engine} ${place.volume}:${place.path}`, engine, version: null, location: place, links: [], facts: { sizeBytes } });
  }
  return instances;
}

/** The first meta page, or (where it is damaged) the second. */
async function hasMagic(map: ByteMap | null): Promise<boolean> {
  if (!map || map.sizeBytes < PAGE_BYTES + HEAD_BYTES) return false;
  const source = new MappedSource(map);
  try {
    return isBolt(await source.read(0, HEAD_BYTES)) || isBolt(await source.read(PAGE_BYTES, HEAD_BYTES));
  } finally {
    await source.close();
  }
}
