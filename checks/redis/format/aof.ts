/**
 * One append-only file: commands in the wire protocol of Redis (RESP: `*2\r\n$4\r\nPING\r\n...`), perhaps behind an RDB file
 * ("preamble"). Nothing in it has a checksum; what is followed are its own counts and lengths.
 * Source: Redis' documentation of persistence and of RESP; the ends it accepts were measured on redis-server 7.0.
 */
import { Cursor, EarlyEndError, type Reading } from '../../../src/bytes/cursor.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteSource } from '../../../src/types.js';
import { RDB_MAGIC_BYTES, type RdbFacts, rdbVersion, walkRdb } from './rdb.js';

/** Plain JSON. */
export interface AofFacts {
  commands: number;
  transactions: number;
  rdb: RdbFacts | null;
  /**
   * `truncated`: it ends inside a command; `open-transaction`: between MULTI and EXEC. Both are what a crash leaves, and the server
   * cuts them off. `broken`: something else than a command stands at `goodUntil`: the server refuses to start.
   */
  end: 'whole' | 'truncated' | 'open-transaction' | 'broken';
  goodUntil: number;
  sizeBytes: number;
  /** What is wrong at `goodUntil`; empty when nothing is. */
  why: string;
}

/** The server reads lines with a buffer of this length. */
const MAX_LINE_BYTES = 127;
const MAX_ARGUMENTS = 2 ** 31;
const MAX_ARGUMENT_BYTES = 2 ** 40;

interface State {
  facts: AofFacts;
  /** Where the transaction that is open begins; null: none is. */
  multi: number | null;
}

/** Rejects with FormatError when the RDB part cannot be read: there is no way to what follows it. */
export async function walkAof(source: ByteSource, signal: AbortSignal, progress?: (doneBytes: number) => void): Promise<AofFacts> {
  const head = await source.read(0, Math.min(RDB_MAGIC_BYTES, source.sizeBytes));
  const rdb = head.toString('latin1', 0, 5) === 'REDIS' || rdbVersion(head) ? await walkRdb(source, signal, progress) : null;
  const begin = rdb?.endsAt ?? 0;
  const facts: AofFacts = { commands: 0, transactions: 0, rdb, end: 'whole', goodUntil: begin, sizeBytes: source.sizeBytes, why: '' };
  const cursor = new Cursor(source);
  await cursor.run(cursor.skip(begin), signal);
  try {
    await cursor.run(readCommands(cursor, { facts, multi: null }), signal, progress);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    facts.end = error instanceof EarlyEndError ? 'truncated' : 'broken';
    facts.why = error.message;
  }
  return facts;
}

function* readCommands(cursor: Cursor, state: State): Reading<void> {
  const { facts } = state;
  try {
    while (cursor.left > 0) {
      const begin = cursor.position;
      const name = yield* readCommand(cursor);
      if (name === null) continue;
      facts.commands++;
      follow(name, begin, state);
      if (state.multi === null) facts.goodUntil = cursor.position;
    }
  } finally {
    if (state.multi !== null) facts.goodUntil = state.multi;
  }
  if (state.multi === null) {
    facts.goodUntil = cursor.position;
    return;
  }
  facts.end = 'open-transaction';
  facts.why = 'its last transaction has no EXEC';
}

function follow(name: string, begin: number, state: State): void {
  if (name === 'MULTI' && state.multi === null) state.multi = begin;
  else if (name === 'EXEC' && state.multi !== null) {
    state.multi = null;
    state.facts.transactions++;
  }
}

/** @returns the name of the command in capitals; null: it was a note. */
function* readCommand(cursor: Cursor): Reading<string | null> {
  const line = yield* readLine(cursor, '*#');
  if (line.startsWith('#')) return null;
  const count = numberOf(line, cursor, MAX_ARGUMENTS);
  if (count < 1) throw broken(cursor, 'a command has no parts');
  const name = yield* readName(cursor);
  for (let i = 1; i < count; i++) yield* passArgument(cursor);
  return name;
}

/** Names of commands, also of modules, are printable: anything else is no name, and the server stops at a command it does not know. */
function* readName(cursor: Cursor): Reading<string> {
  const length = numberOf(yield* readLine(cursor, '$'), cursor, MAX_ARGUMENT_BYTES);
  if (length > MAX_LINE_BYTES) throw broken(cursor, `a command has a name of ${length} bytes`);
  const name = (yield* cursor.bytes(length)).toString('latin1');
  if (!/^[!-~]+$/.test(name)) throw broken(cursor, 'the name of a command is not printable');
  yield* lineEnd(cursor);
  return name.toUpperCase();
}

function* passArgument(cursor: Cursor): Reading<void> {
  const length = numberOf(yield* readLine(cursor, '$'), cursor, MAX_ARGUMENT_BYTES);
  yield* cursor.skip(length);
  yield* lineEnd(cursor);
}

function* lineEnd(cursor: Cursor): Reading<void> {
  const end = yield* cursor.bytes(2);
  if (end[0] !== 13 || end[1] !== 10) throw broken(cursor, 'an argument does not end where its length says');
}

/** A line without its end. It must begin with one of `kinds`; only then may it be incomplete. */
function* readLine(cursor: Cursor, kinds: string): Reading<string> {
  const first = String.fromCharCode((yield* cursor.peek(1))[0] as number);
  if (!kinds.includes(first)) throw broken(cursor, `there is ${first === '\0' ? 'a zero byte' : 'something else'} where "${kinds[0]}" must stand`);
  const most = Math.min(cursor.left, MAX_LINE_BYTES);
  const view = yield* cursor.peek(most);
  const end = view.indexOf(10);
  if (end < 0 && most === cursor.left && /^[*$#][ -~]*\r?$/.test(view.toString('latin1'))) {
    throw new EarlyEndError({ code: 'redis.aof.end', message: `it ends inside a line at ${cursor.position}` });
  }
  if (end < 0) throw broken(cursor, 'a line does not end');
  return (yield* cursor.bytes(end + 1)).toString('latin1', 0, end);
}

/** `*3\r` and `$10\r`. */
function numberOf(line: string, cursor: Cursor, limit: number): number {
  const match = /^[*$](\d{1,15})\r$/.exec(line);
  const value = match ? Number(match[1]) : Number.NaN;
  if (!(value <= limit)) throw broken(cursor, 'a count or length is no number');
  return value;
}

function broken(cursor: Cursor, message: string): FormatError {
  return new FormatError({ code: 'redis.aof.structure', message: `${message}, at byte ${cursor.position}` });
}
