/** Reads the redo log of an instance, of whichever format it is. */
import { readGuestFile } from '../../../src/bytes/read-file.js';
import type { ByteMap, DatabaseInstance, GuestFiles } from '../../../src/types.js';
import { isAllZero } from '../format/page.js';
import { isLsn, parseRedoHead, type RedoHead } from '../format/redo-head.js';
import { readBlockLog } from './block-log.js';
import type { LogFacts } from './facts.js';
import { LogKnowledge } from './knowledge.js';
import { findLogFiles } from './log-files.js';
import { ringCheckpoint, ringHeaderIsIntact } from './ring.js';
import { walkRing } from './walk-ring.js';

/** `damaged`: the server would not start from it either. `unknown`: a format nothing here can read. */
export type LogState = { state: 'ok'; facts: LogFacts } | { state: 'missing' | 'damaged' | 'unknown'; why: string };

export interface LogReport {
  /** As in the inspection: plain data. */
  head: RedoHead | null;
  files: string[];
  bytes: number;
  log: LogState;
}

export interface LogRequest {
  files: GuestFiles;
  instance: DatabaseInstance;
  historyBytes: number;
  /** Page size of the instance. */
  logicalBytes: number;
  signal: AbortSignal;
  progress(doneBytes: number): void;
}

const HEAD_BYTES = 12288;

export async function readLog(request: LogRequest): Promise<{ report: LogReport; knowledge: LogKnowledge }> {
  const { entries, why } = await findLogFiles(request.files, request.instance);
  const report: LogReport = { head: null, files: entries.map((entry) => entry.location.path), bytes: 0, log: { state: 'missing', why } };
  const [first] = entries;
  if (!first) return { report, knowledge: nothingKnown() };
  const maps = await request.files.map(entries.map((entry) => entry.location));
  const head = await readGuestFile(request.files, first.location, HEAD_BYTES);
  report.bytes = maps.reduce((sum, map) => sum + (map?.sizeBytes ?? 0), 0);
  report.head = head ? parseRedoHead(head) : null;
  const { log, knowledge } = await readFormat(request, head, report.head, maps);
  report.log = log.state === 'ok' ? log : { state: log.state, why: `${first.location.path}: ${log.why}` };
  return { report, knowledge };
}

interface LogResult {
  log: LogState;
  knowledge: LogKnowledge;
}

async function readFormat(request: LogRequest, bytes: Buffer | null, head: RedoHead | null, maps: (ByteMap | null)[]): Promise<LogResult> {
  const [map] = maps;
  if (!bytes || !map || !head) return not('damaged', 'it is empty or cannot be read');
  if (isAllZero(bytes, 0, Math.min(512, bytes.length))) return not('damaged', 'it holds only zeroes where it begins');
  if (head.format === 'mariadb-10.8') return readRing(request, bytes, head, maps);
  // But for the numbers of its blocks nothing can be read of such a log, not even where it ends.
  if (head.format === 'mariadb-10.5' && head.encrypted) return not('unknown', 'it is encrypted, and its key is not in what is looked at');
  if (head.format === 'mariadb-10.5' || head.format === 'mysql') return readBlockLog({ maps, head, firstBlocks: bytes, ...request });
  return not('unknown', `its format 0x${head.number.toString(16)} is of no version that can be read here (${head.creator || 'no creator'})`);
}

async function readRing(request: LogRequest, bytes: Buffer, head: RedoHead, maps: (ByteMap | null)[]): Promise<LogResult> {
  const [map] = maps;
  if (!ringHeaderIsIntact(bytes) || !isLsn(head.firstLsn)) return not('damaged', 'its header is damaged');
  if (!map || maps.length > 1 || map.sizeBytes <= HEAD_BYTES) return not('damaged', 'the files of the log do not fit each other');
  const checkpoint = ringCheckpoint(bytes, head.firstLsn);
  if (!checkpoint) return not('damaged', 'it holds no valid checkpoint');
  const { facts, knowledge } = await walkRing({ map, head, checkpoint, ...request });
  return { log: { state: 'ok', facts }, knowledge };
}

function not(state: 'damaged' | 'unknown', why: string): LogResult {
  return { log: { state, why }, knowledge: nothingKnown() };
}

function nothingKnown(): LogKnowledge {
  return new LogKnowledge(0, null);
}
