/** Puts the parts together: a data directory, and what of it lies in other folders or on other disks. */
import { posix } from 'node:path';
import { readGuestFile } from '../../../src/bytes/read-file.js';
import type { DatabaseInstance, GuestEntry, GuestFiles, GuestLocation } from '../../../src/types.js';
import { keyOf, type Marks, parentOf } from './marks.js';
import { matchPath, type SettingKey, type Settings } from './settings.js';

export interface Draft {
  location: GuestLocation;
  links: DatabaseInstance['links'];
  /** `directory`; `tables` are tablespaces without an instance; `part` is a system tablespace or a log alone. */
  kind: 'directory' | 'tables' | 'part';
}

type PartKind = 'system' | 'logs' | 'undo';
const PART_LINK: Record<PartKind, { what: string; setting: SettingKey }> = {
  system: { what: 'innodb_data_home_dir', setting: 'innodb_data_home_dir' },
  logs: { what: 'innodb_log_group_home_dir', setting: 'innodb_log_group_home_dir' },
  undo: { what: 'innodb_undo_directory', setting: 'innodb_undo_directory' },
};

export async function pairUp(files: GuestFiles, marks: Marks, settings: Settings): Promise<Draft[]> {
  const drafts = dataDirectories(marks);
  for (const part of ['system', 'logs', 'undo'] as const) joinPart(drafts, marks, part, settings);
  drafts.push(...leftOver(drafts, marks));
  await joinLinkFiles(files, drafts, marks);
  joinTables(drafts, marks);
  return drafts;
}

/** Data directories by their schemas; a folder with a system tablespace of its own is one too, unless it is part of another. */
function dataDirectories(marks: Marks): Draft[] {
  const folders = new Map(marks.roots);
  for (const entry of marks.tables) {
    const folder = parentOf(parentOf(entry.location));
    if (marks.system.has(keyOf(folder)) || marks.logs.has(keyOf(folder))) folders.set(keyOf(folder), folder);
  }
  return [...folders.values()].map((location) => ({ location, links: [], kind: 'directory' }));
}

/** Where a part lies inside the data directory itself: MySQL 8.0.30 and later keep the log in a folder of its own. */
function ownPlace(draft: Draft, marks: Marks, part: PartKind): boolean {
  const { volume, path } = draft.location;
  return marks[part].has(keyOf(draft.location)) || (part === 'logs' && marks.logs.has(keyOf({ volume, path: posix.join(path, '#innodb_redo') })));
}

function joinPart(drafts: Draft[], marks: Marks, part: PartKind, settings: Settings): void {
  const { what, setting } = PART_LINK[part];
  const lacking = drafts.filter((draft) => !ownPlace(draft, marks, part));
  const free = new Set(unclaimed(drafts, marks[part].values()).map((location) => ({ location })));
  for (const draft of lacking) {
    const stated = settings[setting].map((target) => ({ target, found: matchPath(target, free) ?? matchPath(`${target}/#innodb_redo`, free) }));
    const hit = stated.find(({ found }) => found);
    const alone = lacking.length === 1 && free.size === 1 ? [...free][0] : undefined;
    const chosen = hit?.found ?? alone ?? null;
    if (chosen) free.delete(chosen);
    const location = chosen?.location ?? null;
    if (location) draft.links.push({ what, target: hit?.target ?? location.path, location });
    else if (stated[0] && drafts.length === 1) draft.links.push({ what, target: stated[0].target, location: null });
  }
}

/** Folders that are neither inside a data directory nor already a part of one. */
function unclaimed(drafts: Draft[], folders: Iterable<GuestLocation>): GuestLocation[] {
  const taken = new Map<string, Draft>();
  for (const draft of drafts) {
    taken.set(keyOf(draft.location), draft);
    for (const { location } of draft.links) if (location) taken.set(keyOf(location), draft);
  }
  return [...folders].filter((folder) => ownerOf(taken, folder) === null);
}

