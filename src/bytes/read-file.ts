/** Reading one guest file whole, or its beginning, with a limit: a guest decides how long its files are, not how much we read. */
import type { GuestFiles, GuestLocation } from '../types.js';
import { MappedSource } from './source.js';

/** The first bytes of a file, links followed inside the guest; null when there is no such file. */
export async function readGuestFile(files: GuestFiles, location: GuestLocation, maxBytes: number): Promise<Buffer | null> {
  const place = await files.resolve(location);
  const [map] = place ? await files.map([place]) : [];
  if (!map) return null;
  const source = new MappedSource(map);
  return source.read(0, Math.min(maxBytes, map.sizeBytes)).finally(() => source.close());
}
