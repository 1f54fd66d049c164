/**
 * The log format of LevelDB and RocksDB (write-ahead logs and MANIFEST): blocks of 32 KiB, records in fragments with a masked
 * CRC-32C. Source: the log format that LevelDB and RocksDB document, with RocksDB's recyclable fragments.
 */
import { crc32c } from '../../../src/bytes/crc32c.js';
import type { ByteSource } from '../../../src/types.js';

export const BLOCK_BYTES = 32768;
const HEADER_BYTES = 7;
const RECYCLABLE_HEADER_BYTES = 11;
const MASK_DELTA = 0xa282ead8;

/** How a log ends. `bad`: a fragment is not what was written, and its kind says what is wrong. */
export interface LogEnd {
  kind: 'whole' | 'cut' | 'bad';
  at: number;
  why: string;
  /** Intact fragments of this log behind the end: the first of them; null: none. */
  resumesAt: number | null;
  records: number;
}

export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

interface Fragment {
  type: number;
  data: Buffer;
  next: number;
}

/** Gives each record to `take`. Very long records are stepped over without it. `number`: of the log, for recycled files. */
export async function walkLog(source: ByteSource, number: number, take: (record: Buffer) => void, signal: AbortSignal): Promise<LogEnd> {
  const walk = new LogWalk(number, take);
  for (let base = 0; base < source.sizeBytes; base += BLOCK_BYTES) {
    signal.throwIfAborted();
    const block = await source.read(base, Math.min(BLOCK_BYTES, source.sizeBytes - base));
    const end = walk.readBlock(block, base, base + block.length === source.sizeBytes);
    if (end) return { ...end, resumesAt: await resumes(source, end.at, number, signal) };
  }
  return walk.end(walk.isInside ? 'cut' : 'whole', '', walk.goodUntil);
}

const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** Puts records together from their fragments. */
class LogWalk {
  goodUntil = 0;
  private parts: Buffer[] | null = null;
  private partBytes = 0;
  private records = 0;

  constructor(
    private readonly number: number,
    private readonly take: (record: Buffer) => void,
  ) {}

  get isInside(): boolean {
    return this.parts !== null;
  }

  end(kind: LogEnd['kind'], why: string, at: number): LogEnd {
    return { kind, why, at, resumesAt: null, records: this.records };
  }

  /** @returns how the log ends, when it ends in this block */
  readBlock(block: Buffer, base: number, isLast: boolean): LogEnd | null {
    for (let at = 0; block.length - at >= HEADER_BYTES; ) {
      const fragment = readFragment(block, at, this.number, isLast);
      if (fragment === 'end') return this.end(this.parts ? 'cut' : 'whole', '', base + at);
      if (fragment === 'cut') return this.end('cut', '', base + at);
      if (typeof fragment === 'string') return this.end('bad', fragment, base + at);
      if (!this.add(fragment)) return this.end('bad', 'a fragment does not follow the one before', base + at);
      at = fragment.next;
      if (!this.parts) this.goodUntil = base + at;
    }
    return null;
  }

  /** @returns false when it cannot stand here */
  private add({ type, data }: Fragment): boolean {
    const isFirst = type === 1 || type === 2;
    if (isFirst !== (this.parts === null)) return false;
    this.partBytes = (this.parts ? this.partBytes : 0) + data.length;
    this.parts ??= [];
    if (this.partBytes <= MAX_RECORD_BYTES) this.parts.push(Buffer.from(data));
    if (type === 2 || type === 3) return true;
    if (this.partBytes <= MAX_RECORD_BYTES) this.take(Buffer.concat(this.parts));
    this.parts = null;
    this.records++;
    return true;
  }
}

/** One fragment, its type without the mark of recycling. 'end': nothing was written here; 'cut': the file ends within it. */
function readFragment(block: Buffer, at: number, number: number, isLast: boolean): Fragment | string {
  const stored = block.readUInt32LE(at);
  const length = block.readUInt16LE(at + 4);
  const type = block[at + 6] as number;
  if (type === 0 && length === 0 && stored === 0) return 'end';
  const recyclable = type >= 5 && type <= 8;
  if (type === 0 || type > 8) return `a fragment is of the unknown type ${type}`;
  const from = at + (recyclable ? RECYCLABLE_HEADER_BYTES : HEADER_BYTES);
  if (from + length > block.length) return isLast ? 'cut' : `a fragment of ${length} bytes does not fit into its block`;
  // A recycled file holds the log that it was before.
  if (recyclable && block.readUInt32LE(at + HEADER_BYTES) !== number >>> 0) return 'end';
  if (masked(crc32c(block, at + 6, from + length)) !== stored) return 'a fragment does not carry the checksum of its own bytes';
  return { type: recyclable ? type - 4 : type, data: block.subarray(from, from + length), next: from + length };
}

/** Looks for intact fragments of the same log from the next block on: fragments always begin there. */
async function resumes(source: ByteSource, from: number, number: number, signal: AbortSignal): Promise<number | null> {
  for (let base = (Math.floor(from / BLOCK_BYTES) + 1) * BLOCK_BYTES; base + HEADER_BYTES <= source.sizeBytes; base += BLOCK_BYTES) {
    signal.throwIfAborted();
    const block = await source.read(base, Math.min(BLOCK_BYTES, source.sizeBytes - base));
    if (typeof readFragment(block, 0, number, true) !== 'string') return base;
  }
  return null;
}