/** What is kept for the nearest folder above a place (or the place itself): by its parents, not by trying every folder there is. */
function ownerOf(byFolder: Map<string, Draft>, place: GuestLocation): Draft | null {
  for (let { path } = place; ; path = posix.dirname(path)) {
    const owner = byFolder.get(keyOf({ volume: place.volume, path }));
    if (owner || path === '/' || path === '.') return owner ?? null;
  }
}

function byLocation(drafts: Draft[]): Map<string, Draft> {
  return new Map(drafts.map((draft) => [keyOf(draft.location), draft]));
}

function leftOver(drafts: Draft[], marks: Marks): Draft[] {
  const added = new Map<string, Draft>();
  for (const folder of unclaimed(drafts, [...marks.system.values(), ...marks.logs.values()])) {
    const location = posix.basename(folder.path) === '#innodb_redo' ? parentOf(folder) : folder;
    added.set(keyOf(location), { location, links: [], kind: 'part' });
  }
  return [...added.values()];
}

/** DATA DIRECTORY in MariaDB and MySQL 5.7: a file `t.isl` beside the others holds the path of `t.ibd`. */
async function joinLinkFiles(files: GuestFiles, drafts: Draft[], marks: Marks): Promise<void> {
  if (marks.linkFiles.length === 0) return;
  await files.map(marks.linkFiles.map((entry) => entry.location)); // one question instead of one per file
  const owners = byLocation(drafts);
  for (const entry of marks.linkFiles) {
    const draft = ownerOf(owners, entry.location);
    const text = draft && (await readGuestFile(files, entry.location, 4096));
    const target = text?.toString('utf8').split(/[\0\r\n]/)[0] ?? '';
    if (!draft || !target) continue;
    const what = posix.relative(draft.location.path, entry.location.path).replace(/\.isl$/, '.ibd');
    draft.links.push({ what, target, location: matchPath(target, marks.tables)?.location ?? null });
  }
}

/** Tablespaces outside every instance: MySQL 8 leaves no link file, so that only the name of the schema tells where they belong. */
function joinTables(drafts: Draft[], marks: Marks): void {
  const known = new Set(drafts.flatMap((draft) => draft.links.flatMap((link) => (link.location ? [keyOf(link.location)] : []))));
  const schemas = schemasOf(drafts, marks);
  const orphans = new Map<string, Draft>();
  const inside = byLocation(drafts);
  for (const entry of marks.tables) {
    if (known.has(keyOf(entry.location)) || ownerOf(inside, entry.location)) continue;
    const schema = posix.basename(posix.dirname(entry.location.path));
    const owners = schemas.get(schema) ?? [];
    if (owners.length === 1) owners[0]?.links.push(linkTo(entry, schema));
    else addOrphan(orphans, entry);
  }
  drafts.push(...orphans.values());
}

function schemasOf(drafts: Draft[], marks: Marks): Map<string, Draft[]> {
  const schemas = new Map<string, Draft[]>();
  const owners = byLocation(drafts);
  const folders = [...marks.tables.map((entry) => parentOf(entry.location)), ...marks.others.map(({ folder }) => folder)];
  for (const folder of new Map(folders.map((place) => [keyOf(place), place])).values()) {
    const draft = owners.get(keyOf(parentOf(folder)));
    const name = posix.basename(folder.path);
    if (draft?.kind === 'directory') schemas.set(name, [...(schemas.get(name) ?? []), draft]);
  }
  return schemas;
}

function linkTo(entry: GuestEntry, schema: string): DatabaseInstance['links'][number] {
  return { what: `${schema}/${posix.basename(entry.location.path)}`, target: entry.location.path, location: entry.location };
}

function addOrphan(orphans: Map<string, Draft>, entry: GuestEntry): void {
  const folder = parentOf(entry.location);
  if (!orphans.has(keyOf(folder))) orphans.set(keyOf(folder), { location: folder, links: [], kind: 'tables' });
}

export function isWithin(folder: GuestLocation, place: GuestLocation): boolean {
  if (folder.volume !== place.volume) return false;
  return place.path === folder.path || place.path.startsWith(folder.path === '/' ? '/' : `${folder.path}/`);
}
