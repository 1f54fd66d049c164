/** Finds the data folders of Redis and Valkey anywhere in a guest: one instance per folder. */
import { posix } from 'node:path';
import { readGuestFile } from '../../src/bytes/read-file.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import type { DatabaseInstance, Facts, GuestEntry, GuestLocation } from '../../src/types.js';
import { parseConfig, type RedisConfig } from './config.js';
import { askServer } from './engine/run.js';
import { isNumberedPart, isRdbByName, manifestName, mayBeRdb, withMagic } from './files.js';

const CONFIG_NAME = /^(redis|valkey|sentinel)[^/]*\.conf$/i;
const CONFIG_BYTES = 256 * 1024;
const MAX_CONFIGS = 50;

interface Folder {
  location: GuestLocation;
  rdb: boolean;
  /** Folder with the manifest of a multi-part append-only file, or with its parts when the manifest is lost. */
  aofFolder: string | null;
  /** The append-only file of servers before version 7. */
  aofFile: string | null;
}

export const redisFinder: EngineFinder = {
  engine: 'redis',
  async find(tree) {
    const configs = await readConfigs(tree);
    const folders = await findFolders(tree, configs);
    return [...folders.values()].map((folder) => describe(folder, configs));
  },
  ask: askServer,
};

async function readConfigs(tree: GuestTree): Promise<RedisConfig[]> {
  const configs: RedisConfig[] = [];
  for (const { location, type } of tree.entries()) {
    if (configs.length >= MAX_CONFIGS) break;
    if (type !== 'file' || !(CONFIG_NAME.test(posix.basename(location.path)) || /\/(redis|valkey)\/[^/]*\.conf$/.test(location.path))) continue;
    const text = await readGuestFile(tree.files, location, CONFIG_BYTES);
    if (text) configs.push(parseConfig(text.toString('latin1')));
  }
  return configs.filter(({ dir }) => dir !== null);
}

async function findFolders(tree: GuestTree, configs: RedisConfig[]): Promise<Map<string, Folder>> {
  const folders = new Map<string, Folder>();
  const at = ({ volume, path }: GuestLocation): Folder => {
    const key = `${volume}:${path}`;
    const folder = folders.get(key) ?? { location: { volume, path }, rdb: false, aofFolder: null, aofFile: null };
    folders.set(key, folder);
    return folder;
  };
  const unsure: GuestEntry[] = [];
  const parts: GuestLocation[] = [];
  for (const entry of tree.entries()) {
    const { volume, path } = entry.location;
    if (entry.type !== 'file') continue;
    const [parent, name] = [posix.dirname(path), posix.basename(path)];
    const configured = configOf({ volume, path: parent }, configs)?.dbfilename ?? null;
    if (manifestName(name)) at({ volume, path: posix.dirname(parent) }).aofFolder = parent;
    else if (isNumberedPart(name)) parts.push({ volume, path: parent });
    else if (name === 'appendonly.aof' && posix.basename(parent) !== 'appendonlydir') at({ volume, path: parent }).aofFile = path;
    else if (isRdbByName(entry, configured)) at({ volume, path: parent }).rdb = true;
    else if (mayBeRdb(entry)) unsure.push(entry);
  }
  for (const { volume, path } of parts) at({ volume, path: posix.dirname(path) }).aofFolder ??= path;
  for (const { location } of await withMagic(tree.files, unsure)) at({ volume: location.volume, path: posix.dirname(location.path) }).rdb = true;
  await dropParts(tree, folders);
  return folders;
}

/** After an upgrade to version 7 the old file lies beside a manifest and belongs to it. */
async function dropParts(tree: GuestTree, folders: Map<string, Folder>): Promise<void> {
  for (const [key, folder] of folders) {
    if (folder.aofFile === null) continue;
    const beside = await tree.files.stat({ volume: folder.location.volume, path: `${folder.aofFile}.manifest` });
    if (!beside) continue;
    folder.aofFile = null;
    if (!folder.rdb && folder.aofFolder === null) folders.delete(key);
  }
}

/** The settings that name this folder; null when none or several do. A volume's own path may be the end of the guest's. */
function configOf({ path }: GuestLocation, configs: RedisConfig[]): RedisConfig | null {
  const fitting = configs.filter(({ dir }) => dir !== null && (posix.normalize(`${dir}/`) === posix.normalize(`${path}/`) || (dir ?? '').endsWith(path)));
  const exact = fitting.filter(({ dir }) => posix.normalize(`${dir}/`) === posix.normalize(`${path}/`));
  const chosen = exact.length > 0 ? exact : fitting;
  return chosen.length === 1 ? (chosen[0] ?? null) : null;
}

function describe(folder: Folder, configs: RedisConfig[]): DatabaseInstance {
  const { location, rdb, aofFolder, aofFile } = folder;
  const config = configOf(location, configs);
  const facts: Facts = {
    rdb,
    appendOnlyFolder: aofFolder,
    appendOnlyFile: aofFile,
    configuredAppendOnly: config?.appendonly ?? null,
    configuredFile: config?.dbfilename ?? null,
    loadTruncated: config?.aofLoadTruncated ?? null,
  };
  return { id: `redis ${location.volume}:${location.path}`, engine: 'redis', version: null, location, links: [], facts };
}
