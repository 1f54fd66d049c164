import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogWriter } from '../testing/build.js';
import { WalReader, type WalRecord } from './reader.js';

const PAGE = 8192;
const SEGMENT = 1 << 20;
const GEOMETRY = { version: 15, systemId: '77', pageBytes: PAGE, segmentBytes: SEGMENT, leastTimeline: 1 };

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
