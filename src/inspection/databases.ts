/** The databases of a guest, found by their files anywhere in its tree, and the engines no check can judge. */
import { posix } from 'node:path';
import type { EngineFinder, GuestTree } from '../check.js';
import type { DatabaseInstance, GuestEntry, GuestLocation, UntestedItem } from '../types.js';

/** Files that give an engine away by their name. Each stands in a folder of the engine's own. */
const MARKS: { engine: string; name: RegExp }[] = [
  { engine: 'Cassandra', name: /^.*-big-Data\.db$/ },
  { engine: 'InfluxDB', name: /^.*\.tsm$/ },
  { engine: 'IBM Db2', name: /^SQLOGCTL\.LFH/i },
  { engine: 'ClickHouse', name: /^data\.cmrk[23]?$/ },
  { engine: 'Neo4j', name: /^neostore$/ },
];

export async function findDatabases(tree: GuestTree, finders: EngineFinder[]): Promise<DatabaseInstance[]> {
  const found = await Promise.all(finders.map((finder) => finder.find(tree)));
  return found.flat().sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** One entry per engine and folder. */
export function findUnjudged(entries: Iterable<GuestEntry>): { engine: string; location: GuestLocation }[] {
  const found = new Map<string, { engine: string; location: GuestLocation }>();
  for (const entry of entries) {
    if (entry.type !== 'file' || entry.sizeBytes === 0) continue;
    const name = posix.basename(entry.location.path);
    const mark = MARKS.find((candidate) => candidate.name.test(name));
    if (!mark) continue;
    const location = { volume: entry.location.volume, path: posix.dirname(entry.location.path) };
    found.set(`${mark.engine}:${location.volume}:${location.path}`, { engine: mark.engine, location });
  }
  return [...found.values()];
}

export function untestedEngines(unjudged: { engine: string; location: GuestLocation }[]): UntestedItem[] {
  return unjudged.map(({ engine, location }) => ({
    what: `${engine} in ${location.path} on ${location.volume}`,
    why: 'it was recognised by its files, and there is no check for this engine yet',
    holdsData: true,
  }));
}
