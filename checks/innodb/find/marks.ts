/** One walk over all names of a guest: what could belong to an InnoDB instance, and which other engines lie beside it. */
import { posix } from 'node:path';
import type { GuestEntry, GuestLocation } from '../../../src/types.js';

export interface Marks {
  /** Folders by what was seen in them; keys are `keyOf`. */
  system: Map<string, GuestLocation>;
  logs: Map<string, GuestLocation>;
  undo: Map<string, GuestLocation>;
  /** Folders of `mysql.ibd`, `aria_log_control`, or a `mysql` schema: data directories. */
  roots: Map<string, GuestLocation>;
  tables: GuestEntry[];
  linkFiles: GuestEntry[];
  configs: GuestEntry[];
  /** Folder (of the schema, or of the engine's own files) and engine. */
  others: { engine: string; folder: GuestLocation }[];
}

/** More tablespaces than this are counted by the static pass, not linked one by one here. */
const MAX_TABLES = 1_000_000;
const OTHER_ENGINES: [RegExp, string][] = [
  [/\.MYI$/, 'MyISAM'],
  [/\.MAI$/, 'Aria'],
  [/\.CSM$/, 'CSV'],
  [/\.ARZ$/, 'ARCHIVE'],
  [/^OPTIONS-\d{6}$/, 'MyRocks'],
  [/\.(ktd|tokudb)$/, 'TokuDB'],
];
const SYSTEM_SCHEMA = /^(user|db|global_priv|plugin|proc|func|servers)\.(frm|ibd|MYI|MAI)$/;

export function keyOf({ volume, path }: GuestLocation): string {
  return `${volume}:${path}`;
}

export function parentOf(location: GuestLocation): GuestLocation {
  return { volume: location.volume, path: posix.dirname(location.path) };
}

export function findMarks(entries: Iterable<GuestEntry>): Marks {
  const marks: Marks = { system: new Map(), logs: new Map(), undo: new Map(), roots: new Map(), tables: [], linkFiles: [], configs: [], others: [] };
  const otherKeys = new Set<string>();
  for (const entry of entries) if (entry.type === 'file') noteFile(marks, entry, otherKeys);
  return marks;
}

function noteFile(marks: Marks, entry: GuestEntry, otherKeys: Set<string>): void {
  const name = posix.basename(entry.location.path);
  const folder = parentOf(entry.location);
  const put = (map: Map<string, GuestLocation>, place: GuestLocation) => map.set(keyOf(place), place);
  if (name === 'ibdata1') put(marks.system, folder);
  else if (/^(ib_logfile\d+|#ib_redo\d+)$/.test(name)) put(marks.logs, folder);
  else if (/^undo_?\d{3}$/.test(name) || name.endsWith('.ibu')) put(marks.undo, folder);
  else if (name === 'aria_log_control' || name === 'mysql.ibd') put(marks.roots, folder);
  else if (name.endsWith('.isl')) marks.linkFiles.push(entry);
  else if (name.endsWith('.ibd') && marks.tables.length < MAX_TABLES) marks.tables.push(entry);
  else if (/^(my\.ini|.*\.cnf)$/.test(name) && name !== 'auto.cnf' && entry.sizeBytes < 1 << 20) marks.configs.push(entry);
  else noteOther(marks, folder, name, otherKeys);
  if (posix.basename(folder.path) === 'mysql' && SYSTEM_SCHEMA.test(name)) put(marks.roots, parentOf(folder));
}

function noteOther(marks: Marks, folder: GuestLocation, name: string, seen: Set<string>): void {
  const engine = OTHER_ENGINES.find(([pattern]) => pattern.test(name))?.[1];
  const key = `${engine} ${keyOf(folder)}`;
  if (!engine || seen.has(key)) return;
  if (engine === 'MyRocks' && posix.basename(folder.path) !== '#rocksdb') return;
  seen.add(key);
  marks.others.push({ engine, folder });
}
