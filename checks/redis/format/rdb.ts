/**
 * One RDB file from its magic to its checksum: every length is followed, no value is kept.
 * Source: Redis' own specification of RDB version 12, "RDB top-level structure"; older versions write parts of it.
 */
import { Crc64 } from '../../../src/bytes/crc64.js';
import { Cursor, type Reading } from '../../../src/bytes/cursor.js';
import { BufferSource } from '../../../src/bytes/source.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource } from '../../../src/types.js';
import { bad, passString, readLength, skipString } from './primitives.js';
import { moduleFields, skipValue, UnknownTypeError } from './values.js';

export const RDB_MAGIC_BYTES = 9;
export const NEWEST_RDB_VERSION = 12;
const CHECKSUM_BYTES = 8;
/** Opcode of a note of the writer. */
const NOTE = 250;
/** Notes of the writer that are worth telling. */
const NOTES = ['redis-ver', 'valkey-ver', 'ctime', 'aof-base', 'aof-preamble', 'repl-id', 'repl-offset'];

/** Plain JSON. */
export interface RdbFacts {
  version: number;
  /** 'matches', 'differs'; 'none': the writer had it switched off, or the format of that age has none. */
  checksum: 'matches' | 'differs' | 'none';
  databases: number;
  keys: number;
  expiring: number;
  functions: number;
  moduleParts: number;
  notes: Record<string, string>;
  /** Where the file ends by its own account. */
  endsAt: number;
}

/** The version that the first nine bytes state, by the server's family; null: this is no RDB file. */
export function rdbVersion(head: Buffer): { family: 'redis' | 'valkey'; version: number } | null {
  const match = /^(REDIS(\d{4})|VALKEY(\d{3}))/.exec(head.toString('latin1', 0, RDB_MAGIC_BYTES));
  if (!match) return null;
  return match[2] ? { family: 'redis', version: Number(match[2]) } : { family: 'valkey', version: Number(match[3]) };
}

/** Walks the file in `source` from its beginning. Rejects with UnknownTypeError, EarlyEndError or another FormatError. */
export async function walkRdb(source: ByteSource, signal: AbortSignal, progress?: (doneBytes: number) => void): Promise<RdbFacts> {
  const crc = new Crc64();
  const cursor = new Cursor(source, (bytes) => crc.update(bytes));
  return cursor.run(readFile(cursor, crc), signal, progress);
}

function* readFile(cursor: Cursor, crc: Crc64): Reading<RdbFacts> {
  const version = yield* readVersion(cursor);
  const facts: RdbFacts = { version, checksum: 'none', databases: 0, keys: 0, expiring: 0, functions: 0, moduleParts: 0, notes: {}, endsAt: 0 };
  while (!(yield* readRecord(cursor, facts)));
  if (version >= 5) facts.checksum = yield* readChecksum(cursor, crc);
  facts.endsAt = cursor.position;
  return facts;
}

function* readVersion(cursor: Cursor): Reading<number> {
  const known = rdbVersion(yield* cursor.bytes(RDB_MAGIC_BYTES));
  if (!known) throw new FormatError({ code: 'redis.rdb.magic', message: 'it does not begin with the name of the format' });
  if (known.family === 'redis' && known.version >= 1 && known.version <= NEWEST_RDB_VERSION) return known.version;
  throw new UnknownTypeError({ code: 'redis.rdb.version', message: `it is of version ${known.version} (${known.family})` });
}

function* readChecksum(cursor: Cursor, crc: Crc64): Reading<RdbFacts['checksum']> {
  cursor.tell();
  const computed = crc.value;
  const stored = (yield* cursor.bytes(CHECKSUM_BYTES)).readBigUInt64LE(0);
  if (stored === 0n) return 'none';
  return stored.toString(16).padStart(16, '0') === computed ? 'matches' : 'differs';
}

/** One record. @returns true at the mark of the end. */
function* readRecord(cursor: Cursor, facts: RdbFacts): Reading<boolean> {
  const code = yield* cursor.byte();
  if (code === 255) return true;
  const record = RECORDS[code];
  if (record) yield* record(cursor, facts);
  else if (code > 25) throw new UnknownTypeError({ code: 'redis.rdb.opcode', message: `there is a record of kind ${code} before byte ${cursor.position}` });
  else {
    yield* passString(cursor);
    yield* skipValue(cursor, code);
    facts.keys++;
  }
  return false;
}

type Record_ = (cursor: Cursor, facts: RdbFacts) => Reading<void>;

/** By opcode. */
const RECORDS: Record<number, Record_> = {
  244: function* (cursor) {
    for (let i = 0; i < 3; i++) yield* readLength(cursor);
  },
  245: function* (cursor, facts) {
    facts.functions++;
    yield* passString(cursor);
  },
  247: function* (cursor, facts) {
    facts.moduleParts++;
    for (let i = 0; i < 3; i++) yield* readLength(cursor);
    yield* moduleFields(cursor);
  },
  248: function* (cursor) {
    yield* readLength(cursor);
  },
  249: (cursor) => cursor.skip(1),
  [NOTE]: readNote,
  251: function* (cursor) {
    yield* readLength(cursor);
    yield* readLength(cursor);
  },
  252: (cursor, facts) => expiry(cursor, facts, 8),
  253: (cursor, facts) => expiry(cursor, facts, 4),
  254: function* (cursor, facts) {
    facts.databases++;
    const number = yield* readLength(cursor);
    if (number > 0x7fffffff) throw bad(cursor, `a database has the number ${number}`);
  },
};

function* expiry(cursor: Cursor, facts: RdbFacts, bytes: number): Reading<void> {
  facts.expiring++;
  yield* cursor.skip(bytes);
}

function* readNote(cursor: Cursor, facts: RdbFacts): Reading<void> {
  const name = (yield* skipString(cursor)).head?.toString('latin1') ?? '';
  const { head, integer } = yield* skipString(cursor);
  if (NOTES.includes(name)) facts.notes[name] = integer === null ? (head?.toString('latin1') ?? '(compressed)') : String(integer);
}

export interface RdbHead {
  family: 'redis' | 'valkey';
  version: number;
  notes: Record<string, string>;
}

/** A writer puts its notes first; more of them than this are none of a writer's. */
const HEAD_BYTES = 4096;

/** The notes at the beginning of a file, as far as they can be read; null: it is no RDB file. */
export async function readRdbHead(source: ByteSource): Promise<RdbHead | null> {
  const bytes = await source.read(0, Math.min(HEAD_BYTES, source.sizeBytes));
  const known = bytes.length < RDB_MAGIC_BYTES ? null : rdbVersion(bytes);
  if (!known) return null;
  const facts: RdbFacts = { version: known.version, checksum: 'none', databases: 0, keys: 0, expiring: 0, functions: 0, moduleParts: 0, notes: {}, endsAt: 0 };
  const cursor = new Cursor(new BufferSource(bytes));
  try {
    await cursor.run(readNotes(cursor, facts), new AbortController().signal);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return { ...known, notes: facts.notes };
}

function* readNotes(cursor: Cursor, facts: RdbFacts): Reading<void> {
  yield* cursor.skip(RDB_MAGIC_BYTES);
  while ((yield* cursor.byte()) === NOTE) yield* readNote(cursor, facts);
}
