/** Logs of MariaDB 10.8 that hold a little of everything a server writes, for comparing ways of reading them. */
import fc from 'fast-check';
import { crc32c } from '../../../src/bytes/crc32c.js';
import type { LogKnowledge } from '../redo/knowledge.js';
import { ringEndByte } from '../redo/stretches/detail.js';
import { checkpointRecord } from './build-log.js';

/** Of each length that a number takes. */
const NUMBERS = [3, 7, 200, 20_000, 3_000_000, 0x7fffffff, 0xfffffff0];

function varint(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  if (value < 0x80) return Buffer.from([value]);
  if (value < 0x4080) return Buffer.from([0x80 | ((value - 0x80) >> 8), (value - 0x80) & 255]);
  if (value < 0x204080) {
    bytes.writeUIntBE(0xc00000 + value - 0x4080, 0, 3);
    return bytes.subarray(0, 3);
  }
  if (value < 0x10204080) {
    bytes.writeUInt32BE(0xe0000000 + value - 0x204080, 0);
    return bytes.subarray(0, 4);
  }
  bytes[0] = 0xf0;
  bytes.writeUInt32BE(value - 0x10204080, 1);
  return bytes;
}

/** A record of any type; its length stands in the first byte where it fits. */
function rawRecord(type: number, body: Buffer): Buffer {
  if (body.length > 0 && body.length < 16) return Buffer.concat([Buffer.from([type | body.length]), body]);
  // the length counts its own bytes, and what does not fit into the first byte
  const lengthBytes = [1, 2, 3].find((count) => varint(Math.max(0, body.length + count - 15)).length === count) ?? 1;
  const padded = body.length + lengthBytes >= 15 ? body : Buffer.concat([body, Buffer.alloc(15 - lengthBytes - body.length)]);
  return Buffer.concat([Buffer.from([type]), varint(padded.length + lengthBytes - 15), padded]);
}

const number = fc.constantFrom(...NUMBERS);
const payload = fc.oneof(
  fc.constantFrom(Uint8Array.of(10), Uint8Array.of(9)),
  fc.uint8Array({ minLength: 1, maxLength: 30 }),
  fc.uint8Array({ minLength: 2, maxLength: 1500 }),
);
const change = fc.constantFrom(0x20, 0x30, 0x40, 0x50);

/** What begins with the number of a page, then changes of the same page. */
const onPage = fc
  .tuple(number, number, fc.array(fc.tuple(change, payload), { minLength: 1, maxLength: 4 }))
  .map(([space, page, changes]) =>
    changes.map(([type, bytes], i) =>
      i === 0 ? rawRecord(type, Buffer.concat([varint(space), varint(page), bytes])) : rawRecord(type | 0x80, Buffer.from(bytes)),
    ),
  );
const whole = (type: number, tail: number[] = []) =>
  fc.tuple(number, number).map(([space, page]) => [rawRecord(type, Buffer.concat([varint(space), varint(page), Buffer.from(tail)]))]);
const file = fc
  .tuple(fc.constantFrom(0x80, 0x90, 0xa0, 0xb0), number, fc.constantFrom('./shop/a.ibd', './shop/a.ibd\0./shop/b.ibd'))
  .map(([type, space, name]) => [rawRecord(type, Buffer.concat([varint(space), varint(0), Buffer.from(name)]))]);
/** Which one is the log's own. */
export const CHECKPOINT = 77_777;
const checkpoint = fc.oneof(fc.nat(2 ** 31), fc.constant(CHECKPOINT)).map((lsn) => [checkpointRecord(lsn)]);
const padding = fc.constant([Buffer.from([0xf1, 0])]);

/** A page is freed and then made anew or changed, or the other way round. */
const freed = fc.tuple(number, number, fc.boolean(), fc.boolean()).map(([space, page, isFirst, isSame]) => {
  const free = rawRecord(0x00, Buffer.concat([varint(space), varint(page)]));
  const write = isSame && isFirst ? rawRecord(0xb0, Buffer.from([60, 7])) : rawRecord(0x30, Buffer.concat([varint(space), varint(page), Buffer.from([60, 7])]));
  return isFirst ? [free, write] : [write, free];
});

/** The records of one mini-transaction. */
const mtrRecords: fc.Arbitrary<Buffer> = fc
  .oneof(
    {
      weight: 30,
      arbitrary: fc.array(fc.oneof({ weight: 8, arbitrary: onPage }, whole(0x10), whole(0x00)), { minLength: 1, maxLength: 4 }).map((parts) => parts.flat()),
    },
    { weight: 1, arbitrary: whole(0x20, [10]) },
    { weight: 1, arbitrary: freed },
    { weight: 2, arbitrary: file },
    { weight: 1, arbitrary: fc.tuple(file, onPage).map((parts) => parts.flat()) },
    { weight: 1, arbitrary: checkpoint },
    { weight: 1, arbitrary: padding },
  )
  .map((records) => Buffer.concat(records));

/** Of so many mini-transactions, always the same for a seed. */
export function randomRecords({ seed, count }: { seed: number; count: number }): Buffer[] {
  return fc.sample(mtrRecords, { seed, numRuns: count });
}

export interface RingShape {
  firstLsn: number;
  capacity: number;
}

/** Mini-transactions with their end bytes and checksums, as the ring holds them from `startLsn` on. @returns also where each starts. */
export function sealed(records: Buffer[], startLsn: number, ring: RingShape): { bytes: Buffer; starts: number[] } {
  const parts: Buffer[] = [];
  const starts: number[] = [];
  let lsn = startLsn;
  for (const body of records) {
    const tail = Buffer.alloc(5);
    tail[0] = ringEndByte(lsn + body.length, ring);
    tail.writeUInt32BE(crc32c(body), 1);
    parts.push(body, tail);
    starts.push(lsn);
    lsn += body.length + 5;
  }
  return { bytes: Buffer.concat(parts), starts };
}

/** All that is known, in a form that can be compared: in which order things were met does not matter. */
export function knownOf(knowledge: LogKnowledge): object {
  const spaces = new Map(NUMBERS.map((space) => [knowledge.spaces.find(space), space]));
  const [pages, touched]: [string[], string[]] = [[], []];
  knowledge.table.forEach((at, relation, page) => {
    const [lsn, isRestored] = [knowledge.table.requiredLsn(at), knowledge.table.isRestored(at)];
    if (lsn > 0 || isRestored) pages.push(`${spaces.get(relation)} ${page}: ${lsn} ${isRestored}`);
  });
  knowledge.touched.forEach((_at, relation, page) => {
    touched.push(`${spaces.get(relation)} ${page}`);
  });
  const { mtrs, historyMtrs, contradictions, checkpointSeen } = knowledge;
  const files = [...knowledge.files].sort(([a], [b]) => a - b);
  const cut = NUMBERS.map((space) => [space, knowledge.wasCut(space), knowledge.isRemade(space)]);
  const sets = { dropped: [...knowledge.dropped].sort(), changedSince: [...knowledge.changedSince].sort() };
  return { pages: pages.sort(), touched: touched.sort(), files, cut, ...sets, mtrs, historyMtrs, contradictions, checkpointSeen };
}
