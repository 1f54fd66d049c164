/** The first bytes of many guest files, for finders that recognise a format by its mark: files are mapped in batches, one call to the appliance each. */
import type { GuestEntry, GuestFiles } from '../types.js';
import { MappedSource } from './source.js';

const BATCH = 2000;

/** A file and its first bytes: fewer than asked for where the file is shorter. */
export interface FileHead {
  entry: GuestEntry;
  head: Buffer;
}

/** Files that cannot be read are left out. */
export async function* fileHeads(files: GuestFiles, entries: GuestEntry[], lengthBytes: number): AsyncGenerator<FileHead> {
  for (let from = 0; from < entries.length; from += BATCH) {
    const batch = entries.slice(from, from + BATCH);
    const maps = await files.map(batch.map(({ location }) => location));
    for (const [i, entry] of batch.entries()) {
      const map = maps[i];
      if (!map) continue;
      const source = new MappedSource(map);
      yield { entry, head: await source.read(0, Math.min(lengthBytes, map.sizeBytes)).finally(() => source.close()) };
    }
  }
}
