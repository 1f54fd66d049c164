/**
 * PostgreSQL's settings: "Server Configuration" of its documentation, and Debian's clusters (pg_createcluster(1)): each has a folder of its own
 * below /etc/postgresql, and `start.conf` says whether it starts by itself.
 */
import { posix } from 'node:path';
import { linesWithIncludes } from '../includes.js';
import { addressOf, atEach, type Daemon, type Offer } from '../offer.js';
import type { GuestReader } from '../reader.js';
import { settingLines } from '../text.js';

export const postgresql: Daemon = {
  units: /^postgresql([-@].*)?$/,
  async offers(reader, unit) {
    const cluster = /^postgresql@(\d+)-([^/]+)$/.exec(unit);
    const folders = cluster ? [`/etc/postgresql/${cluster[1]}/${cluster[2]}`] : await clusterFolders(reader);
    const own = await Promise.all(folders.map((folder) => clusterOffers(reader, folder, cluster !== null)));
    if (folders.length > 0) return own.flat();
    const version = /^postgresql-(\d+)/.exec(unit)?.[1];
    const data = version ? [`/var/lib/pgsql/${version}/data`] : ['/var/lib/pgsql/data', '/var/lib/postgres/data', '/var/lib/postgresql/data'];
    const found = await reader.first(data.map((folder) => `${folder}/postgresql.conf`));
    return found ? settingsOffers(reader, found.path) : [];
  },
};

async function clusterFolders(reader: GuestReader): Promise<string[]> {
  const files = await reader.glob('/etc/postgresql/*/*/postgresql.conf');
  return files.map((path) => posix.dirname(path));
}

/** @param asked the cluster has a unit of its own, so it starts whatever its own file says */
async function clusterOffers(reader: GuestReader, folder: string, asked: boolean): Promise<Offer[]> {
  const start = settingLines((await reader.text(`${folder}/start.conf`)) ?? '')[0] ?? 'auto';
  if (!asked && start !== 'auto') return [];
  return (await reader.text(`${folder}/postgresql.conf`)) === null ? [] : settingsOffers(reader, `${folder}/postgresql.conf`);
}

/** The last value of each counts; what `ALTER SYSTEM` wrote comes after all. */
async function settingsOffers(reader: GuestReader, path: string): Promise<Offer[]> {
  const settings = await settingsOf(reader, path);
  const automatic = await settingsOf(reader, posix.join(settings.get('data_directory') ?? posix.dirname(path), 'postgresql.auto.conf'));
  const value = (name: string) => automatic.get(name) ?? settings.get(name);
  const addresses = (value('listen_addresses') ?? 'localhost').split(',').map((text) => text.trim());
  return atEach('postgresql', Number(value('port') ?? 5432), addresses.filter(Boolean).map(addressOf), path);
}

async function settingsOf(reader: GuestReader, path: string): Promise<Map<string, string>> {
  const lines = await linesWithIncludes(reader, path, (line, file) => {
    const [key, value] = setting(line);
    if (!/^include(_dir|_if_exists)?$/.test(key)) return null;
    const target = posix.resolve(posix.dirname(file), value);
    return [key === 'include_dir' ? `${target}/*.conf` : target];
  });
  return new Map(lines.map(({ line }) => setting(line)));
}

/** `key = value`, `key value`, with the value in quotes or not. */
function setting(line: string): [key: string, value: string] {
  const match = /^([\w.]+)\s*[=\s]\s*(?:'((?:[^']|'')*)'|([^\s#]*))/.exec(line);
  return [match?.[1]?.toLowerCase() ?? '', match?.[2]?.replaceAll("''", "'") ?? match?.[3] ?? ''];
}
