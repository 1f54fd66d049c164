/** Finds PostgreSQL clusters: every folder with PG_VERSION and global/pg_control, wherever it lies. */
import { posix } from 'node:path';
import { readGuestFile } from '../../src/bytes/read-file.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import type { DatabaseInstance, GuestLocation } from '../../src/types.js';
import { askCluster } from './engine/run.js';

export const postgresqlFinder: EngineFinder = {
  engine: 'postgresql',
  async find(tree) {
    const folders: GuestLocation[] = [];
    for (const entry of tree.entries()) {
      if (entry.type === 'file' && entry.location.path.endsWith('/global/pg_control')) {
        folders.push({ volume: entry.location.volume, path: posix.dirname(posix.dirname(entry.location.path)) });
      }
    }
    const instances: DatabaseInstance[] = [];
    for (const folder of folders) {
      const instance = await describe(tree, folder);
      if (instance) instances.push(instance);
    }
    return instances;
  },
  ask: askCluster,
};

const SMALL_FILES = ['PG_VERSION', 'postmaster.pid', 'global/pg_control', 'postgresql.auto.conf', 'postgresql.conf', 'backup_label', 'tablespace_map'];

async function describe(tree: GuestTree, folder: GuestLocation): Promise<DatabaseInstance | null> {
  const at = (name: string): GuestLocation => ({ volume: folder.volume, path: posix.join(folder.path, name) });
  await tree.files.map(SMALL_FILES.map(at)); // one question instead of one per file; the static pass asks for them again
  const version = await readGuestFile(tree.files, at('PG_VERSION'), 16);
  if (!version || !(await tree.files.stat(at('base')))) return null;
  const running = await readGuestFile(tree.files, at('postmaster.pid'), 4096);
  return {
    id: `postgresql ${folder.volume}:${folder.path}`,
    engine: 'postgresql',
    version: version.toString('latin1').trim(),
    location: folder,
    links: await links(tree, at),
    facts: { running: running !== null },
  };
}

/** The log and the tablespaces may lie elsewhere, even on other disks. */
async function links(tree: GuestTree, at: (name: string) => GuestLocation): Promise<DatabaseInstance['links']> {
  const candidates = [await tree.files.stat(at('pg_wal')), await tree.files.stat(at('pg_xlog')), ...(await tree.files.list(at('pg_tblspc')))];
  const result: DatabaseInstance['links'] = [];
  for (const entry of candidates) {
    if (entry?.type !== 'symlink' || entry.target === null) continue;
    const name = posix.basename(entry.location.path);
    const what = name.startsWith('pg_') ? 'pg_wal' : `pg_tblspc/${name}`;
    result.push({ what, target: entry.target, location: await tree.files.resolve(entry.location) });
  }
  return result;
}
