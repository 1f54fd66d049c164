/**
 * The static pass over one PostgreSQL cluster: nothing of the guest runs. Three steps, each done once per restore point,
 * whichever checks ask: what the cluster says of itself, its log from redo to the end, every page of every relation.
 */

import { BlockTable, RelationNumbers } from '../../src/bytes/block-table.js';
import { runPagePass } from '../../src/bytes/page-pool.js';
import type { CheckContext } from '../../src/check.js';
import type { ByteMap, DatabaseInstance, GuestFiles } from '../../src/types.js';
import type { CatalogueFacts } from './catalogue/facts.js';
import { readCatalogue } from './catalogue/pass.js';
import { RelationIndex } from './catalogue/relation-index.js';
import { listRelations, type RelationEntry, type RelationFiles } from './cluster-files.js';
import { type ClusterHead, readControl, recoveryStart } from './control.js';
import type { ControlFile } from './format/control.js';
import { LogChanges, relationKey } from './log/changes.js';
import { takeInventory, type WalInventory } from './log/inventory.js';
import { type LogFacts, walkLog } from './log/walk.js';
import { addPageFacts, emptyPageFacts, type PageFacts } from './pages/facts.js';
import { BLOCK_BYTES, type PageConfig, type PageDetail } from './pages/verifier.js';
import { wasShutDown, whyLogUntrusted } from './state.js';
import type { StatusFacts } from './status/facts.js';
import { readStatus } from './status/pass.js';

/** The part of the check context that the pass uses. */
export type PassContext = Pick<CheckContext<unknown>, 'signal' | 'progress' | 'once'> & { labs: { files: GuestFiles } };

export interface WalFacts {
  /** Null when pg_wal is not in the restore point. */
  inventory: { counts: WalInventory['counts']; otherCluster: string[]; short: string[] } | null;
  log: LogFacts | null;
}

/** A segment file that is shorter than 1 GiB although the relation goes on in the next. */
export interface ShortSegment {
  file: string;
  sizeBytes: number;
  next: string;
}

export interface RelationFacts {
  files: number;
  bytes: number;
  exemptFiles: number;
  derivedFiles: number;
  shortSegments: { count: number; examples: ShortSegment[] };
  /** Relation files that could not be read. */
  unreadable: { count: number; examples: string[] };
  missingTablespaces: string[];
  pages: PageFacts;
}

/** What is kept as evidence. The shared table of blocks is not. */
export interface StaticEvidence {
  head: ClusterHead;
  wal: WalFacts | null;
  relations: RelationFacts | null;
  /** Null where it was not asked for, or the control file cannot be trusted. Absent in evidence of older versions. */
  catalogue?: CatalogueFacts | null;
  /** As `catalogue`. */
  status?: StatusFacts | null;
}

interface LogKnowledge {
  facts: WalFacts;
  table: BlockTable;
  relations: RelationNumbers;
  changes: LogChanges;
}

interface CatalogueKnowledge {
  facts: CatalogueFacts;
  status: StatusFacts;
  index: RelationIndex;
}

/** R2 reads log from before redo in proportion to the data, so that it never costs more than the pages do. */
const HISTORY = { leastBytes: 128 * 1024 * 1024, mostBytes: 512 * 1024 * 1024, shareOfData: 0.25 };
const MAX_EXAMPLES = 20;

/** Step 1: control file, backup label, standby marks. */
export function clusterHead(instance: DatabaseInstance, context: PassContext): Promise<ClusterHead> {
  return context.once(`postgresql.head ${instance.id}`, () => readControl(context.labs.files, instance));
}

/** Steps 1 and 2. `wal` is null when the control file cannot be trusted. */
export async function clusterLog(instance: DatabaseInstance, context: PassContext): Promise<StaticEvidence> {
  const head = await clusterHead(instance, context);
  const log = await logKnowledge(instance, context, head);
  return { head, wal: log?.facts ?? null, relations: null };
}

/** All three steps. `relations` is null when the control file cannot be trusted. */
export async function staticPass(instance: DatabaseInstance, context: PassContext): Promise<StaticEvidence> {
  const head = await clusterHead(instance, context);
  const log = await logKnowledge(instance, context, head);
  if (head.control.kind !== 'ok' || !log) return { head, wal: null, relations: null };
  const { control } = head.control;
  const catalogue = await catalogueKnowledge(instance, context, control, head, log);
  const relations = await context.once(`postgresql.pages ${instance.id}`, () => readPages(instance, context, control, head, log, catalogue));
  return { head, wal: log.facts, relations, catalogue: catalogue.facts, status: catalogue.status };
}

