/** The values of the RDB format by their type byte, up to RDB version 12. Source: as in primitives.ts. */
import type { Cursor, Reading } from '../../../src/bytes/cursor.js';
import { FormatError } from '../../../src/errors.js';
import { bad, passString, readLength, skipString } from './primitives.js';

/** A type or opcode that this version does not know: not damage, but nothing behind it can be read. */
export class UnknownTypeError extends FormatError {}

type Part = (cursor: Cursor) => Reading<void>;

/** By type byte. */
const VALUES = new Map<number, Part>([
  [0, passString],
  [1, list(passString)],
  [2, list(passString)],
  [3, list(passString, textScore)],
  [4, list(passString, passString)],
  [5, list(passString, fixed(8))],
  [7, moduleValue],
  [9, passString],
  [10, packed('ziplist')],
  [11, packed('intset')],
  [12, packed('ziplist')],
  [13, packed('ziplist')],
  [14, list(packed('ziplist'))],
  [15, stream(1)],
  [16, packed('listpack')],
  [17, packed('listpack')],
  [18, list(quicklistNode)],
  [19, stream(2)],
  [20, packed('listpack')],
  [21, stream(3)],
  [22, list(number, passString, passString)],
  [23, packed('listpack')],
  [24, inOrder(fixed(8), list(number, passString, passString))],
  [25, inOrder(fixed(8), packed('listpack'))],
]);

export const isValueType = (type: number): boolean => VALUES.has(type);

/** Steps over one value. @throws UnknownTypeError, FormatError */
export function* skipValue(cursor: Cursor, type: number): Reading<void> {
  const value = VALUES.get(type);
  if (!value) throw new UnknownTypeError({ code: 'redis.rdb.type', message: `there is a value of type ${type} before byte ${cursor.position}` });
  yield* value(cursor);
}

function inOrder(...parts: Part[]): Part {
  return function* (cursor) {
    for (const part of parts) yield* part(cursor);
  };
}

/** A count, then so many times all parts. Every part takes at least a byte, so a wrong count ends at the end of the file. */
function list(...parts: Part[]): Part {
  return function* (cursor) {
    const count = yield* readLength(cursor);
    if (count > cursor.left) throw bad(cursor, `${count} items are promised where ${cursor.left} bytes are left`);
    for (let i = 0; i < count; i++) for (const part of parts) yield* part(cursor);
  };
}

function fixed(bytes: number): Part {
  return (cursor) => cursor.skip(bytes);
}

function* number(cursor: Cursor): Reading<void> {
  yield* readLength(cursor);
}

function numbers(count: number): Part {
  return inOrder(...Array<Part>(count).fill(number));
}

/** 253 to 255 stand for what is no number and for the two infinities. */
function* textScore(cursor: Cursor): Reading<void> {
  const length = yield* cursor.byte();
  if (length < 253) yield* cursor.skip(length);
}

type Packing = 'ziplist' | 'listpack' | 'intset';

/** A value that is one run of bytes with a header of its own: its length must agree, as Redis itself demands when it loads it. */
function packed(kind: Packing): Part {
  return function* (cursor) {
    const { lengthBytes, head } = yield* skipString(cursor);
    if (head && !headerFits(kind, head, lengthBytes)) throw bad(cursor, `a ${kind} states another length than it has`);
  };
}

function headerFits(kind: Packing, head: Buffer, lengthBytes: number): boolean {
  if (kind === 'intset') return lengthBytes >= 8 && [2, 4, 8].includes(head.readUInt32LE(0)) && head.readUInt32LE(0) * head.readUInt32LE(4) + 8 === lengthBytes;
  return lengthBytes >= (kind === 'ziplist' ? 11 : 7) && head.readUInt32LE(0) === lengthBytes;
}

/** Container 1 is one large element as it is, 2 a listpack. */
function* quicklistNode(cursor: Cursor): Reading<void> {
  const container = yield* readLength(cursor);
  if (container !== 1 && container !== 2) throw bad(cursor, `a list node is of the unknown kind ${container}`);
  yield* container === 1 ? passString(cursor) : packed('listpack')(cursor);
}

/** Items by radix tree node, then counters, then the groups with what they have pending. */
function stream(version: 1 | 2 | 3): Part {
  const pending = list(fixed(16), fixed(8), number);
  const consumer = inOrder(passString, fixed(version >= 3 ? 16 : 8), list(fixed(16)));
  const group = inOrder(passString, numbers(version >= 2 ? 3 : 2), pending, list(consumer));
  return inOrder(list(streamNode), numbers(version >= 2 ? 8 : 3), list(group));
}

function* streamNode(cursor: Cursor): Reading<void> {
  const { lengthBytes, head } = yield* skipString(cursor);
  if (lengthBytes !== 16 || !head) throw bad(cursor, 'the name of a stream node is no stream id');
  yield* packed('listpack')(cursor);
}

/** Opaque but for its own framing: after the module's id, fields that each say what they are. */
function* moduleValue(cursor: Cursor): Reading<void> {
  yield* readLength(cursor);
  yield* moduleFields(cursor);
}

export function* moduleFields(cursor: Cursor): Reading<void> {
  for (;;) {
    const kind = yield* readLength(cursor);
    if (kind === 0) return;
    if (kind === 1 || kind === 2) yield* readLength(cursor);
    else if (kind === 3) yield* cursor.skip(4);
    else if (kind === 4) yield* cursor.skip(8);
    else if (kind === 5) yield* passString(cursor);
    else throw bad(cursor, `a module's value has a field of the unknown kind ${kind}`);
  }
}
