/** Which files of a data folder a server loads: as its settings say where they were found, else as the files tell. */
import { posix } from 'node:path';
import { readGuestFile } from '../../../src/bytes/read-file.js';
import { MappedSource } from '../../../src/bytes/source.js';
import { FormatError } from '../../../src/errors.js';
import type { DatabaseInstance, GuestEntry, GuestFiles, GuestLocation } from '../../../src/types.js';
import { manifestName, rdbFilesOf } from '../files.js';
import { parseManifest } from '../format/manifest.js';
import { readRdbHead } from '../format/rdb.js';

/** Names are plain file names: no path of the guest reaches the server's options. Plain JSON. */
export type ToLoad =
  | { kind: 'rdb'; file: string }
  /** `folder` null: the single file of servers before version 7. */
  | { kind: 'aof'; folder: string | null; file: string; loadTruncated: boolean };

export interface Choice {
  load: ToLoad;
  /** Who wrote the files; null where nothing tells (an append-only file without an RDB part). */
  writer: Writer | null;
  /** The settings ask for something that is not there: what a server so set would do. */
  warning: string | null;
}

export interface Writer {
  family: 'redis' | 'valkey';
  /** `7.0.15`. */
  version: string;
}

const MANIFEST_BYTES = 1024 * 1024;
/** Of files that are named to the server: nothing that could be an option or a path. */
const PLAIN_NAME = /^[A-Za-z0-9_.@][A-Za-z0-9_.@ +:-]{0,200}$/;
const STARTS_EMPTY = 'A server so set starts empty, whatever the RDB file holds; here the RDB file was loaded.';

/** The choice, or the words that say why there is none. */
export async function whatToLoad(instance: DatabaseInstance, files: GuestFiles): Promise<Choice | string> {
  const choice = await choose(instance, files);
  if (typeof choice === 'string') return choice;
  const names = [choice.load.file, ...(choice.load.kind === 'aof' && choice.load.folder !== null ? [choice.load.folder] : [])];
  const odd = names.find((name) => !PLAIN_NAME.test(name));
  return odd === undefined ? choice : `a file has a name that is not given to a server as an option (${odd.slice(0, 80)})`;
}

async function choose(instance: DatabaseInstance, files: GuestFiles): Promise<Choice | string> {
  const { facts } = instance;
  const appendOnly = facts.configuredAppendOnly;
  const hasAof = facts.appendOnlyFolder !== null || facts.appendOnlyFile !== null;
  if (hasAof && !(appendOnly === 'no' && facts.rdb)) return aofOf(instance, files);
  const warning = appendOnly === 'yes' ? `Its settings say "appendonly yes", and there is no append-only file. ${STARTS_EMPTY}` : null;
  return rdbOf(instance, files, warning);
}

async function rdbOf({ location, facts }: DatabaseInstance, files: GuestFiles, warning: string | null): Promise<Choice | string> {
  const configured = typeof facts.configuredFile === 'string' ? facts.configuredFile : null;
  const found = await rdbFilesOf(files, location, configured);
  const named = (name: string) => found.find((entry) => nameOf(entry) === name);
  const chosen = (configured && named(posix.basename(configured))) || named('dump.rdb') || (found.length === 1 ? found[0] : undefined);
  if (!chosen) return found.length === 0 ? 'there is no RDB file' : `there are ${found.length} RDB files, and no setting says which of them is loaded`;
  return { load: { kind: 'rdb', file: nameOf(chosen) }, writer: await writerOf(files, [chosen.location]), warning };
}

async function aofOf({ location, facts }: DatabaseInstance, files: GuestFiles): Promise<Choice | string> {
  const loadTruncated = facts.loadTruncated !== 'no';
  if (typeof facts.appendOnlyFolder !== 'string') {
    const path = String(facts.appendOnlyFile);
    const writer = await writerOf(files, [{ volume: location.volume, path }]);
    return { load: { kind: 'aof', folder: null, file: posix.basename(path), loadTruncated }, writer, warning: null };
  }
  const folder = { volume: location.volume, path: facts.appendOnlyFolder };
  const manifests = (await files.list(folder)).filter((entry) => entry.type === 'file' && manifestName(nameOf(entry)));
  const [manifest, ...others] = manifests;
  if (!manifest || others.length > 0) return `there are ${manifests.length} manifests of append-only files in ${folder.path}, where one was expected`;
  const file = nameOf(manifest).replace(/\.manifest$/, '');
  const writer = await writerOf(files, await baseFiles(files, manifest.location));
  return { load: { kind: 'aof', folder: posix.basename(folder.path), file, loadTruncated }, writer, warning: null };
}

/** What an unreadable manifest names is nothing: the server will say what is wrong with it. */
async function baseFiles(files: GuestFiles, manifest: GuestLocation): Promise<GuestLocation[]> {
  const text = await readGuestFile(files, manifest, MANIFEST_BYTES);
  try {
    const named = parseManifest(text?.toString('latin1') ?? '');
    const base = named.filter(({ type }) => type === 'base').slice(0, 1);
    return base.map(({ name }) => ({ volume: manifest.volume, path: posix.join(posix.dirname(manifest.path), name) }));
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

async function writerOf(files: GuestFiles, places: GuestLocation[]): Promise<Writer | null> {
  for (const map of await files.map(places)) {
    if (!map) continue;
    const source = new MappedSource(map);
    const head = await readRdbHead(source).finally(() => source.close());
    const version = head?.notes['valkey-ver'] ?? head?.notes['redis-ver'];
    if (head && version !== undefined && /^\d{1,3}(\.\d{1,5}){0,3}$/.test(version))
      return { family: head.family === 'valkey' || head.notes['valkey-ver'] !== undefined ? 'valkey' : 'redis', version };
  }
  return null;
}

function nameOf({ location }: GuestEntry): string {
  return posix.basename(location.path);
}
