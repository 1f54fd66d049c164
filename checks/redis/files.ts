/** Which files of a guest belong to Redis or Valkey. A server names its files freely, so most are known by their first bytes. */
import { posix } from 'node:path';
import { MappedSource } from '../../src/bytes/source.js';
import type { GuestEntry, GuestFiles, GuestLocation } from '../../src/types.js';
import { RDB_MAGIC_BYTES, rdbVersion } from './format/rdb.js';

/** What a server writes before it renames it: unfinished, and never loaded. */
const UNFINISHED = /^temp-/;
const LIKELY_FOLDER = /redis|valkey/i;
/** Files are mapped in batches: one call to the appliance each. */
const BATCH = 1000;

export const manifestName = (name: string): boolean => name.endsWith('.aof.manifest') && !UNFINISHED.test(name);

/** Files that are RDB files by their name alone: they are judged even when their first bytes are lost. */
export function isRdbByName(entry: GuestEntry, configured: string | null): boolean {
  const name = posix.basename(entry.location.path);
  if (entry.type !== 'file') return false;
  if (name === 'dump.rdb' || (configured !== null && name === posix.basename(configured))) return true;
  return /\.rdb$/i.test(name) && LIKELY_FOLDER.test(entry.location.path) && !UNFINISHED.test(name) && !isPart(name);
}

/** Files whose first bytes are worth a look. */
export function mayBeRdb(entry: GuestEntry): boolean {
  const name = posix.basename(entry.location.path);
  if (entry.type !== 'file' || entry.sizeBytes < RDB_MAGIC_BYTES || UNFINISHED.test(name) || isPart(name)) return false;
  return /\.rdb$/i.test(name) || LIKELY_FOLDER.test(posix.dirname(entry.location.path));
}

/** A file of a multi-part append-only file by the name that a server gives it: judged with its manifest. */
export function isNumberedPart(name: string): boolean {
  return /\.\d+\.(base|incr)\.(rdb|aof)$/.test(name) && !UNFINISHED.test(name);
}

function isPart(name: string): boolean {
  return isNumberedPart(name) || name.endsWith('.aof');
}

/** A manifest that is being written: it gets its name when it is whole. */
export const isUnfinishedManifest = (name: string): boolean => name.endsWith('.aof.manifest') && UNFINISHED.test(name);

/** Those of the entries whose first bytes are an RDB file's. */
export async function withMagic(files: GuestFiles, entries: GuestEntry[]): Promise<GuestEntry[]> {
  const found: GuestEntry[] = [];
  for (let from = 0; from < entries.length; from += BATCH) {
    const part = entries.slice(from, from + BATCH);
    const maps = await files.map(part.map(({ location }) => location));
    for (const [i, entry] of part.entries()) {
      const map = maps[i];
      if (!map || map.sizeBytes < RDB_MAGIC_BYTES) continue;
      const source = new MappedSource(map);
      const head = await source.read(0, RDB_MAGIC_BYTES).finally(() => source.close());
      if (rdbVersion(head)) found.push(entry);
    }
  }
  return found;
}

/** The RDB files of a data folder, by name or by magic, in the order of their paths. */
export async function rdbFilesOf(files: GuestFiles, folder: GuestLocation, configured: string | null): Promise<GuestEntry[]> {
  const entries = await files.list(folder);
  const named = entries.filter((entry) => isRdbByName(entry, configured));
  const known = new Set(named);
  const others = entries.filter((entry) => !known.has(entry) && mayBeRdb(entry));
  const all = [...named, ...(await withMagic(files, others))];
  return all.sort((a, b) => (a.location.path < b.location.path ? -1 : 1));
}
