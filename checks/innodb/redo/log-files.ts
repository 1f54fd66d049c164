/** Where the files of the redo log lie. */
import { posix } from 'node:path';
import type { DatabaseInstance, GuestEntry, GuestFiles } from '../../../src/types.js';
import { partFolder } from '../find/describe.js';

export interface LogFiles {
  entries: GuestEntry[];
  /** Why there are none. */
  why: string;
}

const OLD_NAME = /^ib_logfile(\d{1,3})$/;
/** MySQL 8.0.30 and later; files that are spare end in `_tmp`. */
const NEW_NAME = /^#ib_redo(\d{1,10})$/;

export async function findLogFiles(files: GuestFiles, instance: DatabaseInstance): Promise<LogFiles> {
  const folder = partFolder(instance, 'innodb_log_group_home_dir');
  if (!folder) return { entries: [], why: 'its folder is not in the restore point' };
  const here = await files.list(folder);
  const inside = await files.list({ volume: folder.volume, path: posix.join(folder.path, '#innodb_redo') });
  const newer = named([...here, ...inside], NEW_NAME);
  const entries = newer.length > 0 ? newer : named(here, OLD_NAME);
  return { entries, why: entries.length > 0 ? '' : `there is neither ib_logfile0 nor #ib_redo in ${folder.path}` };
}

/** In the order of their numbers. */
function named(entries: GuestEntry[], pattern: RegExp): GuestEntry[] {
  const numbered = entries.flatMap((entry) => {
    const match = entry.type === 'file' ? pattern.exec(posix.basename(entry.location.path)) : null;
    return match ? [{ entry, number: Number(match[1]) }] : [];
  });
  return numbered.sort((a, b) => a.number - b.number).map(({ entry }) => entry);
}
