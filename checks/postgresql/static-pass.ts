/**
 * The static pass over one PostgreSQL cluster: nothing of the guest runs. Three steps, each done once per restore point,
 * whichever checks ask: what the cluster says of itself, its log from redo to the end, every page of every relation.
 */

import { BlockTable, RelationNumbers } from '../../src/bytes/block-table.js';
import type { CheckContext } from '../../src/check.js';
import type { ByteMap, DatabaseInstance, GuestFiles } from '../../src/types.js';
import type { CatalogueFacts } from './catalogue/facts.js';
import { readCatalogue } from './catalogue/pass.js';
import { RelationIndex } from './catalogue/relation-index.js';
import { listRelations, type RelationEntry, type RelationFiles } from './cluster-files.js';
import { type ClusterHead, readControl, recoveryStart } from './control.js';
import type { ControlFile } from './format/control.js';
import { LogChanges } from './log/changes.js';
import { takeInventory, type WalInventory } from './log/inventory.js';
import { type LogFacts, walkLog } from './log/walk.js';
import { readPages } from './pages/read.js';
import type { RelationFacts } from './pages/relation-facts.js';
import type { PagesRequest } from './pages/request.js';
import type { ZeroedFacts } from './pages/zeroed-facts.js';
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

/** What is kept as evidence. The shared table of blocks is not. */
export interface StaticEvidence {
  head: ClusterHead;
  wal: WalFacts | null;
  relations: RelationFacts | null;
  /** Null where it was not asked for, or the control file cannot be trusted. Absent in evidence of older versions. */
  catalogue?: CatalogueFacts | null;
  /** As `catalogue`. */
  status?: StatusFacts | null;
  /** Null where the pages were not read. Absent in evidence of older versions. */
  zeroed?: ZeroedFacts | null;
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
  const pages = await context.once(`postgresql.pages ${instance.id}`, async () =>
    readPages(await pagesRequest(instance, context, control, head, log, catalogue)),
  );
  return { head, wal: log.facts, ...pages, catalogue: catalogue.facts, status: catalogue.status };
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
    if (distrust) index.distrust();
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

async function pagesRequest(
  instance: DatabaseInstance,
  context: PassContext,
  control: ControlFile,
  head: ClusterHead,
  known: LogKnowledge,
  catalogue: CatalogueKnowledge,
): Promise<PagesRequest> {
  const log = known.facts.log;
  return {
    ...{ control, index: catalogue.index, changes: known.changes, table: known.table, numbers: known.relations, signal: context.signal },
    relations: await relationFiles(instance, context),
    maps: await relationMaps(instance, context),
    logEnd: log && log.records > 0 ? log.end : null,
    judgeStale: judgesStale(head),
    zeroesUnread: catalogue.facts.unread ?? (log?.overflowed ? 'the log names more blocks than can be held in memory' : null),
    progress: (doneBytes, totalBytes) => context.progress({ stage: 'static', what: `verifying the pages of ${instance.id}`, doneBytes, totalBytes }),
  };
}
