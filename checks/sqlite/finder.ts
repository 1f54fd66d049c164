/** Finds SQLite databases anywhere in a guest by their first bytes, whatever they are called. */
import { MappedSource } from '../../src/bytes/source.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { describeSqlite, isSqliteHeader } from './find.js';

const HEADER_BYTES = 100;
/** A database is a whole number of pages, and no page is smaller: so few other files need to be opened. */
const MIN_PAGE_BYTES = 512;
const LIKELY_NAME = /\.(db|db3|sqlite|sqlite3|s3db|sdb)$/i;
/** Candidates are mapped in batches: one call to the appliance each. */
const BATCH = 2000;

export const sqliteFinder: EngineFinder = {
  engine: 'sqlite',
  async find(tree) {
    const candidates: GuestEntry[] = [];
    for (const entry of tree.entries()) if (isCandidate(entry)) candidates.push(entry);
    const instances: DatabaseInstance[] = [];
    for (let start = 0; start < candidates.length; start += BATCH) instances.push(...(await examine(tree, candidates.slice(start, start + BATCH))));
    return instances;
  },
};

/** A truncated database is no whole number of pages: then its name must give it away. */
function isCandidate(entry: GuestEntry): boolean {
  if (entry.type !== 'file' || entry.sizeBytes < HEADER_BYTES) return false;
  return entry.sizeBytes % MIN_PAGE_BYTES === 0 || LIKELY_NAME.test(entry.location.path);
}

async function examine(tree: GuestTree, candidates: GuestEntry[]): Promise<DatabaseInstance[]> {
  const maps = await tree.files.map(candidates.map((entry) => entry.location));
  const instances: DatabaseInstance[] = [];
  for (const [i, entry] of candidates.entries()) {
    const map = maps[i];
    if (!map) continue;
    const source = new MappedSource(map);
    const header = await source.read(0, HEADER_BYTES).finally(() => source.close());
    if (isSqliteHeader(header)) instances.push(describe(entry, header));
  }
  return instances;
}

function describe({ location, sizeBytes }: GuestEntry, header: Buffer): DatabaseInstance {
  const facts = describeSqlite(header, sizeBytes);
  const version = typeof facts.libraryVersion === 'string' ? facts.libraryVersion : null;
  return { id: `sqlite ${location.volume}:${location.path}`, engine: 'sqlite', version, location, links: [], facts };
}