/** Steps 1 and 2, and the catalogue and the status of transactions held against files and log. */
export async function clusterCatalogue(instance: DatabaseInstance, context: PassContext): Promise<StaticEvidence> {
  const head = await clusterHead(instance, context);
  const log = await logKnowledge(instance, context, head);
  if (head.control.kind !== 'ok' || !log) return { head, wal: null, relations: null, catalogue: null, status: null };
  const catalogue = await catalogueKnowledge(instance, context, head.control.control, head, log);
  return { head, wal: log.facts, relations: null, catalogue: catalogue.facts, status: catalogue.status };
}

function catalogueKnowledge(
  instance: DatabaseInstance,
  context: PassContext,
  control: ControlFile,
  head: ClusterHead,
  log: LogKnowledge,
): Promise<CatalogueKnowledge> {
  return context.once(`postgresql.catalogue ${instance.id}`, async () => {
    const relations = await relationFiles(instance, context);
    const [shutDown, judgeStale] = [wasShutDown(head, control), judgesStale(head)];
    const index = new RelationIndex(relations.entries);
    const facts = await readCatalogue({
      ...{ instance, control, relations, index, files: context.labs.files, maps: await relationMaps(instance, context), signal: context.signal },
      ...{ changes: log.changes, table: log.table, numbers: log.relations },
      ...{ shutDown, judgeStale },
    });
    const distrust = whyLogUntrusted(head, control, log.facts.log);
    const { files } = context.labs;
    const status = await readStatus({ files, instance, control, changes: log.changes, frozen: facts.frozen, shutDown, judgeStale, signal: context.signal });
    if (distrust) index.read.clear();
    const unread = distrust ? { unread: distrust } : {};
    return { facts: { ...facts, ...unread }, status: { ...status, ...unread }, index };
  });
}

/** On a standby, what the log says before its restart point may not be in the pages. */
const judgesStale = (head: ClusterHead): boolean => !head.standby && !head.archiveRecovery;

async function logKnowledge(instance: DatabaseInstance, context: PassContext, head: ClusterHead): Promise<LogKnowledge | null> {
  if (head.control.kind !== 'ok') return null;
  const { control } = head.control;
  return context.once(`postgresql.log ${instance.id}`, () => readLog(instance, context, control, head));
}

async function readLog(instance: DatabaseInstance, context: PassContext, control: ControlFile, head: ClusterHead): Promise<LogKnowledge> {
  const table = new BlockTable();
  const relations = new RelationNumbers();
  const changes = new LogChanges();
  const found = await relationFiles(instance, context);
  const inventory = await takeInventory(context.labs.files, instance, control);
  if (!inventory) return { facts: { inventory: null, log: null }, table, relations, changes };
  const { redo, timeline } = recoveryStart(head, control);
  const { version, counts, otherCluster, short } = inventory;
  const { systemId, walPageBytes: pageBytes, walSegmentBytes: segmentBytes } = control;
  const log = await walkLog({
    inventory,
    geometry: { version, systemId, pageBytes, segmentBytes, leastTimeline: timeline },
    redo,
    historyBytes: historyBytes(found.entries),
    hintsLogged: control.checksums || control.walLogHints,
    table,
    relations,
    changes,
    signal: context.signal,
    progress: (doneBytes) => context.progress({ stage: 'static', what: `reading the log of ${instance.id}`, doneBytes, totalBytes: null }),
  });
  return { facts: { inventory: { counts, otherCluster, short }, log }, table, relations, changes };
}

function relationFiles(instance: DatabaseInstance, context: PassContext): Promise<RelationFiles> {
  return context.once(`postgresql.files ${instance.id}`, () => listRelations(context.labs.files, instance));
}

/** Where the bytes of all relation files lie: asked once, for all at once. */
function relationMaps(instance: DatabaseInstance, context: PassContext): Promise<(ByteMap | null)[]> {
  return context.once(`postgresql.maps ${instance.id}`, async () => {
    const { entries } = await relationFiles(instance, context);
    return context.labs.files.map(entries.map((entry) => entry.location));
  });
}

function historyBytes(entries: RelationEntry[]): number {
  const dataBytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  return Math.min(HISTORY.mostBytes, Math.max(HISTORY.leastBytes, dataBytes * HISTORY.shareOfData));
}

