/** What all static checks of one SQLite database share: its files are read once, nothing of the guest runs. */
import type { CheckContext } from '../../src/check.js';
import type { ByteSource, DatabaseInstance, Facts } from '../../src/types.js';
import type { DefectReport } from './defects.js';
import { type EffectivePages, openEffectivePages } from './effective-pages.js';
import { headerFacts } from './find.js';
import { parseWalIndex, WAL_INDEX_HEADER_BYTES, type WalIndexHeader } from './format/wal-index.js';
import { type DatabaseFiles, mapsOf, withFiles } from './guest-database.js';
import { comparePreviousLog, type PreviousLogFacts } from './previous-log.js';
import { type JournalFacts, scanJournal } from './scan-journal.js';
import { scanWal, type WalFacts, type WalScan } from './scan-wal.js';
import { type WalkFacts, walkDatabase } from './walk/walk-database.js';

/** Plain JSON, at most a few kilobytes. */
export interface StaticEvidence {
  path: string;
  volume: string;
  /** Null: the database file is not there or not a regular file. */
  fileBytes: number | null;
  /** Of the database file as captured, before any log; null when it is none. */
  header: Facts | null;
  /** The guest was running when it was captured; null when nothing tells. */
  guestWasRunning: boolean | null;
  wal: WalFacts | null;
  /** Null: the log holds no rest of an earlier one. */
  previousLog: PreviousLogFacts | null;
  walIndex: WalIndexHeader | null;
  /** A `-wal` file is there, perhaps of no length (`wal` is then null). */
  walFileExists: boolean;
  hasWalIndex: boolean;
  journal: (JournalFacts & JournalState) | null;
  pages: PageFacts | null;
  walk: WalkFacts | null;
  problems: DefectReport;
}

export interface JournalState {
  /** SQLite would roll it back: it is hot, and the super-journal it names (if any) exists. */
  rolledBack: boolean;
  superJournalExists: boolean | null;
  /** Pages of the database that differ from what the journal kept of them; null when that did not matter. */
  changedPages: number | null;
}

export interface PageFacts {
  pageSize: number;
  /** Size of the database as it would be opened. */
  pageCount: number;
  filePages: number;
  fromWal: number;
  fromJournal: number;
  /** Pages within the size that lie neither in the file nor in the log. */
  absent: number;
}

/** Runs once per instance and restore point. */
export function staticPass(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  return context.once(`sqlite static ${instance.id}`, () => collect(instance, context));
}

async function collect(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  const maps = await mapsOf(instance, context);
  const { path, volume } = maps.location;
  const evidence: StaticEvidence = {
    path,
    volume,
    fileBytes: maps.database?.sizeBytes ?? null,
    header: null,
    guestWasRunning: wasRunning(volume, context),
    wal: null,
    previousLog: null,
    walIndex: null,
    walFileExists: maps.wal !== null,
    hasWalIndex: maps.walIndex !== null,
    journal: null,
    pages: null,
    walk: null,
    problems: { counts: {}, examples: [] },
  };
  await withFiles(maps, async (files) => {
    evidence.header = await headerFacts(files.database);
    evidence.walIndex = files.walIndex && (await readWalIndex(files.walIndex));
    const wal = files.wal && files.wal.sizeBytes > 0 ? await scanWal(files.wal, context.signal) : null;
    const journal = files.journal && files.journal.sizeBytes > 0 ? await scanJournal(files.journal, context.signal) : null;
    const superJournalExists = journal?.facts.superJournal ? await existsBeside(journal.facts.superJournal, maps.location, context) : null;
    const rolledBack = journal?.facts.hot === true && superJournalExists !== false && files.database.sizeBytes > 0;
    const effective = await openEffectivePages(files, wal, rolledBack ? journal : null);
    evidence.wal = wal && { ...wal.facts };
    evidence.previousLog = await lookBack(files, wal, effective.facts.pageCount);
    evidence.journal = journal && { ...journal.facts, rolledBack, superJournalExists, changedPages: rolledBack ? effective.changedByTransaction : null };
    await walk(evidence, effective, context);
  });
  return evidence;
}

async function lookBack({ database, wal }: DatabaseFiles, scan: WalScan | null, pageCount: number): Promise<PreviousLogFacts | null> {
  if (!wal || !scan?.previous || scan.previous.pages.size === 0) return null;
  return comparePreviousLog(scan.previous, { database, wal }, scan.facts.pageSize, scan.pages, pageCount);
}

async function walk(evidence: StaticEvidence, effective: EffectivePages, context: CheckContext<unknown>): Promise<void> {
  evidence.pages = effective.facts;
  if (effective.facts.pageCount === 0 || !effective.view) {
    evidence.problems = effective.defects.report();
    return;
  }
  const totalBytes = effective.facts.pageCount * effective.facts.pageSize;
  const onPages = (pages: number) => {
    const doneBytes = Math.min(totalBytes, pages * effective.facts.pageSize);
    context.progress({ stage: 'static', what: `SQLite ${evidence.path}`, doneBytes, totalBytes });
  };
  evidence.walk = await walkDatabase(effective.view, effective.defects, context.signal, onPages);
  evidence.problems = effective.defects.report();
}

async function readWalIndex(source: ByteSource): Promise<WalIndexHeader | null> {
  return parseWalIndex(await source.read(0, Math.min(WAL_INDEX_HEADER_BYTES, source.sizeBytes)));
}

/** A super-journal lies beside the first database of its transaction: usually this one, else where its full name says. */
async function existsBeside(name: string, location: { volume: string; path: string }, context: CheckContext<unknown>): Promise<boolean> {
  const folder = location.path.slice(0, location.path.lastIndexOf('/') + 1);
  const baseName = name.slice(name.lastIndexOf('/') + 1);
  const volumes = [location.volume, ...context.inspection.volumes.map(({ id }) => id)];
  if (await context.labs.files.stat({ volume: location.volume, path: folder + baseName })) return true;
  for (const volume of new Set(volumes)) {
    if (await context.labs.files.stat({ volume, path: name })) return true;
  }
  return false;
}

function wasRunning(volume: string, context: CheckContext<unknown>): boolean | null {
  const state = context.inspection.volumes.find(({ id }) => id === volume)?.captureState?.state;
  if (state === 'needs-replay' || state === 'frozen') return true;
  return state === 'clean' ? false : null;
}
