/** Recognises SQLite databases by their first bytes and says what these tell: for the inspection, which judges nothing. */
import { FormatError } from '../../src/errors.js';
import type { ByteSource, Facts } from '../../src/types.js';
import { HEADER_BYTES, MAGIC, parseHeader } from './format/header.js';

const ENCODINGS = ['none yet', 'UTF-8', 'UTF-16LE', 'UTF-16BE'];

/** `first100`: the first bytes of a file, 16 are enough. */
export function isSqliteHeader(first100: Buffer): boolean {
  return first100.length >= MAGIC.length && first100.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * Facts for `DatabaseInstance.facts`. Never throws: a header that cannot be right is described by `damaged`.
 * `libraryVersion` is of the SQLite that wrote last and suits `DatabaseInstance.version`.
 */
export function describeSqlite(header: Buffer, fileSizeBytes: number): Facts {
  try {
    const parsed = parseHeader(header);
    return {
      pageSize: parsed.pageSize,
      journalMode: parsed.readVersion === 2 ? 'wal' : 'rollback',
      pageCount: parsed.pageCountValid ? parsed.pageCount : Math.floor(fileSizeBytes / parsed.pageSize),
      fileSizeBytes,
      libraryVersion: parsed.libraryVersion,
      changeCounter: parsed.changeCounter,
      freePages: parsed.freePages,
      autoVacuum: parsed.largestRoot === 0 ? 'none' : parsed.incrementalVacuum ? 'incremental' : 'full',
      encoding: ENCODINGS[parsed.encoding] ?? `unknown (${parsed.encoding})`,
      reservedBytes: parsed.pageSize - parsed.usableBytes,
    };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { damaged: error.message, fileSizeBytes };
  }
}

/** The facts of a database file as it lies there; null when it has not the bytes of a header. */
export async function headerFacts(database: ByteSource): Promise<Facts | null> {
  const header = await database.read(0, Math.min(HEADER_BYTES, database.sizeBytes));
  return isSqliteHeader(header) ? describeSqlite(header, database.sizeBytes) : null;
}
