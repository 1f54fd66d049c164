import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.js';
import { WalReader, type WalRecord } from './wal-reader.js';

const PAGE = 8192;
const SEGMENT = 1 << 20;
const GEOMETRY = { version: 15, systemId: '77', pageBytes: PAGE, segmentBytes: SEGMENT, leastTimeline: 1 };

/** Writes log as the server does: records of given payload lengths, across pages, from the start of a segment on. */
class LogWriter {
  readonly bytes = Buffer.alloc(SEGMENT);
  readonly starts: number[] = [];
  private at = 0;
  private previous = 0;

  constructor(private readonly base: number) {
    this.openPage(0);
  }

  add(payloadBytes: number): void {
    const record = Buffer.alloc(24 + payloadBytes, payloadBytes & 255);
    record.writeUInt32LE(record.length, 0);
    record.writeBigUInt64LE(BigInt(this.previous), 8);
    record.writeUInt8(10, 17);
    record.writeUInt32LE(crc32c(record, 0, 20, crc32c(record, 24)), 20);
    if (this.at % PAGE === 0) this.openPage(0);
    this.previous = this.base + this.at;
    this.starts.push(this.previous);
    for (let done = 0; done < record.length; ) {
      if (this.at % PAGE === 0) this.openPage(record.length - done);
      const fits = Math.min(record.length - done, PAGE - (this.at % PAGE));
      record.copy(this.bytes, this.at, done, done + fits);
      done += fits;
      this.at += fits;
    }
    this.at = Math.ceil(this.at / 8) * 8;
  }

  get end(): number {
    return this.base + this.at;
  }

  private openPage(remaining: number): void {
    const long = this.at === 0;
    this.bytes.writeUInt16LE(0xd110, this.at);
    this.bytes.writeUInt16LE((long ? 2 : 0) | (remaining > 0 ? 1 : 0), this.at + 2);
    this.bytes.writeUInt32LE(1, this.at + 4);
    this.bytes.writeBigUInt64LE(BigInt(this.base + this.at), this.at + 8);
    this.bytes.writeUInt32LE(remaining, this.at + 16);
    if (long) {
      this.bytes.writeBigUInt64LE(77n, 24);
      this.bytes.writeUInt32LE(SEGMENT, 32);
      this.bytes.writeUInt32LE(PAGE, 36);
    }
    this.at += long ? 40 : 24;
  }
}

function read(bytes: Buffer, base: number, from: number, synchronise: boolean): { reader: WalReader; records: WalRecord[] } {
  const records: WalRecord[] = [];
  const reader = new WalReader(GEOMETRY, from, synchronise, (record) => records.push(record) > 0);
  for (let at = from - base - ((from - base) % PAGE); at < bytes.length; at += PAGE) {
    if (!reader.feed(bytes, at, base + at)) break;
  }
  return { reader, records };
}

const payloads = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 25 });
const BASE = 5 * SEGMENT;

function written(lengths: number[]): LogWriter {
  const log = new LogWriter(BASE);
  for (const length of lengths) log.add(length);
  return log;
}

describe('log reader', () => {
  it('gives back every record that was written, and the very end', () => {
    fc.assert(
      fc.property(payloads, (lengths) => {
        const log = written(lengths);
        const { reader, records } = read(log.bytes, BASE, BASE + 40, false);
        expect(records.map((record) => record.start)).toEqual(log.starts);
        expect(records.map((record) => record.totalBytes)).toEqual(lengths.map((length) => length + 24));
        expect(reader.end).toBe(log.end);
      }),
      { numRuns: 60 },
    );
  });

  it('finds the first whole record of any page', () => {
    fc.assert(
      fc.property(payloads, fc.nat(20), (lengths, page) => {
        const log = written(lengths);
        const from = BASE + page * PAGE;
        const { records } = read(log.bytes, BASE, from, true);
        const expected = log.starts.filter((start) => start >= from);
        expect(records.map((record) => record.start)).toEqual(from >= log.end ? [] : expected);
      }),
      { numRuns: 60 },
    );
  });

  it('stops before the record in which a byte changed, or at its end when the byte was of no record', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (lengths, where) => {
        const log = written(lengths);
        const at = where % (log.end - BASE);
        log.bytes[at] = (log.bytes[at] ?? 0) ^ 0x20;
        const { reader, records } = read(log.bytes, BASE, BASE + 40, false);
        const whole = log.starts.filter((_start, i) => (log.starts[i + 1] ?? log.end) <= BASE + at - (at % PAGE));
        expect(records.length).toBeGreaterThanOrEqual(whole.length);
        expect(reader.end).toBeLessThanOrEqual(log.end);
      }),
      { numRuns: 100 },
    );
  });

  it('takes any bytes without an exception', () => {
    const page = fc.uint8Array({ minLength: 200, maxLength: 200 });
    fc.assert(
      fc.property(fc.array(page, { maxLength: 4 }), payloads, fc.nat(), fc.boolean(), (junk, lengths, where, synchronise) => {
        const log = written(lengths);
        for (const [i, bytes] of junk.entries()) log.bytes.set(bytes, (where + i * 3001) % (SEGMENT - 200));
        const { reader } = read(log.bytes, BASE, BASE + (synchronise ? 0 : 40), synchronise);
        expect(reader.records).toBeLessThanOrEqual(SEGMENT / 24);
      }),
      { numRuns: 200 },
    );
  });
});
