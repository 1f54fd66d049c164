/** What the checks of one ESE database share: its files are read once, nothing of the guest runs. */
import { runPagePass } from '../../src/bytes/page-pool.js';
import { type ProblemReport, Problems } from '../../src/bytes/problems.js';
import { MappedSource } from '../../src/bytes/source.js';
import type { CheckContext } from '../../src/check.js';
import type { ByteMap, ByteSource, DatabaseInstance } from '../../src/types.js';
import { type EseHeader, FILE_TYPES, headerSumFits, KNOWN_VERSION, PAGE_SIZES, parseHeader } from './format/header.js';
import { type CheckpointFacts, type LogFileFacts, type LogSource, readCheckpoint, readLogHeaders, readSegments } from './log-read.js';
import { addPageFacts, emptyPageFacts, type PageFacts, settleTail } from './page-facts.js';
import { BLOCK_BYTES, type PageDetail } from './page-verifier.js';
import { MAX_PAGES } from './space.js';
import { type TreeFacts, TreeWalker } from './tree.js';

/** Header without big numbers: dbtime is decimal. */
export type PlainHeader = Omit<EseHeader, 'dbtime'> & { dbtime: string };

/** Plain JSON, a few kilobytes. */
export interface StaticEvidence {
  path: string;
  volume: string;
  sizeBytes: number | null;
  /** The first page, or its copy when the first is damaged; null: both are. */
  header: PlainHeader | null;
  fromCopy: boolean;
  logs: LogFileFacts[];
  unreadable: string[];
  checkpoint: CheckpointFacts | null;
  /** Null: not walked, because it was not shut down cleanly, or is not known. */
  tree: TreeFacts | null;
  treeProblems: ProblemReport;
  pages: PageFacts | null;
}

const CLEAN = 3;

/** Runs once per instance and restore point. */
export function staticPass(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  return context.once(`ese ${instance.id}`, () => readDatabase(instance, context));
}

/** Temporary databases and streaming files are none whose pages say something. */
export function isJudged({ header }: StaticEvidence): boolean {
  return header !== null && header.version === KNOWN_VERSION && header.fileType <= FILE_TYPES.database;
}

async function readDatabase(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  const { path, volume } = instance.location;
  const links = instance.links.flatMap(({ what, location }) => (location ? [{ what, location }] : []));
  const [database, ...others] = await context.labs.files.map([instance.location, ...links.map(({ location }) => location)]);
  const evidence: StaticEvidence = {
    ...{ path, volume, sizeBytes: database?.sizeBytes ?? null, header: null, fromCopy: false, logs: [], unreadable: [], checkpoint: null },
    ...{ tree: null, treeProblems: { counts: {}, examples: [] }, pages: null },
  };
  if (!database) return evidence;
  const files = links.map((link, i) => ({ ...link, map: others[i] ?? null }));
  evidence.unreadable = files.filter(({ map }) => !map).map(({ location }) => location.path);
  const sources = (kind: string): LogSource[] => files.flatMap(({ what, location, map }) => (what === kind && map ? [{ location, map }] : []));
  const source = new MappedSource(database);
  try {
    Object.assign(evidence, await readHeader(source));
    evidence.checkpoint = await readCheckpoint(sources('checkpoint')[0]);
    evidence.logs = await readLogs(evidence, sources('log'), context);
    if (!evidence.header || !isJudged(evidence)) return evidence;
    const reached = await walkTrees(evidence, evidence.header, source, context);
    evidence.pages = await readPages({ pageBytes: evidence.header.pageBytes, path, reached, allReached: evidence.tree?.whole ?? false }, database, context);
    return evidence;
  } finally {
    await source.close();
  }
}

async function readHeader(source: ByteSource): Promise<Pick<StaticEvidence, 'header' | 'fromCopy'>> {
  const largest = PAGE_SIZES.at(-1) ?? 0;
  const bytes = await source.read(0, Math.min(source.sizeBytes, 2 * largest));
  const first = parseHeader(bytes);
  if (first && headerSumFits(bytes, first.pageBytes)) return { header: plain(first), fromCopy: false };
  for (const pageBytes of PAGE_SIZES) {
    const copy = bytes.subarray(pageBytes, 2 * pageBytes);
    const header = parseHeader(copy);
    if (header?.pageBytes === pageBytes && headerSumFits(copy, pageBytes)) return { header: plain(header), fromCopy: true };
  }
  return { header: null, fromCopy: false };
}

function plain(header: EseHeader): PlainHeader {
  return { ...header, dbtime: header.dbtime.toString() };
}

/** Segments are read of the files that recovery begins with and of all after them. */
async function readLogs({ header }: StaticEvidence, files: LogSource[], context: CheckContext<unknown>): Promise<LogFileFacts[]> {
  const logs = await readLogHeaders(files);
  if (!header || header.state === CLEAN) return logs;
  const needed = logs.filter(({ generation }) => generation >= header.minRequired);
  for (const [i, log] of needed.entries()) {
    const file = files.find(({ location }) => location.path === log.path && location.volume === log.volume);
    if (file) log.segments = await readSegments(log, file.map, context.signal);
    context.progress({ stage: 'static', what: 'ESE log files', doneBytes: i + 1, totalBytes: needed.length });
  }
  return logs;
}

/** @returns one bit for each page that a tree leads to; null: nothing was walked. */
async function walkTrees(evidence: StaticEvidence, header: PlainHeader, source: ByteSource, context: CheckContext<unknown>): Promise<SharedArrayBuffer | null> {
  const totalBytes = source.sizeBytes;
  if (header.state !== CLEAN || totalBytes / header.pageBytes > MAX_PAGES) return null;
  const problems = new Problems();
  const walker = new TreeWalker(source, header.pageBytes, problems, evidence.path);
  const progress = (pages: number) =>
    context.progress({ stage: 'static', what: 'ESE trees', doneBytes: Math.min(totalBytes, pages * header.pageBytes), totalBytes });
  await walker.walk(context.signal, progress);
  evidence.tree = walker.facts;
  evidence.treeProblems = problems.report();
  return walker.reached.shared;
}

async function readPages(detail: PageDetail, map: ByteMap, context: CheckContext<unknown>): Promise<PageFacts> {
  const facts = emptyPageFacts();
  await runPagePass<null, PageDetail, PageFacts>({
    verifier: new URL('./page-verifier.js', import.meta.url),
    config: null,
    files: [{ map, detail }],
    blockBytes: BLOCK_BYTES,
    onResult: (result) => addPageFacts(facts, result),
    signal: context.signal,
    progress: (doneBytes, totalBytes) => context.progress({ stage: 'static', what: 'ESE pages', doneBytes, totalBytes }),
  });
  settleTail(facts, detail.path);
  return facts;
}
