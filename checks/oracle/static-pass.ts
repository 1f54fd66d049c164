/** What the checks of one Oracle database share: its files are read once, nothing of the guest runs. */
import { runPagePass } from '../../src/bytes/page-pool.js';
import { MappedSource } from '../../src/bytes/source.js';
import type { CheckContext } from '../../src/check.js';
import type { ByteMap, DatabaseInstance, GuestLocation } from '../../src/types.js';
import { addFacts, type BlockFacts, emptyFacts, type FileDetail, READ_BYTES } from './block-verifier.js';
import { compareScn, type DataHeader, isKnownVersion, NO_SCN, type RedoHeader, type Scn } from './format/file.js';
import { type FileFacts, identifyFile } from './identify.js';
import { type RedoBlocks, readRedoBlocks } from './redo-read.js';

export interface DataFile extends DataHeader {
  path: string;
  blockBytes: number;
  sizeBytes: number;
  temporary: boolean;
}

export interface RedoFile extends RedoHeader {
  path: string;
  blockBytes: number;
  /** Null: not read, because recovery does not need it. */
  content: RedoBlocks | null;
}

/** Plain JSON, a few kilobytes, and a few hundred bytes per file. */
export interface StaticEvidence {
  path: string;
  name: string;
  dataFiles: DataFile[];
  redo: RedoFile[];
  controlFiles: string[];
  /** Files of a form that is not read: of big-endian machines, or unknown. */
  unknown: string[];
  unreadable: string[];
  /** Where all redo ends; null: the newest is still being written, or there is none. */
  redoEnd: Scn | null;
  blocks: BlockFacts | null;
}

interface OpenFile {
  location: GuestLocation;
  map: ByteMap;
  facts: FileFacts;
}

/** Runs once per instance and restore point. */
export function staticPass(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  return context.once(`oracle ${instance.id}`, () => readDatabase(instance, context));
}

async function readDatabase(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  const locations = [instance.location, ...instance.links.flatMap(({ location }) => location ?? [])];
  const maps = await context.labs.files.map(locations);
  const files: OpenFile[] = [];
  const unreadable: string[] = [];
  const unknown: string[] = [];
  for (const [i, location] of locations.entries()) {
    const map = maps[i];
    const facts = map ? await identify(map) : null;
    if (!map) unreadable.push(location.path);
    else if (facts && facts.role !== 'unknown') files.push({ location, map, facts });
    else unknown.push(location.path);
  }
  const of = (...roles: string[]) => files.filter(({ facts }) => roles.includes(facts.role));
  const evidence: StaticEvidence = {
    ...{ path: instance.location.path, name: files[0]?.facts.name ?? '', unknown, unreadable, redoEnd: null, blocks: null },
    dataFiles: of('data', 'temporary').flatMap(dataFile),
    redo: of('redo').flatMap(({ location, facts }) =>
      facts.redo ? [{ ...facts.redo, path: location.path, blockBytes: facts.blockBytes, content: null }] : [],
    ),
    controlFiles: of('control').map(({ location }) => location.path),
  };
  evidence.redoEnd = redoEnd(evidence.redo);
  await readRedo(evidence, of('redo'), context);
  evidence.blocks = await readBlocks(evidence, of('data'), context);
  return evidence;
}

async function identify(map: ByteMap): Promise<FileFacts | null> {
  const source = new MappedSource(map);
  return identifyFile(source).finally(() => source.close());
}

function dataFile({ location, map, facts }: OpenFile): DataFile[] {
  const { data, blockBytes, role } = facts;
  return data ? [{ ...data, path: location.path, blockBytes, sizeBytes: map.sizeBytes, temporary: role === 'temporary' }] : [];
}

/** Files that are judged: of a known version, and not made anew at start. */
export function judgedFiles({ dataFiles }: Pick<StaticEvidence, 'dataFiles'>): DataFile[] {
  return dataFiles.filter(({ temporary, compatible }) => !temporary && isKnownVersion(compatible));
}

/** Only one thread is followed; with more of them (RAC) the end is not known. */
function redoEnd(redo: RedoFile[]): Scn | null {
  const sound = redo.filter(({ sumFits }) => sumFits).sort((a, b) => a.sequence - b.sequence);
  const last = sound.at(-1);
  const oneThread = new Set(sound.map(({ thread }) => thread)).size === 1;
  return last && oneThread && last.next !== null && last.next !== NO_SCN && last.next !== '0' ? last.next : null;
}

/** Sequence at which the recovery of some file begins; null: none needs it. */
export function firstNeeded(evidence: Pick<StaticEvidence, 'dataFiles'>): number | null {
  const needed = judgedFiles(evidence).filter(({ fuzzy, hotBackup }) => fuzzy || hotBackup);
  return needed.length > 0 ? Math.min(...needed.map(({ sequence }) => sequence)) : null;
}

async function readRedo(evidence: StaticEvidence, files: OpenFile[], context: CheckContext<unknown>): Promise<void> {
  const first = firstNeeded(evidence);
  if (first === null) return;
  const needed = evidence.redo.filter(({ sequence, sumFits, compatible }) => sumFits && sequence >= first && isKnownVersion(compatible));
  for (const [i, log] of needed.entries()) {
    const file = files.find(({ location }) => location.path === log.path);
    if (file) log.content = await readRedoBlocks(file.map, file.facts.blockBytes, log.sequence, context.signal);
    context.progress({ stage: 'static', what: 'Oracle redo logs', doneBytes: i + 1, totalBytes: needed.length });
  }
}

async function readBlocks(evidence: StaticEvidence, files: OpenFile[], context: CheckContext<unknown>): Promise<BlockFacts | null> {
  const judged = new Map(judgedFiles(evidence).map((file) => [file.path, file]));
  const end = evidence.redoEnd === null ? null : BigInt(evidence.redoEnd);
  const jobs = files.flatMap(({ location, map }) => {
    const file = judged.get(location.path);
    if (!file) return [];
    const { path, blockBytes, relativeFile, blocks } = file;
    // Closed files (read-only, or of another incarnation) need no redo.
    const redoEnd = file.fuzzy && file.checkpoint && end !== null && compareScn(file.checkpoint, String(end)) <= 0 ? end : null;
    return [{ map, detail: { path, blockBytes, relativeFile, blocks, redoEnd } satisfies FileDetail }];
  });
  if (jobs.length === 0) return null;
  const facts = emptyFacts();
  await runPagePass<null, FileDetail, BlockFacts>({
    verifier: new URL('./block-verifier.js', import.meta.url),
    config: null,
    files: jobs,
    blockBytes: READ_BYTES,
    onResult: (result) => addFacts(facts, result),
    signal: context.signal,
    progress: (doneBytes, totalBytes) => context.progress({ stage: 'static', what: 'Oracle blocks', doneBytes, totalBytes }),
  });
  return facts;
}
