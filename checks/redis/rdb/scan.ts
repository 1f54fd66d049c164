/** Looks at one RDB file: its structure, its checksum, and where the structure is not understood, its checksum alone. */
import { Crc64 } from '../../../src/bytes/crc64.js';
import { Cursor } from '../../../src/bytes/cursor.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource } from '../../../src/types.js';
import { type RdbFacts, walkRdb } from '../format/rdb.js';
import { UnknownTypeError } from '../format/values.js';

/** Plain JSON. `facts` null: the structure could not be followed, `why` says where. */
export interface RdbScan {
  sizeBytes: number;
  facts: RdbFacts | null;
  why: string;
  /** It is of a version, or has a record, that is not known here. */
  unknown: boolean;
  /** The last eight bytes are the checksum of all before them; null when that did not need to be asked. */
  wholeChecksum: boolean | null;
}

const CHECKSUM_BYTES = 8;

export async function scanRdb(source: ByteSource, signal: AbortSignal, progress?: (doneBytes: number) => void): Promise<RdbScan> {
  const scan: RdbScan = { sizeBytes: source.sizeBytes, facts: null, why: '', unknown: false, wholeChecksum: null };
  try {
    scan.facts = await walkRdb(source, signal, progress);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    scan.why = error.message;
    scan.unknown = error instanceof UnknownTypeError;
    scan.wholeChecksum = await checksumFits(source, signal);
  }
  return scan;
}

/** A file that carries its own checksum is what was written, whatever this program makes of it. */
async function checksumFits(source: ByteSource, signal: AbortSignal): Promise<boolean> {
  if (source.sizeBytes < 2 * CHECKSUM_BYTES) return false;
  const crc = new Crc64();
  const cursor = new Cursor(source, (bytes) => crc.update(bytes));
  await cursor.run(cursor.skip(source.sizeBytes - CHECKSUM_BYTES), signal);
  cursor.tell();
  const stored = (await source.read(source.sizeBytes - CHECKSUM_BYTES, CHECKSUM_BYTES)).readBigUInt64LE(0);
  return stored !== 0n && stored.toString(16).padStart(16, '0') === crc.value;
}
