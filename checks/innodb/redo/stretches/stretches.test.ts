/** Stretches of log, without threads: whatever the log and wherever it is cut, they say what reading it mini-transaction by mini-transaction says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findMtrEnd, verifyMtr } from '../../format/mini-transaction.js';
import { checkpointRecord } from '../../testing/build-log.js';
import { CHECKPOINT, knownOf, type RingShape, randomRecords, sealed } from '../../testing/random-log.js';
import { LogKnowledge } from '../knowledge.js';
import { mtrReader } from '../mtr-walk.js';
import { StretchChain, type StretchTaker } from './chain.js';
import type { StretchDetail, StretchKind, StretchResult } from './detail.js';
import { createVerifier } from './stretch-verifier.js';

const RING: RingShape = { firstLsn: 12288, capacity: 200_000 };
/** So that the lap changes within. */
const START = RING.firstLsn + 3 * RING.capacity - 5000;

const plans = fc.record({ seed: fc.integer(), count: fc.integer({ min: 20, max: 120 }) });
/** Where the log is cut into stretches, and these into blocks. */
const cuts = fc.record({ stretchBytes: fc.integer({ min: 3000, max: 40_000 }), blockBytes: fc.integer({ min: 500, max: 9000 }) });

function oneByOne(bytes: Buffer, kind: StretchKind): LogKnowledge {
  const knowledge = new LogKnowledge(CHECKPOINT, mtrReader(false));
  const taker = takerFor(knowledge, kind);
  let at = 0;
  while (at < bytes.length) {
    const end = findMtrEnd(bytes, at, bytes.length);
    const next = end < 0 ? end : verifyMtr(bytes, at, end, bytes.length, 0);
    if (next < 0) break;
    taker.between({ bytes, at, end, startLsn: START + at, endLsn: START + next });
    at = next;
  }
  return knowledge;
}

function takerFor(knowledge: LogKnowledge, kind: StretchKind): StretchTaker {
  return {
    between: (mtr) => (kind === 'past' ? knowledge.past(mtr, mtr.endLsn) : knowledge.replayed(mtr)),
    take: (stretch) => knowledge.stretch(stretch),
  };
}

function stretchesOf(bytes: Buffer, detail: StretchDetail, cut: { stretchBytes: number; blockBytes: number }): StretchResult[] {
  const verifier = createVerifier();
  const results: StretchResult[] = [];
  for (let from = 0; from < bytes.length; from += cut.stretchBytes) {
    const to = Math.min(from + cut.stretchBytes, bytes.length);
    for (let at = from; at < to; at += cut.blockBytes) {
      const lengthBytes = Math.min(cut.blockBytes, to - at);
      verifier.buffer.set(bytes.subarray(at, at + lengthBytes));
      verifier.verify({ detail, offset: at, lengthBytes, fileBytes: bytes.length });
    }
    results.push(...verifier.takeResult());
  }
  return results;
}

function together(bytes: Buffer, detail: StretchDetail, cut: { stretchBytes: number; blockBytes: number }, backwards = false) {
  const knowledge = new LogKnowledge(CHECKPOINT, mtrReader(false));
  const chain = new StretchChain(detail, takerFor(knowledge, detail.kind));
  const results = stretchesOf(bytes, detail, cut);
  for (const result of backwards ? [...results].reverse() : results) chain.add(result);
  return { chain, knowledge, results };
}

const detailOf = (kind: StretchKind, exact: boolean): StretchDetail => ({ kind, startLsn: START, exact, ...RING });

