/** Option files of MariaDB and MySQL ("Using Option Files"): groups, includes, dashes and underscores alike; the last value counts. */
import { posix } from 'node:path';
import { linesWithIncludes } from '../includes.js';
import { addressOf, atEach, type Daemon } from '../offer.js';
import type { GuestReader } from '../reader.js';

const PATHS = ['/etc/my.cnf', '/etc/mysql/my.cnf', '/usr/etc/my.cnf'];
const GROUP = /^(mysqld|server|mariadb|mariadbd|mysqld-\d+\.\d+|mariadb-\d+(\.\d+)?)$/;

export const mysql: Daemon = {
  units: /^(mysql|mysqld|mariadb|mariadbd)(@.*)?$/,
  async offers(reader) {
    const options = new Map<string, string>();
    for (const path of PATHS) for (const [key, value] of await optionsOf(reader, path)) options.set(key, value);
    const switched = options.get('skip-networking');
    if (switched !== undefined && !/^(0|off|false)$/i.test(switched)) return [];
    const from = (await reader.first(PATHS))?.path ?? PATHS[0] ?? '';
    const addresses = (options.get('bind-address') ?? '*').split(',').map((text) => addressOf(text.trim()));
    return atEach('mysql', Number(options.get('port') ?? 3306), addresses, from);
  },
};

async function optionsOf(reader: GuestReader, path: string): Promise<[key: string, value: string][]> {
  /** The group that was opened last, by file. */
  const groups = new Map<string, string>();
  const found: [string, string][] = [];
  for (const { line, path: file } of await linesWithIncludes(reader, path, included, '#;')) {
    const group = /^\[([^\]]*)\]/.exec(line)?.[1];
    if (group !== undefined) groups.set(file, group.trim().toLowerCase());
    else if (GROUP.test(groups.get(file) ?? '')) found.push(optionOf(line));
  }
  return found;
}

function included(line: string, path: string): string[] | null {
  const match = /^!(include|includedir)\s+(.+)$/.exec(line);
  if (!match) return null;
  const target = posix.resolve(posix.dirname(path), (match[2] ?? '').trim());
  return [match[1] === 'include' ? target : `${target}/*.cnf`];
}

function optionOf(line: string): [key: string, value: string] {
  const at = line.indexOf('=');
  const value = at < 0 ? '' : line.slice(at + 1);
  const key = (at < 0 ? line : line.slice(0, at)).trim().toLowerCase().replaceAll('_', '-');
  return [
    key.replace(/^loose-/, ''),
    value
      .replace(/\s#.*$/, '')
      .trim()
      .replace(/^(['"])(.*)\1$/, '$2'),
  ];
}
