/** Everything the check looks at: the control file, the log files, and every page of every table. */
import { posix } from 'node:path';
import { runPagePass } from '../../src/bytes/page-pool.js';
import { readGuestFile } from '../../src/bytes/read-file.js';
import type { CheckContext } from '../../src/check.js';
import { FormatError } from '../../src/errors.js';
import type { DatabaseInstance, GuestEntry, GuestFiles } from '../../src/types.js';
import { type AriaControl, type AriaTable, CONTROL_BYTES, parseControl, parseTableHead, TABLE_HEAD_BYTES } from './format/aria.js';
import { type AriaConfig, type AriaDetail, type AriaPages, addAriaPages, BLOCK_BYTES, emptyAriaPages } from './page-verifier.js';

export type AriaContext = Pick<CheckContext<unknown>, 'signal' | 'progress'> & { labs: { files: GuestFiles } };

export interface AriaEvidence {
  control: { state: 'ok'; control: AriaControl } | { state: 'missing' | 'damaged'; why: string };
  logs: { number: number; sizeBytes: number }[];
  tables: number;
  /** Tables whose other half is not there: `.MAI` without `.MAD`, or the reverse. */
  halves: string[];
  damagedHeads: string[];
  unreadable: string[];
  /** Their data files are not made of pages with checksums. */
  withoutChecksums: { count: number; examples: string[] };
  pages: AriaPages;
}

const MAX_LISTED = 20;
const DEFAULT_PAGE = 8192;
/** Made by queries, and made anew after a start. */
const TEMPORARY = /^#sql/;

export async function readAria(instance: DatabaseInstance, context: AriaContext): Promise<AriaEvidence> {
  const { files } = context.labs;
  const entries = await files.list(instance.location, { recursive: true });
  const control = await readControl(files, instance);
  const evidence: AriaEvidence = {
    ...{ control, logs: logFiles(entries, instance), tables: 0, halves: [], damagedHeads: [], unreadable: [] },
    ...{ withoutChecksums: { count: 0, examples: [] }, pages: emptyAriaPages() },
  };
  const tables = pairTables(entries, evidence);
  const parts = await describe(files, tables, evidence, control.state === 'ok' ? control.control.blockBytes : DEFAULT_PAGE);
  await runPagePass<AriaConfig, AriaDetail, AriaPages>({
    verifier: new URL('./page-verifier.js', import.meta.url),
    config: { pageBytes: control.state === 'ok' ? control.control.blockBytes : DEFAULT_PAGE },
    files: parts,
    blockBytes: BLOCK_BYTES,
    onResult: (result) => addAriaPages(evidence.pages, result),
    signal: context.signal,
    progress: (doneBytes, totalBytes) => context.progress({ stage: 'static', what: `verifying Aria tables of ${instance.id}`, doneBytes, totalBytes }),
  });
  return evidence;
}

async function readControl(files: GuestFiles, { location }: DatabaseInstance): Promise<AriaEvidence['control']> {
  const bytes = await readGuestFile(files, { volume: location.volume, path: posix.join(location.path, 'aria_log_control') }, CONTROL_BYTES);
  if (!bytes) return { state: 'missing', why: 'aria_log_control is not in the data directory' };
  try {
    return { state: 'ok', control: parseControl(bytes) };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { state: 'damaged', why: error.message };
  }
}

function logFiles(entries: GuestEntry[], { location }: DatabaseInstance): AriaEvidence['logs'] {
  return entries.flatMap((entry) => {
    const match = /^aria_log\.(\d{8})$/.exec(posix.relative(location.path, entry.location.path));
    return match && entry.type === 'file' ? [{ number: Number(match[1]), sizeBytes: entry.sizeBytes }] : [];
  });
}

interface Table {
  path: string;
  index: GuestEntry;
  data: GuestEntry;
}

function pairTables(entries: GuestEntry[], evidence: AriaEvidence): Table[] {
  const byPath = new Map(
    entries.filter((entry) => entry.type === 'file' && /\.MA[ID]$/.test(entry.location.path)).map((entry) => [entry.location.path, entry]),
  );
  const tables: Table[] = [];
  for (const [path, entry] of byPath) {
    if (TEMPORARY.test(posix.basename(path))) continue;
    const isIndex = path.endsWith('I');
    const other = byPath.get(`${path.slice(0, -1)}${isIndex ? 'D' : 'I'}`);
    if (!other && evidence.halves.length < MAX_LISTED) evidence.halves.push(path);
    if (other && isIndex) tables.push({ path, index: entry, data: other });
  }
  evidence.tables = tables.length;
  return tables;
}

async function describe(files: GuestFiles, tables: Table[], evidence: AriaEvidence, pageBytes: number) {
  const maps = await files.map(tables.flatMap(({ index, data }) => [index.location, data.location]));
  const parts = [];
  for (const [i, { path, index }] of tables.entries()) {
    const [indexMap, dataMap] = [maps[2 * i], maps[2 * i + 1]];
    const head = tableHead(await readGuestFile(files, index.location, TABLE_HEAD_BYTES));
    if (!indexMap || !dataMap) list(evidence.unreadable, path);
    else if (!head) list(evidence.damagedHeads, path);
    else {
      if (!head.checksums || !head.pagedData) countOne(evidence.withoutChecksums, path);
      const firstPage = Math.ceil(head.headerBytes / pageBytes);
      if (head.checksums) parts.push({ map: indexMap, detail: { path, isIndex: true, firstPage } });
      if (head.checksums && head.pagedData) parts.push({ map: dataMap, detail: { path: `${path.slice(0, -1)}D`, isIndex: false, firstPage: 0 } });
    }
  }
  return parts;
}

function tableHead(bytes: Buffer | null): AriaTable | null {
  try {
    return bytes && parseTableHead(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return null;
  }
}

function list(names: string[], name: string): void {
  if (names.length < MAX_LISTED) names.push(name);
}

function countOne(counted: { count: number; examples: string[] }, name: string): void {
  counted.count++;
  list(counted.examples, name);
}
