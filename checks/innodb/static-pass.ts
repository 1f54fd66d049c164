/**
 * The static pass over one InnoDB instance: nothing of the guest runs. Two steps, each done once per restore point, whichever checks ask:
 * the redo log from the checkpoint to its end (and before), then every page of every tablespace.
 */
import { runPagePass } from '../../src/bytes/page-pool.js';
import type { CheckContext } from '../../src/check.js';
import type { DatabaseInstance, Facts, GuestFiles } from '../../src/types.js';
import { type NamedTable, readDictionary } from './files/dictionary.js';
import { readCopies } from './files/doublewrite.js';
import { type FileList, listSpaceFiles } from './files/list.js';
import { logicalPageBytes, promisedBytes, readTablespaces, type Tablespace, type Tablespaces } from './files/tablespaces.js';
import { type LogStep, pageDetail } from './page-detail.js';
import { addPageFacts, emptyPageFacts, type PageFacts } from './page-facts.js';
import { compareLinks, PageLinks } from './page-links.js';
import { BLOCK_BYTES, type PageConfig, type PageDetail } from './page-verifier.js';
import type { LogKnowledge } from './redo/knowledge.js';
import { type LogReport, readLog } from './redo/read-log.js';

/** The part of the check context that the pass uses. */
export type PassContext = Pick<CheckContext<unknown>, 'signal' | 'progress' | 'once'> & { labs: { files: GuestFiles } };

export interface Counted<T> {
  count: number;
  examples: T[];
}

export interface SpaceFacts {
  files: number;
  bytes: number;
  systemFiles: number;
  undoFiles: number;
  doublewriteCopies: number;
  /** The log says that they were deleted: they are not judged. */
  droppedFiles: number;
  unreadable: Counted<string>;
  missingLinks: Counted<string>;
  /** Shorter than page 0 says. */
  short: Counted<{ file: string; sizeBytes: number; promisedBytes: number }>;
  /** The log names them from the checkpoint on, or the dictionary does, and they are not there. */
  missing: Counted<{ file: string; space: number }>;
  /** The dictionary names them, and the log cannot be asked whether they were just dropped. */
  perhapsMissing: Counted<{ file: string; space: number }>;
  /** Two files that say they are the same tablespace. */
  doubled: Counted<{ file: string; other: string; space: number }>;
  tooManyFiles: boolean;
  pages: PageFacts;
}

/** What is kept as evidence. */
export interface StaticEvidence {
  instance: { kind: string; family: string | null; version: string | null; otherEngines: string | null; backupFolder: boolean };
  redo: LogReport;
  spaces: SpaceFacts | null;
}

/** R2 reads log from before the checkpoint in proportion to the data, so that it never costs more than the pages do. */
const HISTORY = { leastBytes: 128 * 1024 * 1024, mostBytes: 512 * 1024 * 1024, shareOfData: 0.25 };
const MAX_EXAMPLES = 20;
/** A log whose end is known to the block only: a page may be newer by less than that. */
const BLOCK_LOG_BYTES = 512;

/** Step 1. `spaces` is null. */
export async function instanceLog(instance: DatabaseInstance, context: PassContext): Promise<StaticEvidence> {
  const { report } = await logStep(instance, context);
  return { instance: identity(instance), redo: report, spaces: null };
}

/** Both steps. */
export async function staticPass(instance: DatabaseInstance, context: PassContext): Promise<StaticEvidence> {
  const step = await logStep(instance, context);
  const spaces = await context.once(`innodb.pages ${instance.id}`, () => readPages(instance, context, step));
  return { instance: identity(instance), redo: step.report, spaces };
}

function identity({ facts, version }: DatabaseInstance): StaticEvidence['instance'] {
  const text = (value: Facts[string] | undefined) => (typeof value === 'string' ? value : null);
  const { kind, family, otherEngines, backupFolder } = facts;
  return { kind: text(kind) ?? 'directory', family: text(family), version, otherEngines: text(otherEngines), backupFolder: backupFolder === true };
}

function files(instance: DatabaseInstance, context: PassContext): Promise<FileList> {
  return context.once(`innodb.files ${instance.id}`, () => listSpaceFiles(context.labs.files, instance));
}

function logStep(instance: DatabaseInstance, context: PassContext): Promise<LogStep> {
  return context.once(`innodb.log ${instance.id}`, async () => {
    const list = await files(instance, context);
    const dataBytes = list.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    return readLog({
      files: context.labs.files,
      instance,
      logicalBytes: await logicalPageBytes(context.labs.files, list),
      historyBytes: Math.min(HISTORY.mostBytes, Math.max(HISTORY.leastBytes, dataBytes * HISTORY.shareOfData)),
      signal: context.signal,
      progress: (doneBytes) => context.progress({ stage: 'static', what: `reading the log of ${instance.id}`, doneBytes, totalBytes: null }),
    });
  });
}

