/** Puts together the page view that SQLite would open, and what that takes. */
import type { ByteSource } from '../../src/types.js';
import { Defects } from './defects.js';
import { decodePageSize, HEADER_BYTES, MAGIC } from './format/header.js';
import type { DatabaseFiles } from './guest-database.js';
import { type PageLayer, PageView } from './page-view.js';
import type { JournalScan } from './scan-journal.js';
import type { WalScan } from './scan-wal.js';
import type { PageFacts } from './static-pass.js';

export interface EffectivePages {
  /** Null when not even the page size is known. */
  view: PageView | null;
  facts: PageFacts;
  defects: Defects;
  /** Pages on disk that differ from what the journal kept of them; null when the journal is whole. */
  changedByTransaction: number | null;
}

/** The format's own limit. */
const MAX_PAGES = 0xfffffffe;

/** The logs that SQLite would apply, and the page size they state. */
interface Logs {
  wal: WalScan | null;
  journal: JournalScan | null;
  layers: PageLayer[];
  pageSize: number | null;
}

/** @param journal only when SQLite would roll it back. */
export async function openEffectivePages(files: DatabaseFiles, wal: WalScan | null, journal: JournalScan | null): Promise<EffectivePages> {
  const defects = new Defects();
  const empty: PageFacts = { pageSize: 0, pageCount: 0, filePages: 0, fromWal: 0, fromJournal: 0, absent: 0 };
  const result: EffectivePages = { view: null, facts: empty, defects, changedByTransaction: null };
  if (files.database.sizeBytes === 0) return result;
  const logs = applicableLogs(files, wal, journal, defects);
  const head = await readHead(files.database, logs.layers);
  const pageSize = logs.pageSize ?? decodePageSize(head.readUInt16BE(16));
  const isCreation = logs.journal?.facts.initialPages === 0 && !logs.wal;
  if (isCreation) return result;
  if (pageSize === null || !head.subarray(0, MAGIC.length).equals(MAGIC)) {
    defects.add('sqlite.header', 1, '', 'does not begin with a SQLite header');
    return result;
  }
  const filePages = Math.ceil(files.database.sizeBytes / pageSize);
  result.view = new PageView(files.database, logs.layers, pageSize, sizeInPages(logs, head, filePages, defects));
  result.facts = {
    pageSize,
    pageCount: result.view.pageCount,
    filePages,
    fromWal: logs.wal?.pages.size ?? 0,
    fromJournal: logs.journal?.pages.size ?? 0,
    absent: countAbsent(result.view, filePages),
  };
  if (logs.journal && files.journal && isDamaged(logs.journal)) result.changedByTransaction = await countChanged(files.database, files.journal, logs.journal);
  return result;
}

function applicableLogs(files: DatabaseFiles, wal: WalScan | null, journal: JournalScan | null, defects: Defects): Logs {
  const logs: Logs = { wal: null, journal: null, layers: [], pageSize: null };
  if (wal && wal.facts.committedFrames > 0 && files.wal) {
    logs.wal = wal;
    logs.pageSize = wal.facts.pageSize;
    logs.layers.push({ source: files.wal, pages: wal.pages });
  }
  if (!journal || !files.journal) return logs;
  if (logs.pageSize !== null && logs.pageSize !== journal.facts.pageSize) {
    defects.add(
      'sqlite.header',
      1,
      '',
      `is of a database whose log has pages of ${logs.pageSize} bytes and whose journal has pages of ${journal.facts.pageSize}`,
    );
    return logs;
  }
  logs.journal = journal;
  logs.pageSize = journal.facts.pageSize;
  logs.layers.push({ source: files.journal, pages: journal.pages });
  return logs;
}

/** Never more than there are pages anywhere, whatever the logs and the header claim. */
function sizeInPages({ wal, journal, layers }: Logs, head: Buffer, filePages: number, defects: Defects): number {
  const claimed = wal?.facts.commitPages ?? journal?.facts.initialPages ?? pagesByHeader(head, filePages);
  let last = filePages;
  for (const { pages } of layers) for (const page of pages.keys()) last = Math.max(last, page);
  if (claimed > last) defects.add('sqlite.file.short', last, '', `is the last there is, but the database has ${claimed} pages`);
  return Math.min(claimed, last, MAX_PAGES);
}

/** The first bytes of page 1, from the topmost layer that has it. */
async function readHead(database: ByteSource, layers: PageLayer[]): Promise<Buffer> {
  for (const { source, pages } of layers) {
    const offset = pages.get(1);
    if (offset !== undefined) return source.read(offset, HEADER_BYTES);
  }
  return Buffer.concat([await database.read(0, Math.min(HEADER_BYTES, database.sizeBytes))], HEADER_BYTES);
}

/** The header's page count holds when the same library wrote it that wrote last; else the file's length does. */
function pagesByHeader(head: Buffer, filePages: number): number {
  const pageCount = head.readUInt32BE(28);
  return pageCount > 0 && head.readUInt32BE(24) === head.readUInt32BE(92) ? pageCount : filePages;
}

/** Only pages behind the file's end can be absent, and the view ends at the last page that is anywhere. */
function countAbsent(view: PageView, filePages: number): number {
  let absent = 0;
  for (let page = filePages; page >= 1 && page <= view.pageCount && page - filePages < MAX_COUNTED; page++) {
    if (!view.isPresent(page)) absent++;
  }
  return absent;
}

/** A log may name page four billion: beyond this the number of absent pages is a lower bound. */
const MAX_COUNTED = 1_000_000;

function isDamaged({ facts }: JournalScan): boolean {
  return facts.recordsBehindHole > 0 || facts.records < facts.promisedRecords;
}

async function countChanged(database: ByteSource, journalSource: ByteSource, journal: JournalScan): Promise<number> {
  const { pageSize } = journal.facts;
  let changed = 0;
  for (const [page, offset] of journal.pages) {
    const at = (page - 1) * pageSize;
    if (at + pageSize > database.sizeBytes) continue;
    const [kept, now] = await Promise.all([journalSource.read(offset, pageSize), database.read(at, pageSize)]);
    if (!kept.equals(now)) changed++;
  }
  return changed;
}
