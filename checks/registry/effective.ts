/** The hive as Windows would have it after loading: the primary file with what its logs bring. */
import { FormatError } from '../../src/errors.js';
import type { ByteSource } from '../../src/types.js';
import { BASE_BLOCK_BYTES, type BaseBlock, isDirty, parseBaseBlock } from './format/base-block.js';
import { type DirtyPage, type LogEntry, parseDirtyVector, parseEntries } from './format/log.js';

/** Larger hives are not judged: Windows itself holds a hive in memory. */
export const MAX_HIVE_BYTES = 256 * 1024 * 1024;
const MAX_LOG_BYTES = 64 * 1024 * 1024;
const PART_BYTES = 4 * 1024 * 1024;

export interface LogFacts {
  path: string;
  sizeBytes: number;
  /** `other`: no base block of a log; `remains`: of an earlier state of the hive, or not whole. */
  kind: 'empty' | 'entries' | 'vector' | 'remains' | 'other' | 'too large';
  entries: number;
  firstSequence: number | null;
  lastSequence: number | null;
}

export interface Applied {
  pages: number;
  bytes: number;
  /** Sequence of the first and the last entry that were applied; null for a log of the old kind, or none. */
  from: number | null;
  to: number | null;
}

export interface EffectiveHive {
  /** Null where the primary file's is not readable and no log repairs it. */
  base: BaseBlock | null;
  baseFromLog: boolean;
  dirty: boolean;
  logs: LogFacts[];
  applied: Applied | null;
  /** Bytes that the file should have and has not. */
  missingBytes: number;
  /** From the first bin on; null when the hive is too large or has no base block. */
  bins: Buffer | null;
}

interface Log {
  facts: LogFacts;
  base: BaseBlock | null;
  bytes: Buffer;
  entries: LogEntry[];
}

export async function loadHive(primary: ByteSource, logFiles: { path: string; source: ByteSource }[]): Promise<EffectiveHive> {
  const own = baseOrNull(await primary.read(0, Math.min(BASE_BLOCK_BYTES, primary.sizeBytes)));
  const dirty = !own || isDirty(own);
  const logs: Log[] = [];
  for (const { path, source } of logFiles) logs.push(await readLog(path, source));
  const base = own?.sumFits ? own : baseFromLogs(logs);
  const origin = { base: base ?? own, baseFromLog: base !== null && base !== own, dirty };
  const hive: EffectiveHive = { ...origin, logs: logs.map(({ facts }) => facts), applied: null, missingBytes: 0, bins: null };
  if (!hive.base) return hive;
  const changes = dirty ? changesFor(hive.base, logs) : null;
  const binsBytes = changes?.binsBytes ?? hive.base.binsBytes;
  if (binsBytes > MAX_HIVE_BYTES) return hive;
  const present = Math.max(0, Math.min(binsBytes, primary.sizeBytes - BASE_BLOCK_BYTES));
  const bins = Buffer.alloc(binsBytes);
  await readInto(bins, primary, present);
  hive.missingBytes = binsBytes - present - (changes ? coveredBehind(changes.pages, present) : 0);
  if (changes) {
    for (const { offset, bytes } of changes.pages) bytes.copy(bins, offset);
    hive.applied = { pages: changes.pages.length, bytes: changes.pages.reduce((sum, { bytes }) => sum + bytes.length, 0), from: changes.from, to: changes.to };
  }
  hive.bins = bins;
  return hive;
}

/** In parts, so that no second copy of the whole is held. */
async function readInto(bins: Buffer, primary: ByteSource, lengthBytes: number): Promise<void> {
  for (let at = 0; at < lengthBytes; at += PART_BYTES) {
    (await primary.read(BASE_BLOCK_BYTES + at, Math.min(PART_BYTES, lengthBytes - at))).copy(bins, at);
  }
}