async function readPages(instance: DatabaseInstance, context: PassContext, { report, knowledge }: LogStep): Promise<SpaceFacts> {
  const list = await files(instance, context);
  const family = instance.facts.family === 'mysql' ? 'mysql' : 'mariadb';
  const found = await readTablespaces(context.labs.files, list, family, context.signal);
  nameBlankSpaces(found.spaces, knowledge);
  const config = pageConfig(report, knowledge, found.freeMap);
  const log = report.log.state === 'ok' ? report.log.facts : null;
  const copies = await readCopies(context.labs.files, instance, { spaces: found.spaces, knowledge, log, signal: context.signal });
  const named = await readDictionary(found.spaces);
  const facts = fileFacts(list, found, knowledge, named, report);
  facts.droppedFiles = found.spaces.filter(({ space }) => knowledge.dropped.has(space)).length;
  facts.doublewriteCopies = copies.copies;
  const pageFiles = found.spaces
    .filter(({ space }) => !knowledge.dropped.has(space))
    .map((space) => ({ map: space.map, detail: pageDetail(space, { knowledge, report }, copies.ranges) }));
  await runPagePass<PageConfig, PageDetail, PageFacts>({
    verifier: new URL('./page-verifier.js', import.meta.url),
    ...{ config, files: pageFiles, blockBytes: BLOCK_BYTES, signal: context.signal },
    onResult: (result) => addPageFacts(facts.pages, result),
    progress: (doneBytes, totalBytes) => context.progress({ stage: 'static', what: `verifying the pages of ${instance.id}`, doneBytes, totalBytes }),
  });
  if (config.links) compareLinks(config.links, pageFiles, facts.pages);
  return facts;
}

function pageConfig(report: LogReport, knowledge: LogKnowledge, freeMap: SharedArrayBuffer): PageConfig {
  const log = report.log.state === 'ok' ? report.log.facts : null;
  const newestLsn = log ? log.end + (log.exactEnd ? 0 : BLOCK_LOG_BYTES) : null;
  const pagesKnown = log?.pagesKnown === true && !knowledge.table.overflowed;
  const shared = { table: knowledge.table.shared, freeMap, touched: knowledge.touched.shared };
  return { newestLsn, pagesKnown, ...shared, links: pagesKnown ? PageLinks.create(freeMap.byteLength * 8) : null };
}

/** A file that is still blank is known by the name under which the log made it. */
function nameBlankSpaces(spaces: Tablespace[], knowledge: LogKnowledge): void {
  const blank = spaces.filter((space) => space.space < 0);
  if (blank.length === 0) return;
  const byName = new Map([...knowledge.files].map(([space, { name }]) => [name.replace(/^\.\//, ''), space]));
  for (const space of blank) space.space = byName.get(space.file.path) ?? -1;
}

function fileFacts(list: FileList, { spaces, unreadable }: Tablespaces, knowledge: LogKnowledge, named: NamedTable[], report: LogReport): SpaceFacts {
  const byLog = missingFiles(spaces, list, knowledge);
  const byDictionary = missingTables(spaces, list, knowledge, named).filter(({ space }) => !byLog.some((file) => file.space === space));
  const certain = report.log.state === 'ok' && report.log.facts.everyRecord === true && !report.log.facts.lostAt;
  const short = spaces.flatMap((space) => {
    const sizes = promisedBytes(space, spaces);
    const excused = knowledge.isRemade(space.space) || knowledge.dropped.has(space.space);
    return sizes && !excused && sizes.actual < sizes.promised ? [{ file: space.file.path, sizeBytes: sizes.actual, promisedBytes: sizes.promised }] : [];
  });
  return {
    files: spaces.length,
    bytes: spaces.reduce((sum, { map }) => sum + map.sizeBytes, 0),
    systemFiles: spaces.filter(({ file }) => file.kind === 'system').length,
    undoFiles: spaces.filter(({ file }) => file.kind === 'undo').length,
    doublewriteCopies: 0,
    droppedFiles: 0,
    unreadable: counted(unreadable),
    missingLinks: counted(list.missingLinks),
    short: counted(short),
    missing: counted(certain ? [...byLog, ...byDictionary] : byLog),
    perhapsMissing: counted(certain ? [] : byDictionary),
    doubled: counted(doubledSpaces(spaces)),
    tooManyFiles: list.tooMany,
    pages: emptyPageFacts(),
  };
}

/** Named by the log from the checkpoint on, not deleted there, and not found by their number (names may have changed). */
function missingFiles(spaces: Tablespace[], list: FileList, knowledge: LogKnowledge): { file: string; space: number }[] {
  const present = new Set(spaces.map(({ space }) => space));
  const names = new Set(list.files.map(({ path }) => path));
  return [...knowledge.files].flatMap(([space, word]) => {
    const file = word.name.replace(/^\.\//, '');
    const gone = word.deleted || knowledge.dropped.has(space);
    return gone || word.created || present.has(space) || names.has(file) ? [] : [{ file, space }];
  });
}

/** Named by the dictionary as it is on disk. A table whose drop is not yet there has its deletion in the log. */
function missingTables(spaces: Tablespace[], list: FileList, knowledge: LogKnowledge, named: NamedTable[]): { file: string; space: number }[] {
  const present = new Set(spaces.map(({ space }) => space));
  const names = new Set([...list.files.map(({ path }) => path), ...list.missingLinks.map((link) => link.split(' -> ')[0])]);
  return named.flatMap(({ name, space }) => {
    const file = `${name}.ibd`;
    return space === 0 || present.has(space) || knowledge.dropped.has(space) || names.has(file) ? [] : [{ file, space }];
  });
}

function doubledSpaces(spaces: Tablespace[]): { file: string; other: string; space: number }[] {
  const first = new Map<number, string>();
  return spaces.flatMap(({ space, file }) => {
    const other = first.get(space);
    if (space < 0 || file.kind === 'system') return [];
    if (other === undefined) first.set(space, file.path);
    return other === undefined ? [] : [{ file: file.path, other, space }];
  });
}

export function counted<T>(items: T[]): Counted<T> {
  return { count: items.length, examples: items.slice(0, MAX_EXAMPLES) };
}
