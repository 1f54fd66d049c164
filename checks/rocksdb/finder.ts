/** Finds LevelDB and RocksDB stores anywhere in a guest: a folder with a MANIFEST, or with a CURRENT that names one. */
import { posix } from 'node:path';
import { readGuestFile } from '../../src/bytes/read-file.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';

const MAX_CURRENT_BYTES = 100;
const MARK = /^MANIFEST-\d{6,}$/;

export const rocksFinder: EngineFinder = {
  engine: 'rocksdb',
  async find(tree) {
    const found = new Map<string, DatabaseInstance>();
    for (const entry of tree.entries()) {
      if (entry.type !== 'file' || !(await isMark(entry, tree))) continue;
      const place = { volume: entry.location.volume, path: posix.dirname(entry.location.path) };
      const id = `rocksdb ${place.volume}:${place.path}`;
      found.set(id, { id, engine: 'rocksdb', version: null, location: place, links: [], facts: {} });
    }
    return [...found.values()];
  },
};

async function isMark({ location, sizeBytes }: GuestEntry, tree: GuestTree): Promise<boolean> {
  const name = posix.basename(location.path);
  if (name !== 'CURRENT' || sizeBytes === 0 || sizeBytes > MAX_CURRENT_BYTES) return MARK.test(name);
  const text = await readGuestFile(tree.files, location, MAX_CURRENT_BYTES);
  return text?.toString('latin1').startsWith('MANIFEST-') ?? false;
}
