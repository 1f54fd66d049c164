/** Finds SQLite databases anywhere in a guest by their first bytes, whatever they are called. */
import { fileHeads } from '../../src/bytes/file-heads.js';
import type { EngineFinder } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { askDatabase } from './client.js';
import { describeSqlite, isSqliteHeader } from './find.js';

const HEADER_BYTES = 100;
/** A database is a whole number of pages, and no page is smaller: so few other files need to be opened. */
const MIN_PAGE_BYTES = 512;
const LIKELY_NAME = /\.(db|db3|sqlite|sqlite3|s3db|sdb)$/i;

export const sqliteFinder: EngineFinder = {
  engine: 'sqlite',
  async find(tree) {
    const candidates: GuestEntry[] = [];
    for (const entry of tree.entries()) if (isCandidate(entry)) candidates.push(entry);
    const instances: DatabaseInstance[] = [];
    for await (const { entry, head } of fileHeads(tree.files, candidates, HEADER_BYTES)) {
      if (isSqliteHeader(head)) instances.push(describe(entry, head));
    }
    return instances;
  },
  ask: askDatabase,
};

/** A truncated database is no whole number of pages: then its name must give it away. */
function isCandidate(entry: GuestEntry): boolean {
  if (entry.type !== 'file' || entry.sizeBytes < HEADER_BYTES) return false;
  return entry.sizeBytes % MIN_PAGE_BYTES === 0 || LIKELY_NAME.test(entry.location.path);
}

function describe({ location, sizeBytes }: GuestEntry, header: Buffer): DatabaseInstance {
  const facts = describeSqlite(header, sizeBytes);
  const version = typeof facts.libraryVersion === 'string' ? facts.libraryVersion : null;
  return { id: `sqlite ${location.volume}:${location.path}`, engine: 'sqlite', version, location, links: [], facts };
}
