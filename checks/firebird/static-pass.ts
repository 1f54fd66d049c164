/** Reads one database once; nothing of the guest runs. */
import { posix } from 'node:path';
import type { ProblemReport } from '../../src/bytes/problems.js';
import { MappedSource } from '../../src/bytes/source.js';
import type { CheckContext } from '../../src/check.js';
import { FormatError } from '../../src/errors.js';
import type { ByteSource, DatabaseInstance, GuestLocation } from '../../src/types.js';
import { type DatabaseHeader, HEADER_BYTES, parseHeader } from './format/page.js';
import { MAX_PAGES } from './pages.js';
import { type WalkFacts, walkDatabase } from './walk-database.js';

/** Plain JSON, a few kilobytes. */
export interface StaticEvidence {
  path: string;
  volume: string;
  sizeBytes: number | null;
  header: DatabaseHeader | null;
  headerProblem: string | null;
  /** While `backup` is not normal: where changes go. */
  hasDelta: boolean;
  /** Null: it was not walked. */
  walk: WalkFacts | null;
  problems: ProblemReport;
}

export function staticPass(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  return context.once(`firebird ${instance.id}`, () => readDatabase(instance, context));
}

/** Why the pages cannot be judged, or null. */
export function unknownReason(header: DatabaseHeader, sizeBytes: number): string | null {
  if (header.odsMajor !== 12) return `its on-disk structure is ${header.odsMajor}.${header.odsMinor}; known is 12, of Firebird 3`;
  if (header.encrypted) return 'it is encrypted';
  if (header.multiFile) return 'it goes on in other files';
  if (sizeBytes / header.pageBytes > MAX_PAGES) return 'it is too large';
  return null;
}

async function readDatabase({ location }: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  const evidence: StaticEvidence = {
    ...{ path: location.path, volume: location.volume, sizeBytes: null, header: null, headerProblem: null, hasDelta: false },
    ...{ walk: null, problems: { counts: {}, examples: [] } },
  };
  const [map] = await context.labs.files.map([location]);
  if (!map) return evidence;
  evidence.sizeBytes = map.sizeBytes;
  evidence.hasDelta = await deltaOf(location, context);
  const source = new MappedSource(map);
  try {
    evidence.header = await headerOf(source, evidence);
    if (!evidence.header || unknownReason(evidence.header, map.sizeBytes)) return evidence;
    const progress = (doneBytes: number) => context.progress({ stage: 'static', what: location.path, doneBytes, totalBytes: map.sizeBytes });
    const { facts, problems } = await walkDatabase(source, evidence.header, location.path, context.signal, progress);
    return { ...evidence, walk: facts, problems };
  } finally {
    await source.close();
  }
}

async function headerOf(source: ByteSource, evidence: StaticEvidence): Promise<DatabaseHeader | null> {
  try {
    return parseHeader(await source.read(0, Math.min(HEADER_BYTES, source.sizeBytes)));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    evidence.headerProblem = error.message;
    return null;
  }
}

/** nbackup calls it after the database, unless it was told another name, which must then begin with the same. */
async function deltaOf({ volume, path }: GuestLocation, { labs }: CheckContext<unknown>): Promise<boolean> {
  const beside = await labs.files.list({ volume, path: posix.dirname(path) });
  const names = beside.filter(({ type, sizeBytes }) => type === 'file' && sizeBytes > 0).map((entry) => entry.location.path.toLowerCase());
  return names.includes(`${path.toLowerCase()}.delta`);
}
