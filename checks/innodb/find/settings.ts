/** Where the server's settings say that parts of an instance lie. Only the few keys that place files are read. */
import { readGuestFile } from '../../../src/bytes/read-file.js';
import type { GuestEntry, GuestFiles, GuestLocation } from '../../../src/types.js';

export type SettingKey = 'datadir' | 'innodb_data_home_dir' | 'innodb_log_group_home_dir' | 'innodb_undo_directory';
export type Settings = Record<SettingKey, string[]>;

const KEYS: SettingKey[] = ['datadir', 'innodb_data_home_dir', 'innodb_log_group_home_dir', 'innodb_undo_directory'];
const MAX_CONFIGS = 500;

/** Values of all option files together: sections are not told apart, since a path is only used when something really lies there. */
export async function readSettings(files: GuestFiles, configs: GuestEntry[]): Promise<Settings> {
  const settings = Object.fromEntries(KEYS.map((key) => [key, [] as string[]])) as Settings;
  for (const { location } of configs.slice(0, MAX_CONFIGS)) {
    const text = await readGuestFile(files, location, 1 << 20);
    if (text) parseSettings(text.toString('utf8'), settings);
  }
  return settings;
}

/** Option files: `key = value`, dashes and underscores alike, values may be quoted (MySQL manual, "Using Option Files"). */
export function parseSettings(text: string, into: Settings): void {
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Za-z_-]{1,64})\s*=\s*(.*?)\s*$/.exec(line.slice(0, 4096));
    if (!match) continue;
    const key = (match[1] ?? '').toLowerCase().replaceAll('-', '_') as SettingKey;
    const value = (match[2] ?? '').replace(/^(["'])(.*)\1$/, '$2');
    if (KEYS.includes(key) && value.startsWith('/')) into[key].push(value.replace(/\/+$/, ''));
  }
}

/**
 * The candidate at which an absolute path of the guest points. Where a volume was mounted is not needed:
 * `/data/mysql/x` is `/mysql/x` of the volume that was mounted at `/data`. Null when none or several fit equally well.
 */
export function matchPath<T extends { location: GuestLocation }>(target: string, candidates: Iterable<T>): T | null {
  let best: T[] = [];
  let longest = 0;
  for (const candidate of candidates) {
    const { path } = candidate.location;
    if (path !== target && !(target.endsWith(path) && path.length > 1)) continue;
    if (path.length > longest) {
      best = [candidate];
      longest = path.length;
    } else if (path.length === longest) best.push(candidate);
  }
  return best.length === 1 ? (best[0] ?? null) : null;
}
