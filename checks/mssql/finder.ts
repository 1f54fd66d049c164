/** Finds SQL Server databases by the first bytes of their files, whatever they are called, and puts files of one database together. */
import { posix } from 'node:path';
import { fileHeads } from '../../src/bytes/file-heads.js';
import { MappedSource } from '../../src/bytes/source.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { ENGINE } from './applies.js';
import { PAGE_BYTES, PAGE_TYPES } from './format/page.js';
import { type FileFacts, identifyFile } from './identify.js';

/** SQL Server makes no smaller files. */
const MIN_BYTES = 256 * 1024;
const USUAL_NAME = /\.(mdf|ndf|ldf)$/i;

interface Found extends FileFacts {
  entry: GuestEntry;
}

export const mssqlFinder: EngineFinder = {
  engine: ENGINE,
  async find(tree) {
    const files = await databaseFiles(tree);
    const owners = files.filter(isOwner).map((file) => ({ file, others: [] as Found[] }));
    const rest = files.filter((file) => !isOwner(file));
    for (const file of rest) {
      const owner = ownerOf(file, owners);
      if (owner) owner.others.push(file);
      // A log without its data says that something is missing; data alone is judged as what it is.
      else owners.push({ file, others: [] });
    }
    return owners.map(({ file, others }) => instance(file, others));
  },
};

function isOwner({ role }: Found): boolean {
  return role === 'primary' || role === 'unrecognised';
}

async function databaseFiles(tree: GuestTree): Promise<Found[]> {
  const candidates = [...tree.entries()].filter(isCandidate);
  const found: Found[] = [];
  for await (const { entry, head } of fileHeads(tree.files, candidates, 2)) {
    const named = USUAL_NAME.test(entry.location.path);
    if (!named && (head[0] !== 1 || head[1] !== PAGE_TYPES.fileHeader)) continue;
    const facts = await identifyEntry(tree, entry);
    // Other programs call their files .ldf and .ndf too; .mdf is what the name of a database looks like.
    if (facts && (facts.role !== 'unrecognised' || /\.mdf$/i.test(entry.location.path))) found.push({ ...facts, entry });
  }
  return found;
}

function isCandidate({ type, sizeBytes, location }: GuestEntry): boolean {
  if (type !== 'file' || sizeBytes === 0) return false;
  return USUAL_NAME.test(location.path) || (sizeBytes >= MIN_BYTES && sizeBytes % PAGE_BYTES === 0);
}

async function identifyEntry(tree: GuestTree, entry: GuestEntry): Promise<FileFacts | null> {
  const [map] = await tree.files.map([entry.location]);
  if (!map) return null;
  const source = new MappedSource(map);
  return identifyFile(source).finally(() => source.close());
}

/** Files of one database bear the same GUID, but so do its copies: among equals the one in the same folder, then by name, then one that has no log yet. */
function ownerOf<T extends { file: Found; others: Found[] }>(file: Found, owners: T[]): T | null {
  const primaries = owners.filter((owner) => owner.file.role === 'primary');
  const binding = file.header?.binding;
  const bound = binding ? primaries.filter((owner) => owner.file.header?.binding === binding) : [];
  const near = (list: T[]) => list.filter((owner) => folderOf(owner.file) === folderOf(file));
  const named = near(primaries).filter((owner) => stemOf(file).startsWith(stemOf(owner.file)));
  const withoutLog = bound.filter((owner) => !owner.others.some(({ role }) => role === 'log'));
  // The longest name that fits: "sales" does not take the log of "sales2".
  const byName = named.sort((a, b) => stemOf(b.file).length - stemOf(a.file).length);
  return near(bound)[0] ?? (bound.length === 1 ? bound[0] : undefined) ?? withoutLog[0] ?? bound[0] ?? byName[0] ?? null;
}

function folderOf({ entry }: Found): string {
  return `${entry.location.volume}:${posix.dirname(entry.location.path)}`;
}

function stemOf({ entry }: Found): string {
  return posix.basename(entry.location.path).replace(USUAL_NAME, '').toLowerCase();
}

function instance({ entry, role, boot }: Found, others: Found[]): DatabaseInstance {
  const { location } = entry;
  const links = others.map((other) => ({ what: other.role, target: other.entry.location.path, location: other.entry.location }));
  const facts = { role, name: boot?.name ?? null, formatVersion: boot?.version ?? null, dataFiles: 1 + links.filter(({ what }) => what === 'data').length };
  return { id: `${ENGINE} ${location.volume}:${location.path}`, engine: ENGINE, version: boot ? String(boot.version) : null, location, links, facts };
}