async function readPages(
  instance: DatabaseInstance,
  context: PassContext,
  control: ControlFile,
  head: ClusterHead,
  known: LogKnowledge,
  { index }: CatalogueKnowledge,
): Promise<RelationFacts> {
  const { entries, missingTablespaces } = await relationFiles(instance, context);
  const unlogged = unloggedRelations(entries);
  const maps = await relationMaps(instance, context);
  const facts: RelationFacts = {
    ...{ files: entries.length, bytes: 0, exemptFiles: 0, derivedFiles: 0 },
    shortSegments: shortSegments(
      entries.filter((entry) => !isDropped(entry, known.changes)),
      control.pageBytes * control.relationSegmentPages,
    ),
    unreadable: { count: 0, examples: [] },
    missingTablespaces,
    pages: emptyPageFacts(),
  };
  const files = [];
  for (const [i, entry] of entries.entries()) {
    const map = maps[i];
    const detail = describe(
      entry,
      control,
      unlogged.has(keyOf(entry)),
      index.isUnborn(entry) && !known.changes.isBorn(entry.tablespace, entry.database, entry.relation),
      known.relations,
    );
    if (!map) noteUnreadable(facts, entry.path);
    else {
      facts.bytes += map.sizeBytes;
      if (detail.role === 'exempt') facts.exemptFiles++;
      if (detail.role === 'derived') facts.derivedFiles++;
      files.push({ map, detail });
    }
  }
  await runPagePass<PageConfig, PageDetail, PageFacts>({
    verifier: new URL('./pages/verifier.js', import.meta.url),
    config: pageConfig(control, head, known),
    files,
    blockBytes: BLOCK_BYTES,
    onResult: (result) => addPageFacts(facts.pages, result),
    signal: context.signal,
    progress: (doneBytes, totalBytes) => context.progress({ stage: 'static', what: `verifying the pages of ${instance.id}`, doneBytes, totalBytes }),
  });
  return facts;
}

function pageConfig(control: ControlFile, head: ClusterHead, known: LogKnowledge): PageConfig {
  const log = known.facts.log;
  return {
    pageBytes: control.pageBytes,
    checksums: control.checksums,
    logEnd: log && log.records > 0 ? log.end : null,
    table: known.table.shared,
    judgeStale: judgesStale(head),
  };
}

function noteUnreadable(facts: RelationFacts, path: string): void {
  facts.unreadable.count++;
  if (facts.unreadable.examples.length < MAX_EXAMPLES) facts.unreadable.examples.push(path);
}

const keyOf = (entry: RelationEntry): string => relationKey(entry.tablespace, entry.database, entry.relation);

/** The log to be replayed removes what is left of it: its first segment goes last. */
function isDropped(entry: RelationEntry, changes: LogChanges): boolean {
  return changes.relations.get(keyOf(entry))?.dropped === true || changes.databases.has(entry.database);
}

/** A relation with an `_init` fork is unlogged: recovery empties it. */
function unloggedRelations(entries: RelationEntry[]): Set<string> {
  return new Set(entries.filter((entry) => entry.fork === 'init').map(keyOf));
}

function describe(entry: RelationEntry, control: ControlFile, unlogged: boolean, unborn: boolean, relations: RelationNumbers): PageDetail {
  const derived = entry.fork === 'fsm' || entry.fork === 'vm';
  const exempt = entry.temporary || entry.fork === 'init' || unlogged;
  const firstBlock = entry.segment * control.relationSegmentPages;
  const relation = derived || exempt ? -1 : relations.find(entry.tablespace, entry.database, entry.relation);
  return { path: entry.path, relation, firstBlock, role: derived ? 'derived' : exempt ? 'exempt' : unborn ? 'unborn' : 'logged' };
}

/** Segment n+1 holds data only when n is full. Empty segments after a truncation are normal. */
export function shortSegments(entries: RelationEntry[], fullBytes: number): RelationFacts['shortSegments'] {
  const sizes = new Map(entries.map((entry) => [entry.path, entry.sizeBytes]));
  const found: RelationFacts['shortSegments'] = { count: 0, examples: [] };
  for (const entry of entries) {
    if (entry.segment === 0 || entry.sizeBytes === 0) continue;
    const base = entry.path.slice(0, entry.path.lastIndexOf('.'));
    const before = entry.segment === 1 ? base : `${base}.${entry.segment - 1}`;
    const sizeBytes = sizes.get(before) ?? 0;
    if (sizeBytes >= fullBytes) continue;
    found.count++;
    if (found.examples.length < MAX_EXAMPLES) found.examples.push({ file: before, sizeBytes, next: entry.path });
  }
  return found;
}
