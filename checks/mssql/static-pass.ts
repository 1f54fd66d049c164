/** What the checks of one SQL Server database share: its files are read once, nothing of the guest runs. */
import { runPagePass } from '../../src/bytes/page-pool.js';
import { MappedSource } from '../../src/bytes/source.js';
import type { CheckContext } from '../../src/check.js';
import type { ByteMap, DatabaseInstance, GuestLocation } from '../../src/types.js';
import { type AllocationFacts, MAX_PAGES, readAllocation } from './allocation-map.js';
import { type BootPage, CLEANLY_SHUT_DOWN, KNOWN_VERSIONS } from './format/file-page.js';
import { compareLsn, PAGE_BYTES } from './format/page.js';
import { type FileFacts, identifyFile } from './identify.js';
import { listVlfs } from './log-files.js';
import { type LogFacts, walkLog } from './log-walk.js';
import { addPageFacts, emptyPageFacts, type PageFacts } from './page-facts.js';
import { BLOCK_BYTES, type PageConfig, type PageDetail } from './page-verifier.js';

type PassContext = Pick<CheckContext<unknown>, 'signal' | 'progress' | 'once' | 'labs'>;

export interface DataFile {
  path: string;
  volume: string;
  fileId: number | null;
  sizeBytes: number;
  headerIntact: boolean;
  allocation: AllocationFacts | null;
}

/** Plain JSON, a few kilobytes. */
export interface StaticEvidence {
  path: string;
  volume: string;
  recognised: boolean;
  boot: BootPage | null;
  cleanlyShutDown: boolean;
  dataFiles: DataFile[];
  logFiles: { path: string; volume: string; sizeBytes: number }[];
  /** Files that belong to it and could not be read. */
  unreadable: string[];
  /** Null: there is no log file. */
  log: LogFacts | null;
  /** Null: the pages were not judged, because this version or this file is not known. */
  pages: PageFacts | null;
}

interface OpenFile {
  location: GuestLocation;
  map: ByteMap;
  source: MappedSource;
  facts: FileFacts;
}

/** Runs once per instance and restore point. */
export function staticPass(instance: DatabaseInstance, context: PassContext): Promise<StaticEvidence> {
  return context.once(`mssql ${instance.id}`, () => readDatabase(instance, context));
}

async function readDatabase(instance: DatabaseInstance, context: PassContext): Promise<StaticEvidence> {
  const locations = [instance.location, ...instance.links.flatMap(({ location }) => location ?? [])];
  const maps = await context.labs.files.map(locations);
  const files: OpenFile[] = [];
  const unreadable: string[] = [];
  try {
    for (const [i, location] of locations.entries()) {
      const map = maps[i];
      if (!map) unreadable.push(location.path);
      else files.push(await open(location, map));
    }
    return await readFiles(instance, files, unreadable, context);
  } finally {
    await Promise.all(files.map(({ source }) => source.close()));
  }
}

async function open(location: GuestLocation, map: ByteMap): Promise<OpenFile> {
  const source = new MappedSource(map);
  return { location, map, source, facts: await identifyFile(source) };
}

async function readFiles(instance: DatabaseInstance, files: OpenFile[], unreadable: string[], context: PassContext): Promise<StaticEvidence> {
  const boot = files.find(({ facts }) => facts.role === 'primary')?.facts.boot ?? null;
  const data = files.filter(({ facts }) => facts.role === 'primary' || facts.role === 'data');
  const logs = files.filter(({ facts }) => facts.role === 'log');
  const cleanlyShutDown = boot?.sumFits === true && (boot.status & CLEANLY_SHUT_DOWN) !== 0;
  const evidence: StaticEvidence = {
    path: instance.location.path,
    volume: instance.location.volume,
    recognised: data.length > 0,
    boot,
    cleanlyShutDown,
    dataFiles: data.map(dataFile),
    logFiles: logs.map(({ location, map }) => ({ ...location, sizeBytes: map.sizeBytes })),
    unreadable,
    log: null,
    pages: null,
  };
  if (!isKnown(evidence)) return evidence;
  evidence.log = logs.length > 0 ? await readLog(logs, boot, context) : null;
  evidence.pages = await readPages(data, evidence, context);
  return evidence;
}

function dataFile({ location, map, facts }: OpenFile): DataFile {
  const fileId = facts.header?.fileId ?? (facts.role === 'primary' ? 1 : null);
  return { ...location, fileId, sizeBytes: map.sizeBytes, headerIntact: facts.header?.sumFits ?? false, allocation: null };
}

/** A damaged boot page does not keep the pages from being judged; an unknown version does. */
export function isKnown({ recognised, boot }: StaticEvidence): boolean {
  return recognised && (boot === null || (boot.version >= KNOWN_VERSIONS.from && boot.version <= KNOWN_VERSIONS.to));
}

async function readLog(logs: OpenFile[], boot: BootPage | null, context: PassContext): Promise<LogFacts> {
  const totalBytes = logs.reduce((sum, { map }) => sum + map.sizeBytes, 0);
  const progress = (doneBytes: number) => context.progress({ stage: 'static', what: 'SQL Server log', doneBytes, totalBytes });
  const list = await listVlfs(
    logs.map(({ location, source }) => ({ path: location.path, source })),
    context.signal,
  );
  return walkLog(list, boot?.sumFits ? boot.checkpoint : null, context.signal, progress);
}

async function readPages(files: OpenFile[], evidence: StaticEvidence, context: PassContext): Promise<PageFacts> {
  const checkpoint = evidence.boot?.sumFits ? evidence.boot.checkpoint : null;
  const { cleanlyShutDown } = evidence;
  const config: PageConfig = { logEnd: evidence.log?.end ?? null, checkpoint: cleanlyShutDown ? null : checkpoint };
  const jobs: { map: ByteMap; detail: PageDetail }[] = [];
  let mappedBytes = 0;
  for (const [i, { map, source, location }] of files.entries()) {
    const file = evidence.dataFiles[i];
    if (!file || file.fileId === null || mappedBytes + map.sizeBytes > MAX_PAGES * PAGE_BYTES) continue;
    mappedBytes += map.sizeBytes;
    const { fileId } = file;
    const read = await readAllocation({ source, fileId, settledBefore: checkpoint, allSettled: cleanlyShutDown, signal: context.signal });
    file.allocation = read.facts;
    jobs.push({ map, detail: { path: location.path, fileId, map: read.map } });
  }
  const facts = emptyPageFacts();
  await runPagePass<PageConfig, PageDetail, PageFacts>({
    verifier: new URL('./page-verifier.js', import.meta.url),
    config,
    files: jobs,
    blockBytes: BLOCK_BYTES,
    onResult: (result) => addPageFacts(facts, result, (a, b) => compareLsn(a, b) > 0),
    signal: context.signal,
    progress: (doneBytes, totalBytes) => context.progress({ stage: 'static', what: 'SQL Server pages', doneBytes, totalBytes }),
  });
  return facts;
}