describe.each(['past', 'replayed'] as const)('stretches of log that is %s', (kind) => {
  it('say the same as all of it read one by one, in whatever order they come', () => {
    fc.assert(
      fc.property(plans, cuts, fc.boolean(), fc.boolean(), (plan, cut, exact, backwards) => {
        const { bytes } = sealed(randomRecords(plan), START, RING);
        const { chain, knowledge, results } = together(bytes, detailOf(kind, exact), cut, backwards);
        // a stretch within one long mini-transaction has no beginning of its own
        fc.pre(results.every(({ broken }) => !broken));
        expect(chain.firstLsn).toBe(START);
        expect(chain.nextLsn).toBe(START + bytes.length);
        expect(knownOf(knowledge)).toEqual(knownOf(oneByOne(bytes, kind)));
      }),
      { numRuns: 150 },
    );
  });

  it('end before what was damaged, and know what lies before it', () => {
    fc.assert(
      fc.property(plans, cuts, fc.nat(), fc.integer({ min: 1, max: 255 }), (plan, cut, place, change) => {
        const { bytes, starts } = sealed(randomRecords(plan), START, RING);
        const at = place % bytes.length;
        bytes[at] = (bytes[at] as number) ^ change;
        const damaged = starts.filter((start) => start <= START + at).at(-1) as number;
        const { chain, knowledge } = together(bytes, detailOf(kind, true), cut);
        expect(chain.nextLsn).toBeLessThanOrEqual(damaged);
        expect(starts).toContain(chain.nextLsn);
        expect(knownOf(knowledge)).toEqual(knownOf(oneByOne(bytes.subarray(0, chain.nextLsn - START), kind)));
      }),
      { numRuns: 150 },
    );
  });

  it('say the same of records of any content, as far as they can be followed', () => {
    fc.assert(
      fc.property(plans, cuts, fc.array(fc.record({ record: fc.nat(), at: fc.nat(20), value: fc.nat(255) }), { maxLength: 6 }), (plan, cut, changes) => {
        const records = randomRecords(plan);
        for (const { record, at, value } of changes) {
          const bytes = records[record % records.length] as Buffer;
          bytes[at % bytes.length] = value;
        }
        const { bytes } = sealed(records, START, RING);
        const { chain, knowledge } = together(bytes, detailOf(kind, true), cut);
        expect(knownOf(knowledge)).toEqual(knownOf(oneByOne(bytes.subarray(0, chain.nextLsn - START), kind)));
      }),
      { numRuns: 300 },
    );
  });

  it('leave a mini-transaction that names its checkpoint beside pages to be read one by one', () => {
    const change = Buffer.from([0x34, 5, 6, 60, 7]);
    const { bytes, starts } = sealed([change, Buffer.concat([checkpointRecord(CHECKPOINT), change]), change], START, RING);
    const { chain } = together(bytes, detailOf(kind, true), { stretchBytes: 1000, blockBytes: 1000 });
    expect(chain.nextLsn).toBe(kind === 'past' ? START + bytes.length : starts[0]);
  });

  it('take no bytes for log that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 100, maxLength: 20_000 }), cuts, (bytes, cut) => {
        const { chain } = together(Buffer.from(bytes), detailOf(kind, false), cut);
        expect(chain.firstLsn === null || chain.nextLsn === START).toBe(true);
      }),
    );
  });
});

describe('stretches of the lap before', () => {
  const before = { firstLsn: RING.firstLsn - RING.capacity, capacity: RING.capacity };

  it('are followed, and left where this lap begins', () => {
    fc.assert(
      fc.property(plans, plans, cuts, (old, young, cut) => {
        const first = sealed(randomRecords(old), START, before);
        const second = sealed(randomRecords(young), START + first.bytes.length, RING);
        const { chain } = together(Buffer.concat([first.bytes, second.bytes]), detailOf('lap before', false), cut);
        expect(chain.nextLsn).toBeLessThanOrEqual(START + first.bytes.length);
      }),
      { numRuns: 60 },
    );
  });

  it('do not begin behind log of this lap', () => {
    const young = sealed(
      Array.from({ length: 3 }, () => Buffer.from([0x34, 5, 6, 60, 7])),
      START,
      RING,
    );
    const old = sealed(
      Array.from({ length: 50 }, () => Buffer.from([0x34, 5, 6, 60, 7])),
      START + young.bytes.length,
      before,
    );
    const cut = { stretchBytes: 10_000, blockBytes: 5000 };
    expect(together(Buffer.concat([young.bytes, old.bytes]), detailOf('lap before', false), cut).chain.firstLsn).toBe(null);
    expect(together(old.bytes, { ...detailOf('lap before', false), startLsn: START + young.bytes.length }, cut).chain.firstLsn).not.toBe(null);
  });
});

it('a log that contradicts itself is left to be read one by one', () => {
  // the same page made anew within a record of another type
  const odd = Buffer.concat([Buffer.from([0x34, 5, 6, 60, 7]), Buffer.from([0x91, 1])]);
  const { bytes } = sealed([Buffer.from([0x34, 5, 6, 60, 7]), odd, Buffer.from([0x34, 5, 6, 60, 7])], START, RING);
  const { chain } = together(bytes, detailOf('past', true), { stretchBytes: 1000, blockBytes: 1000 });
  expect(chain.nextLsn).toBe(START);
});

it('what crosses from one stretch to the next is proven too', () => {
  const { bytes, starts } = sealed(
    Array.from({ length: 20 }, (_, i) => Buffer.concat([Buffer.from([0x30, 60, 5, i, 60]), Buffer.alloc(71, 7)])),
    START,
    RING,
  );
  const cut = { stretchBytes: (starts[10] as number) - START + 30, blockBytes: 9000 };
  for (const at of [10, 50]) {
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(8, (starts[10] as number) - START + at);
    const { chain, knowledge } = together(damaged, detailOf('past', true), cut);
    expect(chain.nextLsn).toBe(starts[10]);
    expect(knowledge.historyMtrs).toBe(10);
  }
  expect(together(bytes, detailOf('past', true), cut).chain.nextLsn).toBe(START + bytes.length);
});
