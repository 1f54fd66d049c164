/** Finds Berkeley DB files anywhere in a guest by the magic number of their first page. */
import { MappedSource } from '../../src/bytes/source.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { berkeleyKind } from './format/meta.js';

const HEAD_BYTES = 16;
const MIN_PAGE_BYTES = 512;
const LIKELY_NAME = /\.(db|bdb)$/i;
const BATCH = 2000;

export const berkeleyFinder: EngineFinder = {
  engine: 'berkeleydb',
  async find(tree) {
    const candidates: GuestEntry[] = [];
    for (const entry of tree.entries()) if (isCandidate(entry)) candidates.push(entry);
    const instances: DatabaseInstance[] = [];
    for (let from = 0; from < candidates.length; from += BATCH) instances.push(...(await examine(tree, candidates.slice(from, from + BATCH))));
    return instances;
  },
};

/** Files are whole pages; one that was cut is known by its name only. */
function isCandidate({ type, sizeBytes, location }: GuestEntry): boolean {
  return type === 'file' && sizeBytes >= HEAD_BYTES && (sizeBytes % MIN_PAGE_BYTES === 0 || LIKELY_NAME.test(location.path));
}

async function examine(tree: GuestTree, candidates: GuestEntry[]): Promise<DatabaseInstance[]> {
  const maps = await tree.files.map(candidates.map(({ location }) => location));
  const instances: DatabaseInstance[] = [];
  for (const [i, { location, sizeBytes }] of candidates.entries()) {
    const map = maps[i];
    if (!map || map.sizeBytes < HEAD_BYTES) continue;
    const source = new MappedSource(map);
    const found = berkeleyKind(await source.read(0, HEAD_BYTES).finally(() => source.close()));
    if (!found) continue;
    const facts = { kind: found.kind, littleEndian: found.littleEndian, sizeBytes };
    instances.push({ id: `berkeleydb ${location.volume}:${location.path}`, engine: 'berkeleydb', version: null, location, links: [], facts });
  }
  return instances;
}
