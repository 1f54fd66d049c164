/** Reads the log files of one database: their headers, and of version 8 and later every segment of the files that recovery needs. */
import { MappedSource } from '../../src/bytes/source.js';
import type { ByteMap, GuestLocation } from '../../src/types.js';
import { LOG_HEADER_BYTES, type LogHeader, parseCheckpoint, parseLogHeader, SEGMENT_BYTES, type SegmentKind, segmentKind } from './format/log-header.js';

/** Versions before it have records of another kind, which are not read. */
const FIRST_WITH_SEGMENTS = 8;
const READ_BYTES = 1024 * 1024;

export interface LogFileFacts extends LogHeader {
  path: string;
  volume: string;
  sizeBytes: number;
  /** Null: not read, because recovery does not need it or its version is not known. */
  segments: SegmentFacts | null;
}

export interface SegmentFacts {
  valid: number;
  /** First that is no segment and not the end of the log, with whole ones of this generation after it: a hole. */
  hole: number | null;
  /** First that is no segment, where nothing comes after it: the last write may have been under way. */
  torn: number | null;
}

export interface CheckpointFacts {
  path: string;
  generation: number;
  sumFits: boolean;
}

export interface LogSource {
  location: GuestLocation;
  map: ByteMap;
}

export async function readLogHeaders(files: LogSource[]): Promise<LogFileFacts[]> {
  const logs: LogFileFacts[] = [];
  for (const { location, map } of files) {
    const header = parseLogHeader(await head(map, LOG_HEADER_BYTES));
    if (header) logs.push({ ...header, ...location, sizeBytes: map.sizeBytes, segments: null });
  }
  return logs.sort((a, b) => a.generation - b.generation || (a.path < b.path ? -1 : 1));
}

/** The file holds two copies; the engine takes the one that is whole. */
export async function readCheckpoint(file: LogSource | undefined): Promise<CheckpointFacts | null> {
  if (!file) return null;
  const bytes = await head(file.map, 2 * LOG_HEADER_BYTES);
  const copies = [parseCheckpoint(bytes), parseCheckpoint(bytes.subarray(LOG_HEADER_BYTES))];
  const best = copies.find((copy) => copy?.sumFits) ?? copies.find((copy) => copy !== null);
  return best ? { path: file.location.path, generation: best.at.generation, sumFits: best.sumFits } : null;
}

async function head(map: ByteMap, lengthBytes: number): Promise<Buffer> {
  const source = new MappedSource(map);
  return source.read(0, Math.min(lengthBytes, map.sizeBytes)).finally(() => source.close());
}

/** Null: of a version whose records are not known. */
export async function readSegments(log: LogFileFacts, map: ByteMap, signal: AbortSignal): Promise<SegmentFacts | null> {
  if (log.major < FIRST_WITH_SEGMENTS || log.sectorBytes !== SEGMENT_BYTES || !log.sumFits) return null;
  const source = new MappedSource(map);
  const walk = new SegmentWalk();
  try {
    // The last segment of a file is kept for the copy of the one before it.
    const end = Math.min(log.sectors - 1, Math.floor(map.sizeBytes / SEGMENT_BYTES) - 1);
    const step = READ_BYTES / SEGMENT_BYTES;
    for (let at = Math.max(1, log.headerSectors); at < end; at += step) {
      signal.throwIfAborted();
      const count = Math.min(step, end - at);
      const words = wordsOf(await source.read(at * SEGMENT_BYTES, (count + 1) * SEGMENT_BYTES));
      for (let i = 0; i < count; i++) walk.add(kindOf(words, i, at + i, log.generation), at + i);
    }
    return walk.facts();
  } finally {
    await source.close();
  }
}

function wordsOf(bytes: Buffer): Int32Array {
  return new Int32Array(new Uint8Array(bytes).buffer);
}

/** A damaged segment is repaired from its copy, which a write that did not fill it left right behind it. */
function kindOf(words: Int32Array, index: number, sector: number, generation: number): SegmentKind {
  const first = (index * SEGMENT_BYTES) / 4;
  const kind = segmentKind(words, first, sector, generation);
  if (kind !== 'damaged') return kind;
  return segmentKind(words, first + SEGMENT_BYTES / 4, sector + 1, generation) === 'shadow' ? 'valid' : kind;
}

/** Is told of every segment in order. */
class SegmentWalk {
  private valid = 0;
  /** First that is not of this generation, and first that is no segment at all. */
  private ended: number | null = null;
  private broken: number | null = null;
  private hole: number | null = null;

  add(kind: SegmentKind, sector: number): void {
    if (kind === 'valid') {
      this.valid++;
      const before = [this.ended, this.broken].filter((at) => at !== null);
      if (before.length > 0) this.hole ??= Math.min(...before);
    } else if (kind === 'damaged' || kind === 'wrong') this.broken ??= sector;
    else this.ended ??= sector;
  }

  facts(): SegmentFacts {
    return { valid: this.valid, hole: this.hole, torn: this.hole === null ? this.broken : null };
  }
}
