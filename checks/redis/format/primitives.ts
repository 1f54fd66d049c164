/**
 * Lengths and strings of the RDB format (Redis' own specification of RDB version 12, "Integer and length encodings").
 * All throw FormatError.
 */
import type { Cursor, Reading } from '../../../src/bytes/cursor.js';
import { FormatError } from '../../../src/errors.js';

/** A length that stands for a special encoding of a string is negative: -1 - encoding. */
export function* readEncodedLength(cursor: Cursor): Reading<number> {
  const first = yield* cursor.byte();
  const kind = first >> 6;
  if (kind === 0) return first & 63;
  if (kind === 1) return ((first & 63) << 8) | (yield* cursor.byte());
  if (kind === 3) return -1 - (first & 63);
  if (first === 0x80) return (yield* cursor.bytes(4)).readUInt32BE(0);
  if (first !== 0x81) throw bad(cursor, `a length begins with ${first}, which no version writes`);
  return toNumber((yield* cursor.bytes(8)).readBigUInt64BE(0));
}

/** A plain number or count. Above 2^53 it is rounded: such values are only stepped over. */
export function* readLength(cursor: Cursor): Reading<number> {
  const length = yield* readEncodedLength(cursor);
  if (length < 0) throw bad(cursor, 'a number has the encoding of a string');
  return length;
}

/** What is known of a string without keeping it. `head`: its first bytes, when they are stored as they are. */
export interface StringFacts {
  lengthBytes: number;
  head: Buffer | null;
  /** Of a string that is stored as a number. */
  integer: number | null;
}

const HEAD_BYTES = 64;
const INTEGER_BYTES = [1, 2, 4];

/** Steps over a string; the first up to 64 bytes of a plain one are returned, valid until the next read. */
export function* skipString(cursor: Cursor): Reading<StringFacts> {
  const length = yield* readEncodedLength(cursor);
  if (length === -4) return yield* skipCompressed(cursor);
  if (length < 0) {
    const bytes = INTEGER_BYTES[-1 - length];
    if (bytes === undefined) throw bad(cursor, `a string has the unknown encoding ${-1 - length}`);
    return { lengthBytes: bytes, head: null, integer: (yield* cursor.bytes(bytes)).readIntLE(0, bytes) };
  }
  if (length > cursor.left) throw tooLong(cursor, length);
  const head = Buffer.from(yield* cursor.peek(Math.min(length, HEAD_BYTES)));
  yield* cursor.skip(length);
  return { lengthBytes: length, head, integer: null };
}

/** Like `skipString`, for the many of which nothing needs to be known. */
export function* passString(cursor: Cursor): Reading<void> {
  const length = yield* readEncodedLength(cursor);
  if (length >= 0) return yield* cursor.skip(length);
  if (length === -4) {
    yield* skipCompressed(cursor);
    return;
  }
  const bytes = INTEGER_BYTES[-1 - length];
  if (bytes === undefined) throw bad(cursor, `a string has the unknown encoding ${-1 - length}`);
  yield* cursor.skip(bytes);
}

/** A compressed string must unfold to the length it states: its references are followed without unfolding it. */
function* skipCompressed(cursor: Cursor): Reading<StringFacts> {
  const compressed = yield* readLength(cursor);
  const plain = yield* readLength(cursor);
  if (compressed > cursor.left) throw tooLong(cursor, compressed);
  const end = cursor.position + compressed;
  let made = 0;
  while (cursor.position < end) {
    const control = yield* cursor.byte();
    if (control < 32) {
      yield* cursor.skip(control + 1);
      made += control + 1;
      continue;
    }
    const long = control >> 5 === 7 ? yield* cursor.byte() : 0;
    const distance = (((control & 31) << 8) | (yield* cursor.byte())) + 1;
    if (distance > made) throw bad(cursor, 'a compressed string refers to something before its own beginning');
    made += (control >> 5) + long + 2;
  }
  if (cursor.position !== end || made !== plain) throw bad(cursor, `a compressed string unfolds to ${made} bytes instead of ${plain}`);
  return { lengthBytes: plain, head: null, integer: null };
}

export function bad(cursor: Cursor, message: string): FormatError {
  return new FormatError({ code: 'redis.rdb.structure', message: `${message} (before byte ${cursor.position})` });
}

/** A string that reaches beyond the end of the file: truncated, or its length is damaged. */
function tooLong(cursor: Cursor, length: number): FormatError {
  return bad(cursor, `a string of ${length} bytes does not fit into the ${cursor.left} that are left`);
}

function toNumber(value: bigint): number {
  return Number(value);
}
