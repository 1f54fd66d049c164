/** Finds Oracle databases by the first blocks of their files, whatever they are called: one instance per DBID. */
import { posix } from 'node:path';
import { fileHeads } from '../../src/bytes/file-heads.js';
import { MappedSource } from '../../src/bytes/source.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { ENGINE } from './applies.js';
import { PREFIX_BYTES, parsePrefix } from './format/file.js';
import { type FileFacts, identifyFile } from './identify.js';

const MIN_BYTES = 64 * 1024;

interface Found extends FileFacts {
  entry: GuestEntry;
}

export const oracleFinder: EngineFinder = {
  engine: ENGINE,
  async find(tree) {
    const byDatabase = new Map<number, Found[]>();
    for (const file of await oracleFiles(tree)) byDatabase.set(file.dbid, [...(byDatabase.get(file.dbid) ?? []), file]);
    return [...byDatabase.values()].flatMap(split).map(instance);
  },
};

async function oracleFiles(tree: GuestTree): Promise<Found[]> {
  const candidates = [...tree.entries()].filter(({ type, sizeBytes }) => type === 'file' && sizeBytes >= MIN_BYTES && sizeBytes % 512 === 0);
  const found: Found[] = [];
  for await (const { entry, head } of fileHeads(tree.files, candidates, PREFIX_BYTES)) {
    if (!parsePrefix(head)) continue;
    const [map] = await tree.files.map([entry.location]);
    if (!map) continue;
    const source = new MappedSource(map);
    const facts = await identifyFile(source).finally(() => source.close());
    if (facts) found.push({ ...facts, entry });
  }
  return found;
}

/** Copies (image copies, clones) bear the same DBID: where a file is there twice, each folder is a database of its own. */
function split(files: Found[]): Found[][] {
  const numbers = files.flatMap(({ role, data }) => (role === 'data' && data ? [data.file] : []));
  if (new Set(numbers).size === numbers.length) return [files];
  const folders = new Map<string, Found[]>();
  for (const file of files) folders.set(folderOf(file), [...(folders.get(folderOf(file)) ?? []), file]);
  return [...folders.values()];
}

function folderOf({ entry }: Found): string {
  return `${entry.location.volume}:${posix.dirname(entry.location.path)}`;
}

function instance(files: Found[]): DatabaseInstance {
  const order = (file: Found) => (file.role === 'data' ? (file.data?.file ?? 0) : file.role === 'control' ? 100_000 : 200_000);
  const sorted = [...files].sort((a, b) => order(a) - order(b) || (a.entry.location.path < b.entry.location.path ? -1 : 1));
  const [first, ...rest] = sorted as [Found, ...Found[]];
  const { location } = first.entry;
  const links = rest.map(({ role, entry }) => ({ what: role, target: entry.location.path, location: entry.location }));
  const countOf = (role: string) => files.filter((file) => file.role === role).length;
  const facts = { dbid: first.dbid, name: first.name || null, dataFiles: countOf('data'), redoLogs: countOf('redo'), controlFiles: countOf('control') };
  return { id: `${ENGINE} ${location.volume}:${location.path}`, engine: ENGINE, version: versionOf(first), location, links, facts };
}

function versionOf({ data, redo }: FileFacts): string | null {
  const compatible = data?.compatible ?? redo?.compatible ?? 0;
  return compatible > 0 ? `${compatible >>> 24}.${(compatible >>> 20) & 15}` : null;
}
