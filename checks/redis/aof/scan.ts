/** Reads the append-only file of one instance: the manifest and the files it names, or the single file of servers before version 7. */
import { posix } from 'node:path';
import { MappedSource } from '../../../src/bytes/source.js';
import type { CheckContext } from '../../../src/check.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteMap, ByteSource, DatabaseInstance, GuestLocation } from '../../../src/types.js';
import { isNumberedPart, isUnfinishedManifest, manifestName } from '../files.js';
import { type AofFacts, walkAof } from '../format/aof.js';
import { type ManifestFile, parseManifest } from '../format/manifest.js';
import { type RdbScan, scanRdb } from '../rdb/scan.js';

/** Plain JSON, at most some hundred files. */
export interface AofEvidence {
  volume: string;
  folder: string;
  /** The settings of the server, where they were found. */
  appendOnly: string | null;
  loadTruncated: string | null;
  sets: AofSet[];
  /** Manifests behind the limit. */
  moreSets: number;
  /** Parts without any manifest: the server begins with nothing, as if there were none. Null when there are none, or a manifest is there. */
  orphans?: AofOrphans | null;
}

export interface AofOrphans {
  folder: string;
  files: number;
  /** Bytes of commands, which are written only after the first manifest. */
  commandBytes: number;
  /** A manifest is just being written. */
  beingMade: boolean;
}

/** One append-only file. `refused`: why the manifest cannot be used; null when it can. */
export interface AofSet {
  path: string;
  refused: string | null;
  files: AofFile[];
  /** Files behind the limit. */
  more: number;
}

/** `sizeBytes` null: it is missing. `facts` null: the RDB part could not be followed, see `rdb`. `tailZeroes`: bytes of zero at its end. */
export interface AofFile {
  path: string;
  type: ManifestFile['type'];
  sizeBytes: number | null;
  facts: AofFacts | null;
  rdb: RdbScan | null;
  tailZeroes: number;
}

const MANIFEST_BYTES = 1024 * 1024;
const MAX_FILES = 200;
/** A server has one. */
const MAX_MANIFESTS = 10;
const TAIL_BYTES = 65536;

export async function scanAof(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<AofEvidence> {
  const { location, facts } = instance;
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const evidence: AofEvidence = {
    volume: location.volume,
    folder: location.path,
    appendOnly: text(facts.configuredAppendOnly),
    loadTruncated: text(facts.loadTruncated),
    sets: [],
    moreSets: 0,
  };
  const folder = text(facts.appendOnlyFolder);
  const single = text(facts.appendOnlyFile);
  if (folder !== null) {
    const found = await manifests({ volume: location.volume, path: folder }, context);
    for (const place of found.slice(0, MAX_MANIFESTS)) evidence.sets.push(await scanSet(place, context));
    evidence.moreSets = Math.max(0, found.length - MAX_MANIFESTS);
    if (found.length === 0) evidence.orphans = await orphansIn({ volume: location.volume, path: folder }, context);
  }
  if (single !== null) {
    const files = await scanFiles([{ location: { volume: location.volume, path: single }, type: 'base' }], context);
    evidence.sets.push({ path: single, refused: null, files, more: 0 });
  }
  return evidence;
}

async function manifests(folder: GuestLocation, context: CheckContext<unknown>): Promise<GuestLocation[]> {
  const entries = await context.labs.files.list(folder);
  return entries.filter(({ type, location }) => type === 'file' && manifestName(posix.basename(location.path))).map(({ location }) => location);
}

async function orphansIn(folder: GuestLocation, context: CheckContext<unknown>): Promise<AofOrphans | null> {
  const entries = (await context.labs.files.list(folder)).filter(({ type }) => type === 'file');
  const named = entries.map((entry) => ({ name: posix.basename(entry.location.path), sizeBytes: entry.sizeBytes }));
  const parts = named.filter(({ name }) => isNumberedPart(name));
  if (parts.length === 0) return null;
  const commands = parts.filter(({ name }) => name.endsWith('.incr.aof'));
  const commandBytes = commands.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { folder: folder.path, files: parts.length, commandBytes, beingMade: named.some(({ name }) => isUnfinishedManifest(name)) };
}

async function scanSet(place: GuestLocation, context: CheckContext<unknown>): Promise<AofSet> {
  const set: AofSet = { path: place.path, refused: null, files: [], more: 0 };
  const [map] = await context.labs.files.map([place]);
  if (!map) return { ...set, refused: 'it is no readable file' };
  try {
    if (map.sizeBytes > MANIFEST_BYTES) throw new FormatError({ code: 'redis.aof.manifest', message: `it is ${map.sizeBytes} bytes long` });
    const source = new MappedSource(map);
    const text = await source.read(0, map.sizeBytes).finally(() => source.close());
    const named = parseManifest(text.toString('latin1'));
    const folder = posix.dirname(place.path);
    const wanted = named.slice(0, MAX_FILES).map(({ name, type }) => ({ location: { volume: place.volume, path: posix.join(folder, name) }, type }));
    return { ...set, files: await scanFiles(wanted, context), more: named.length - wanted.length };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { ...set, refused: error.message };
  }
}

async function scanFiles(wanted: { location: GuestLocation; type: ManifestFile['type'] }[], context: CheckContext<unknown>): Promise<AofFile[]> {
  const maps = await context.labs.files.map(wanted.map(({ location }) => location));
  const files: AofFile[] = [];
  for (const [i, { location, type }] of wanted.entries()) files.push(await scanFile(location.path, type, maps[i] ?? null, context));
  return files;
}

async function scanFile(path: string, type: ManifestFile['type'], map: ByteMap | null, context: CheckContext<unknown>): Promise<AofFile> {
  const file: AofFile = { path, type, sizeBytes: map?.sizeBytes ?? null, facts: null, rdb: null, tailZeroes: 0 };
  if (!map) return file;
  const source = new MappedSource(map);
  const progress = (doneBytes: number) => context.progress({ stage: 'static', what: `Redis ${path}`, doneBytes, totalBytes: map.sizeBytes });
  try {
    file.facts = await walkAof(source, context.signal, progress);
    if (file.facts.end !== 'whole') file.tailZeroes = await zeroesAtEnd(source);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    file.rdb = await scanRdb(source, context.signal, progress);
  } finally {
    await source.close();
  }
  return file;
}

/** At most 64 KiB are counted. */
async function zeroesAtEnd(source: ByteSource): Promise<number> {
  const tail = await source.read(Math.max(0, source.sizeBytes - TAIL_BYTES), Math.min(TAIL_BYTES, source.sizeBytes));
  let count = 0;
  while (count < tail.length && tail[tail.length - 1 - count] === 0) count++;
  return count;
}
