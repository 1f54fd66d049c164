/** The files of one database in the guest: found, mapped and opened. */
import { MappedSource } from '../../src/bytes/source.js';
import type { CheckContext } from '../../src/check.js';
import type { ByteMap, ByteSource, DatabaseInstance, GuestLocation } from '../../src/types.js';

/** Maps of the database and of what lies beside it; null: there is no such regular file. */
export interface DatabaseMaps {
  location: GuestLocation;
  database: ByteMap | null;
  wal: ByteMap | null;
  journal: ByteMap | null;
  walIndex: ByteMap | null;
}

export interface DatabaseFiles {
  database: ByteSource;
  wal: ByteSource | null;
  journal: ByteSource | null;
  walIndex: ByteSource | null;
}

const SUFFIXES = ['', '-wal', '-journal', '-shm'];
/** One call to the appliance maps so many databases; a guest may hold thousands. */
const MAPPED_AT_ONCE = 2000;

/** Maps of one instance. All SQLite databases of the restore point are mapped together, at the first that asks. */
export async function mapsOf(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<DatabaseMaps> {
  const known = context.inspection.databases.filter(({ engine }) => engine === 'sqlite');
  const listed = known.some(({ id }) => id === instance.id);
  const all = await context.once(listed ? 'sqlite maps' : `sqlite maps ${instance.id}`, () => mapAll(listed ? known : [instance], context));
  const maps = all.get(instance.id);
  if (!maps) throw new RangeError(`no maps were made for ${instance.id}`);
  return maps;
}

async function mapAll(instances: DatabaseInstance[], context: CheckContext<unknown>): Promise<Map<string, DatabaseMaps>> {
  const result = new Map<string, DatabaseMaps>();
  const { files } = context.labs;
  for (let from = 0; from < instances.length; from += MAPPED_AT_ONCE) {
    context.signal.throwIfAborted();
    const part = instances.slice(from, from + MAPPED_AT_ONCE);
    // SQLite puts its log beside the file that a link leads to.
    const locations = await Promise.all(part.map(async ({ location }) => (await files.resolve(location)) ?? location));
    const maps = await files.map(locations.flatMap(({ volume, path }) => SUFFIXES.map((suffix) => ({ volume, path: path + suffix }))));
    for (const [i, instance] of part.entries()) {
      const [database = null, wal = null, journal = null, walIndex = null] = maps.slice(i * SUFFIXES.length, (i + 1) * SUFFIXES.length);
      result.set(instance.id, { location: locations[i] ?? instance.location, database, wal, journal, walIndex });
    }
  }
  return result;
}

/** Runs `work` on the opened files and closes them whatever happens. Null when the database itself is no readable file. */
export async function withFiles<T>(maps: DatabaseMaps, work: (files: DatabaseFiles) => Promise<T>): Promise<T | null> {
  if (!maps.database) return null;
  const open = (map: ByteMap | null) => (map ? new MappedSource(map) : null);
  const files = { database: new MappedSource(maps.database), wal: open(maps.wal), journal: open(maps.journal), walIndex: open(maps.walIndex) };
  try {
    return await work(files);
  } finally {
    await Promise.all(Object.values(files).map((source) => source?.close()));
  }
}
