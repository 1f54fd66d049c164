/** The tablespace files of one instance, wherever they lie. */
import { posix } from 'node:path';
import type { DatabaseInstance, GuestEntry, GuestFiles, GuestLocation } from '../../../src/types.js';
import { partFolder } from '../find/describe.js';

export interface SpaceFile {
  location: GuestLocation;
  /** As the administrator knows it: relative to the data directory, `shop/orders.ibd`. */
  path: string;
  sizeBytes: number;
  kind: 'system' | 'undo' | 'table';
}

export interface FileList {
  files: SpaceFile[];
  /** Links whose target is not in the restore point. */
  missingLinks: string[];
  /** There were more files than are looked at. */
  tooMany: boolean;
}

const MAX_FILES = 1_000_000;
/** Made anew at every start. */
const TEMPORARY = /(^|\/)(ibtmp\d+|#innodb_temp\/.*|temp_\d+\.ibt|#sql-temptable[^/]*\.ibd)$/;

export async function listSpaceFiles(files: GuestFiles, instance: DatabaseInstance): Promise<FileList> {
  const list: FileList = { files: [], missingLinks: [], tooMany: false };
  const entries = await files.list(instance.location, { recursive: true });
  const nested = nestedInstances(entries, instance.location.path);
  for (const entry of entries) {
    const path = posix.relative(instance.location.path, entry.location.path);
    if (nested.some((folder) => path.startsWith(`${folder}/`))) continue;
    add(list, entry, path);
  }
  for (const part of ['innodb_data_home_dir', 'innodb_undo_directory']) await addPart(files, instance, part, list);
  for (const link of instance.links) await addLink(files, link, list);
  list.files.sort(byKindAndNumber);
  return list;
}

/** A folder below with a system tablespace of its own is another instance: a backup, a copy. */
function nestedInstances(entries: GuestEntry[], root: string): string[] {
  const paths = entries
    .filter((entry) => posix.basename(entry.location.path) === 'ibdata1')
    .map((entry) => posix.relative(root, posix.dirname(entry.location.path)));
  return paths.filter((path) => path !== '');
}

function add(list: FileList, entry: GuestEntry, path: string): void {
  const kind = kindOf(path);
  if (entry.type !== 'file' || kind === null || TEMPORARY.test(path)) return;
  if (list.files.length >= MAX_FILES) list.tooMany = true;
  else list.files.push({ location: entry.location, path, sizeBytes: entry.sizeBytes, kind });
}

function kindOf(path: string): SpaceFile['kind'] | null {
  const name = posix.basename(path);
  if (/^ibdata\d+$/.test(name)) return 'system';
  if (/^undo_?\d{3}$/.test(name) || name.endsWith('.ibu')) return 'undo';
  return name.endsWith('.ibd') ? 'table' : null;
}

/** Parts that lie in other folders. Not below the data directory: those were met already. */
async function addPart(files: GuestFiles, instance: DatabaseInstance, what: string, list: FileList): Promise<void> {
  const folder = partFolder(instance, what);
  if (!folder) list.missingLinks.push(what);
  else if (folder !== instance.location) for (const entry of await files.list(folder)) add(list, entry, `${what}/${posix.basename(entry.location.path)}`);
}

async function addLink(files: GuestFiles, link: DatabaseInstance['links'][number], list: FileList): Promise<void> {
  if (!link.what.endsWith('.ibd')) return;
  const entry = link.location && (await files.stat(link.location));
  if (entry) add(list, entry, link.what);
  else list.missingLinks.push(`${link.what} -> ${link.target}`);
}

function byKindAndNumber(one: SpaceFile, other: SpaceFile): number {
  if (one.kind !== other.kind) return one.kind < other.kind ? -1 : 1;
  const number = (file: SpaceFile) => (file.kind === 'system' ? Number(/\d+$/.exec(file.path)?.[0]) : 0);
  return number(one) - number(other) || (one.path < other.path ? -1 : 1);
}
