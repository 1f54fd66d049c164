/**
 * The end of a Berkeley DB log: files `log.0000000001` and on, in the folder of the environment. A record begins with the offset
 * of the one before and its own length. Source: the log format that Oracle publishes with the library.
 */
import { posix } from 'node:path';
import { MappedSource } from '../../../src/bytes/source.js';
import type { ByteSource, GuestFiles, GuestLocation } from '../../../src/types.js';
import { Words } from '../format/meta.js';

/** No change of a page may lie at or behind it. */
export interface LogEnd {
  file: number;
  offset: number;
}

const LOG_NAME = /^log\.(\d{10})$/;
const LOG_MAGIC = 0x040988;
const RECORD_HEADER_BYTES = 12;
const MAX_LEVELS = 4;

/** Looks in the folder of a database file and in those above it; null: there is no log, or it cannot be read. */
export async function findLogEnd(files: GuestFiles, database: GuestLocation, signal: AbortSignal): Promise<LogEnd | null> {
  let folder = posix.dirname(database.path);
  for (let level = 0; level < MAX_LEVELS; level++) {
    const end = await endIn(files, { volume: database.volume, path: folder }, signal);
    if (end || folder === '/') return end;
    folder = posix.dirname(folder);
  }
  return null;
}

async function endIn(files: GuestFiles, folder: GuestLocation, signal: AbortSignal): Promise<LogEnd | null> {
  const names = (await files.list(folder)).filter(({ type, location }) => type === 'file' && LOG_NAME.test(posix.basename(location.path)));
  const last = names.at(-1);
  const [map] = last ? await files.map([last.location]) : [];
  if (!last || !map) return null;
  const file = Number(LOG_NAME.exec(posix.basename(last.location.path))?.[1]);
  const source = new MappedSource(map);
  const offset = await chainEnd(source, signal).finally(() => source.close());
  return offset === null ? null : { file, offset };
}

/** Follows the records of one log file. @returns where the last one ends; null: this is no log file */
export async function chainEnd(source: ByteSource, signal: AbortSignal): Promise<number | null> {
  if (source.sizeBytes < RECORD_HEADER_BYTES + 8) return null;
  const head = await source.read(0, RECORD_HEADER_BYTES + 8);
  const littleEndian = head.readUInt32LE(RECORD_HEADER_BYTES) === LOG_MAGIC;
  if (!littleEndian && head.readUInt32BE(RECORD_HEADER_BYTES) !== LOG_MAGIC) return null;
  const words = new Words(littleEndian);
  let before = 0;
  let at = 0;
  while (at + RECORD_HEADER_BYTES <= source.sizeBytes) {
    signal.throwIfAborted();
    const header = await source.read(at, RECORD_HEADER_BYTES);
    const [previous, length] = [words.u32(header, 0), words.u32(header, 4)];
    if (length < RECORD_HEADER_BYTES || at + length > source.sizeBytes || (at > 0 && previous !== before)) break;
    before = at;
    at += length;
  }
  return at;
}
