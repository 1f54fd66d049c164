/** Finds registry hives anywhere in a guest by their first bytes, and the logs beside them by name. */
import { posix } from 'node:path';
import { fileHeads } from '../../src/bytes/file-heads.js';
import type { EngineFinder } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { ENGINE } from './applies.js';
import { parseBaseBlock, SIGNATURE } from './format/base-block.js';

const HEAD_BYTES = 512;
/** Hives of the system and of users: these must not be missed when their first sector is damaged. */
export const WELL_KNOWN =
  /\/system32\/config\/(system|software|sam|security|default|components|drivers|bbi|elam)$|\/(ntuser\.dat|usrclass\.dat|bcd|amcache\.hve)$/i;
const LOG_NAME = /\.log[12]?$/i;

export const registryFinder: EngineFinder = {
  engine: ENGINE,
  async find(tree) {
    const entries = [...tree.entries()].filter(({ type }) => type === 'file');
    const candidates = entries.filter(isCandidate);
    const logs = logsByHive(entries);
    const found: DatabaseInstance[] = [];
    for await (const { entry, head } of fileHeads(tree.files, candidates, HEAD_BYTES)) {
      if (isHive(entry, head)) found.push(instance(entry, logs.get(keyOf(entry.location.volume, entry.location.path)) ?? []));
    }
    return found;
  },
};

function isCandidate({ sizeBytes, location }: GuestEntry): boolean {
  if (sizeBytes < 8192 || LOG_NAME.test(location.path)) return sizeBytes > 0 && WELL_KNOWN.test(location.path);
  return sizeBytes % 4096 === 0 || WELL_KNOWN.test(location.path);
}

/** Well-known hives count also with a damaged first sector, except that other things are called BCD too. */
function isHive({ location }: GuestEntry, head: Buffer): boolean {
  const marked = head.length >= HEAD_BYTES && head.toString('latin1', 0, 4) === SIGNATURE;
  const known = WELL_KNOWN.test(location.path);
  return marked ? known || parseBaseBlock(head).type === 0 : known && !/bcd$/i.test(location.path);
}

/** Windows names do not tell upper from lower case. */
function keyOf(volume: string, path: string): string {
  return `${volume}:${path.toLowerCase()}`;
}

function logsByHive(entries: GuestEntry[]): Map<string, GuestEntry[]> {
  const logs = new Map<string, GuestEntry[]>();
  for (const entry of entries) {
    if (!LOG_NAME.test(entry.location.path)) continue;
    const key = keyOf(entry.location.volume, entry.location.path.replace(LOG_NAME, ''));
    logs.set(key, [...(logs.get(key) ?? []), entry]);
  }
  return logs;
}

function instance({ location, sizeBytes }: GuestEntry, logs: GuestEntry[]): DatabaseInstance {
  const links = logs.map((log) => ({ what: 'log', target: posix.basename(log.location.path), location: log.location }));
  return { id: `${ENGINE} ${location.volume}:${location.path}`, engine: ENGINE, version: null, location, links, facts: { sizeBytes, logs: links.length } };
}
