/** Where the files of one cluster lie: relations, tablespaces, log segments, and the marks of backups and standbys. */
import { posix } from 'node:path';
import { MappedSource } from '../../src/bytes/source.js';
import type { DatabaseInstance, GuestEntry, GuestFiles, GuestLocation } from '../../src/types.js';
import { type Fork, parseRelationName } from './format/names.js';

export interface RelationEntry {
  location: GuestLocation;
  /** As the administrator knows it: relative to the data directory, `pg_tblspc/16400/PG_15_.../5/16401`. */
  path: string;
  sizeBytes: number;
  tablespace: number;
  database: number;
  relation: number;
  fork: Fork;
  segment: number;
  temporary: boolean;
}

export interface RelationFiles {
  entries: RelationEntry[];
  /** Oids of the tablespaces that pg_tblspc names. */
  tablespaces: number[];
  /** Tablespaces whose files are not in the restore point. */
  missingTablespaces: string[];
}

const DEFAULT_TABLESPACE = 1663;
const GLOBAL_TABLESPACE = 1664;
/** More files than this are not looked at: no real cluster has them. */
const MAX_FILES = 2_000_000;

export function inside(folder: GuestLocation, path: string): GuestLocation {
  return { volume: folder.volume, path: posix.join(folder.path, path) };
}

/**
 * Where `name` (`pg_wal`, `pg_tblspc/16400`) of the data directory really is, links followed; null when that is not in the restore point.
 * `instance.links` with the same `what` decides where the guest's own tree cannot say (a link to another disk).
 */
export async function resolvePart(files: GuestFiles, instance: DatabaseInstance, name: string): Promise<GuestLocation | null> {
  const link = instance.links.find((candidate) => candidate.what === name);
  if (link?.location) return link.location;
  return files.resolve(inside(instance.location, name));
}

/** The bytes of a small file of the data directory, at most `maxBytes`; null when there is none. */
export async function readSmallFile(files: GuestFiles, location: GuestLocation, maxBytes: number): Promise<Buffer | null> {
  const [map] = await files.map([location]);
  if (!map) return null;
  const source = new MappedSource(map);
  try {
    return await source.read(0, Math.min(map.sizeBytes, maxBytes));
  } finally {
    await source.close();
  }
}

export async function listRelations(files: GuestFiles, instance: DatabaseInstance): Promise<RelationFiles> {
  const found: RelationFiles = { entries: [], tablespaces: [], missingTablespaces: [] };
  const data = instance.location;
  collect(found, await files.list(inside(data, 'global')), GLOBAL_TABLESPACE, 0, 'global');
  await collectDatabases(files, found, inside(data, 'base'), DEFAULT_TABLESPACE, 'base');
  for (const link of await files.list(inside(data, 'pg_tblspc'))) {
    const oid = posix.basename(link.location.path);
    if (!/^\d{1,10}$/.test(oid)) continue;
    found.tablespaces.push(Number(oid));
    const folder = await resolvePart(files, instance, `pg_tblspc/${oid}`);
    if (folder) await collectTablespace(files, found, folder, Number(oid));
    else found.missingTablespaces.push(`pg_tblspc/${oid} -> ${link.target ?? '?'}`);
  }
  return found;
}

/** A tablespace holds one folder per major version and catalogue version. */
async function collectTablespace(files: GuestFiles, found: RelationFiles, folder: GuestLocation, oid: number): Promise<void> {
  for (const version of await files.list(folder)) {
    const name = posix.basename(version.location.path);
    if (version.type === 'directory' && /^PG_\d+_\d+$/.test(name)) await collectDatabases(files, found, version.location, oid, `pg_tblspc/${oid}/${name}`);
  }
}

async function collectDatabases(files: GuestFiles, found: RelationFiles, folder: GuestLocation, tablespace: number, shown: string): Promise<void> {
  const all = await files.list(folder, { recursive: true });
  const byFolder = new Map<string, GuestEntry[]>();
  for (const entry of all) {
    const parent = posix.dirname(entry.location.path);
    const list = byFolder.get(parent);
    if (list) list.push(entry);
    else byFolder.set(parent, [entry]);
  }
  for (const database of byFolder.get(folder.path) ?? []) {
    const oid = posix.basename(database.location.path);
    if (database.type !== 'directory' || !/^\d{1,10}$/.test(oid)) continue;
    collect(found, byFolder.get(database.location.path) ?? [], tablespace, Number(oid), `${shown}/${oid}`);
  }
}

function collect(found: RelationFiles, entries: GuestEntry[], tablespace: number, database: number, shown: string): void {
  for (const { location, type, sizeBytes } of entries) {
    const name = posix.basename(location.path);
    const parsed = type === 'file' ? parseRelationName(name) : null;
    if (!parsed || found.entries.length >= MAX_FILES) continue;
    found.entries.push({ location, path: `${shown}/${name}`, sizeBytes, tablespace, database, ...parsed });
  }
}
