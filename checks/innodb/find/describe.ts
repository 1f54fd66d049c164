/** What an instance says of itself: family, version, page size, log format. For the inspection, which judges nothing. */
import { posix } from 'node:path';
import { readGuestFile } from '../../../src/bytes/read-file.js';
import { FormatError } from '../../../src/errors.js';
import type { DatabaseInstance, Facts, GuestFiles, GuestLocation } from '../../../src/types.js';
import { parseRedoHead, REDO_HEAD_BYTES, type RedoHead } from '../format/redo-head.js';
import { parseSpaceHeader, SPACE_HEADER_BYTES, type SpaceHeader } from '../format/space-flags.js';
import type { Marks } from './marks.js';
import { type Draft, isWithin } from './pairing.js';

export const SMALL_FILES = [
  'mariadb_upgrade_info',
  'mysql_upgrade_info',
  'auto.cnf',
  'ibdata1',
  'ib_logfile0',
  'aria_log_control',
  'mysql.ibd',
  'xtrabackup_info',
];

export async function describe(files: GuestFiles, draft: Draft, marks: Marks): Promise<DatabaseInstance> {
  const { location, links, kind } = draft;
  const at = (name: string): GuestLocation => ({ volume: location.volume, path: posix.join(location.path, name) });
  await files.map(SMALL_FILES.map(at)); // one question instead of one per file; the static pass asks for some of them again
  const log = await redoHead(files, draft);
  const system = await spaceHeader(files, draft, marks);
  const upgrade = (await readGuestFile(files, at('mariadb_upgrade_info'), 64)) ?? (await readGuestFile(files, at('mysql_upgrade_info'), 64));
  const told = upgrade?.toString('latin1').split(/[\0\r\n]/)[0] || null;
  const hasAriaLog = (await files.stat(at('aria_log_control'))) !== null;
  const mysqlMarks = (await files.stat(at('mysql.ibd'))) !== null || (await files.stat(at('auto.cnf'))) !== null;
  const family = familyOf(told, log, system, hasAriaLog, mysqlMarks);
  const facts: Facts = {
    family,
    kind,
    hasInnodb: system !== null || log !== null || links.length > 0 || (await hasParts(files, draft)),
    pageBytes: system?.flags.logicalBytes ?? null,
    logFormat: log?.format ?? null,
    logCreator: log?.creator ?? null,
    logEncrypted: log?.encrypted ?? null,
    backupFolder: (await readGuestFile(files, at('xtrabackup_info'), 1)) !== null,
    otherEngines: otherEngines(draft, marks).join(', ') || null,
  };
  return { id: `innodb ${location.volume}:${location.path}`, engine: 'innodb', version: told ?? versionIn(log), location, links, facts };
}

/** A server without InnoDB has Aria or MyISAM tables only. */
async function hasParts(files: GuestFiles, { location }: Draft): Promise<boolean> {
  const names = (await files.list(location)).map((entry) => posix.basename(entry.location.path));
  return names.some((name) => /^(ibdata\d+|ib_logfile\d+|#innodb_redo|undo_?\d{3}|ib_buffer_pool|ibtmp1)$/.test(name));
}

function versionIn(log: RedoHead | null): string | null {
  return /\d+\.\d+(\.\d+)?/.exec(log?.creator ?? '')?.[0] ?? null;
}

function familyOf(told: string | null, log: RedoHead | null, system: SpaceHeader | null, ariaLog: boolean, mysqlMarks: boolean): 'mariadb' | 'mysql' | null {
  const text = `${told ?? ''} ${log?.creator ?? ''}`;
  if (/mariadb/i.test(text) || log?.format.startsWith('mariadb') || ariaLog || system?.flags.fullCrc32) return 'mariadb';
  if (/mysql/i.test(text) || log?.format === 'mysql' || mysqlMarks || system?.flags.sdi) return 'mysql';
  return null;
}

/** The folder named by a link, or the instance's own. Null when it is outside the restore point. */
export function partFolder(instance: { location: GuestLocation; links: DatabaseInstance['links'] }, what: string): GuestLocation | null {
  const link = instance.links.find((candidate) => candidate.what === what);
  return link ? link.location : instance.location;
}

async function redoHead(files: GuestFiles, draft: Draft): Promise<RedoHead | null> {
  const folder = partFolder(draft, 'innodb_log_group_home_dir');
  if (!folder) return null;
  const inside = { volume: folder.volume, path: posix.join(folder.path, '#innodb_redo') };
  const newer = [...(await files.list(inside)), ...(await files.list(folder))].find((entry) => /\/#ib_redo\d+$/.test(entry.location.path));
  const place = newer?.location ?? { volume: folder.volume, path: posix.join(folder.path, 'ib_logfile0') };
  const head = await readGuestFile(files, place, REDO_HEAD_BYTES);
  return head ? parseRedoHead(head) : null;
}

async function spaceHeader(files: GuestFiles, draft: Draft, marks: Marks): Promise<SpaceHeader | null> {
  const home = partFolder(draft, 'innodb_data_home_dir');
  const table = marks.tables.find((entry) => isWithin(draft.location, entry.location))?.location;
  const places = [...(home ? [{ volume: home.volume, path: posix.join(home.path, 'ibdata1') }] : []), ...(table ? [table] : [])];
  for (const place of places) {
    const head = await readGuestFile(files, place, SPACE_HEADER_BYTES);
    try {
      if (head) return parseSpaceHeader(head);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  return null;
}

function otherEngines(draft: Draft, marks: Marks): string[] {
  const found = marks.others.filter(({ folder }) => isWithin(draft.location, folder)).map(({ engine }) => engine);
  return [...new Set(found)].sort();
}
