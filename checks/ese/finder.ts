/** Finds ESE databases by the first bytes of their files, whatever they are called, and the logs and checkpoint of their log stream. */
import { posix } from 'node:path';
import { fileHeads } from '../../src/bytes/file-heads.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { ENGINE } from './applies.js';
import { type EseHeader, FILE_TYPES, HEADER_BYTES, hasSignature, MAGIC, PAGE_SIZES, parseHeader } from './format/header.js';
import { LOG_HEADER_BYTES, parseCheckpoint, parseLogHeader } from './format/log-header.js';

/** These must not be missed when their header page is damaged. */
const WELL_KNOWN = /\/(ntds\.dit|.*\.edb|srudb\.dat|webcachev\d+\.dat|windows\.db|qmgr\.db|dhcp\.mdb|wins\.mdb|certlog\/.*\.edb)$/i;
/** Logs under their usual names; reserves (.jrs, res1.log) hold nothing. */
const LOG_NAME = /\.(log|jtx|chk|jcp)$/i;
const EMPTY_LOG = /res[12]\.log$/i;

/** The engine makes no smaller databases: 256 pages at least. */
const MIN_BYTES = 128 * 1024;

interface Found {
  entry: GuestEntry;
  header: EseHeader | null;
}

interface LogFile {
  entry: GuestEntry;
  what: 'log' | 'checkpoint';
  signature: string;
}

export const eseFinder: EngineFinder = {
  engine: ENGINE,
  async find(tree) {
    const found = await databases(tree);
    const logs = found.length > 0 ? await logFiles(tree) : [];
    return found.map((database) => instance(database, logsOf(database, logs)));
  },
};

async function databases(tree: GuestTree): Promise<Found[]> {
  const candidates = [...tree.entries()].filter(({ type, sizeBytes, location }) => type === 'file' && sizeBytes > 0 && isCandidate(sizeBytes, location.path));
  const found: Found[] = [];
  const named: GuestEntry[] = [];
  for await (const { entry, head } of fileHeads(tree.files, candidates, HEADER_BYTES)) {
    const header = parseHeader(head);
    if (header) found.push({ entry, header });
    else if (WELL_KNOWN.test(entry.location.path)) named.push(entry);
  }
  for await (const { entry, head } of fileHeads(tree.files, named, 2 * (PAGE_SIZES.at(-1) ?? 0))) {
    if (hasCopy(head)) found.push({ entry, header: null });
  }
  return found.filter(({ header }) => header === null || header.fileType !== FILE_TYPES.log);
}

function isCandidate(sizeBytes: number, path: string): boolean {
  return WELL_KNOWN.test(path) || (sizeBytes >= MIN_BYTES && sizeBytes % 2048 === 0);
}

/** The copy of the header, in the second page. */
function hasCopy(head: Buffer): boolean {
  return PAGE_SIZES.some((at) => head.length >= at + HEADER_BYTES && head.readUInt32LE(at + 4) === MAGIC);
}

async function logFiles(tree: GuestTree): Promise<LogFile[]> {
  const candidates = [...tree.entries()].filter(
    ({ type, sizeBytes, location }) => type === 'file' && sizeBytes >= LOG_HEADER_BYTES && LOG_NAME.test(location.path) && !EMPTY_LOG.test(location.path),
  );
  const found: LogFile[] = [];
  for await (const { entry, head } of fileHeads(tree.files, candidates, LOG_HEADER_BYTES)) {
    const log = parseLogHeader(head);
    const checkpoint = parseCheckpoint(head);
    if (log) found.push({ entry, what: 'log', signature: log.signature });
    else if (checkpoint) found.push({ entry, what: 'checkpoint', signature: checkpoint.signature });
  }
  return found;
}

/** Copies of a log stream bear its signature too: what lies beside the database counts first, then the folder that holds most of it. */
function logsOf({ entry, header }: Found, logs: LogFile[]): LogFile[] {
  if (!header || !hasSignature(header.logSignature)) return [];
  const own = logs.filter(({ signature }) => signature === header.logSignature);
  const folders = new Map<string, LogFile[]>();
  for (const log of own) {
    const list = folders.get(folderOf(log.entry)) ?? [];
    list.push(log);
    folders.set(folderOf(log.entry), list);
  }
  const beside = folders.get(folderOf(entry));
  const hasLog = (list: LogFile[] | undefined) => list?.some(({ what }) => what === 'log') ?? false;
  const largest = [...folders.values()].filter(hasLog).sort((a, b) => b.length - a.length)[0];
  const chosen = (hasLog(beside) ? beside : largest) ?? [];
  // The checkpoint lies in the folder of the system, which may be another one.
  const checkpoint = chosen.some(({ what }) => what === 'checkpoint') ? [] : own.filter(({ what }) => what === 'checkpoint').slice(0, 1);
  return [...chosen, ...checkpoint];
}

function folderOf({ location }: GuestEntry): string {
  return `${location.volume}:${posix.dirname(location.path)}`;
}

function instance({ entry, header }: Found, logs: LogFile[]): DatabaseInstance {
  const { location } = entry;
  const links = logs.map((log) => ({ what: log.what, target: log.entry.location.path, location: log.entry.location }));
  const version = header ? `${header.version.toString(16)},${header.revision.toString(16)}` : null;
  const facts = { sizeBytes: entry.sizeBytes, pageBytes: header?.pageBytes ?? null, logs: links.filter(({ what }) => what === 'log').length };
  return { id: `${ENGINE} ${location.volume}:${location.path}`, engine: ENGINE, version, location, links, facts };
}