function baseOrNull(head: Buffer): BaseBlock | null {
  try {
    return parseBaseBlock(head);
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

async function readLog(path: string, source: ByteSource): Promise<Log> {
  const facts: LogFacts = { path, sizeBytes: source.sizeBytes, kind: 'empty', entries: 0, firstSequence: null, lastSequence: null };
  const nothing = { facts, base: null, bytes: Buffer.alloc(0), entries: [] };
  if (source.sizeBytes === 0) return nothing;
  if (source.sizeBytes > MAX_LOG_BYTES) return { ...nothing, facts: { ...facts, kind: 'too large' } };
  const bytes = await source.read(0, source.sizeBytes);
  const base = baseOrNull(bytes);
  if (!base) return { ...nothing, facts: { ...facts, kind: bytes.every((byte) => byte === 0) ? 'empty' : 'other' } };
  const valid = base.sumFits;
  const entries = valid && base.type === 6 ? parseEntries(bytes, base.sectorBytes) : [];
  const old = valid && (base.type === 1 || base.type === 2) && base.primarySequence === base.secondarySequence;
  const kind = entries.length > 0 ? 'entries' : old ? 'vector' : 'remains';
  const found = {
    ...facts,
    kind,
    entries: entries.length,
    firstSequence: entries[0]?.sequence ?? null,
    lastSequence: entries.at(-1)?.sequence ?? null,
  } as const;
  return { facts: found, base: valid ? base : null, bytes, entries };
}

/** When the hive's own base block is damaged, that of a log takes its place: of the log that begins first. */
function baseFromLogs(logs: Log[]): BaseBlock | null {
  const usable = logs.filter(({ facts, base }) => base && (facts.kind === 'entries' || facts.kind === 'vector'));
  usable.sort((a, b) => (a.facts.firstSequence ?? 0) - (b.facts.firstSequence ?? 0));
  return usable[0]?.base ?? null;
}

interface Changes {
  pages: DirtyPage[];
  binsBytes: number;
  from: number | null;
  to: number | null;
}

function changesFor(base: BaseBlock, logs: Log[]): Changes | null {
  return changesFromEntries(base, logs) ?? changesFromVector(base, logs);
}

/** Entries from the hive's own sequence on, each following the one before, over both logs. */
function changesFromEntries(base: BaseBlock, logs: Log[]): Changes | null {
  const lists = logs.map(({ entries }) => entries).filter((entries) => entries.length > 0);
  lists.sort((a, b) => (a[0]?.sequence ?? 0) - (b[0]?.sequence ?? 0));
  const changes: Changes = { pages: [], binsBytes: base.binsBytes, from: null, to: null };
  for (const entry of lists.flat()) {
    if (entry.sequence < base.primarySequence || (changes.to !== null && entry.sequence <= changes.to)) continue;
    if (changes.to !== null && entry.sequence !== changes.to + 1) break;
    for (const page of entry.pages) changes.pages.push(page);
    changes.from ??= entry.sequence;
    changes.to = entry.sequence;
    changes.binsBytes = entry.binsBytes;
  }
  return changes.to === null ? null : changes;
}

function changesFromVector(base: BaseBlock, logs: Log[]): Changes | null {
  for (const { facts, base: logBase, bytes } of logs) {
    if (facts.kind !== 'vector' || !logBase || logBase.writtenAt !== base.writtenAt) continue;
    const pages = parseDirtyVector(bytes, logBase.sectorBytes, logBase.binsBytes);
    if (pages && logBase.binsBytes <= MAX_HIVE_BYTES) return { pages, binsBytes: logBase.binsBytes, from: null, to: null };
  }
  return null;
}

/** Bytes behind `from` that the pages bring; pages may bring the same twice, so only distinct 512-byte units count. */
function coveredBehind(pages: DirtyPage[], from: number): number {
  const units = new Set<number>();
  for (const { offset, bytes } of pages) {
    for (let at = Math.max(offset, from); at < offset + bytes.length; at += 512) units.add(Math.floor(at / 512));
  }
  return units.size * 512;
}
