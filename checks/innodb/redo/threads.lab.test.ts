/** The log of MariaDB 10.8 read by several threads says what one thread says of it. Needs the built program: the threads run it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wholeSource } from '../../../src/bytes/map.js';
import { checkpointRecord } from '../testing/build-log.js';
import { knownOf, type RingShape, randomRecords, sealed } from '../testing/random-log.js';
import { walkRing } from './walk-ring.js';

const RING_AT = 12288;
const HEAD = { format: 'mariadb-10.8', number: 1349024115, encrypted: false, opaque: false, creator: '' } as const;

describe('a ring', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'snapproof-ring-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function read(file: Buffer, ring: RingShape, checkpointLsn: number, worthBytes: number) {
    const path = join(folder, 'ib_logfile0');
    writeFileSync(path, file);
    const { facts, knowledge } = await walkRing({
      map: wholeSource({ kind: 'file', path }, file.length),
      head: { ...HEAD, firstLsn: ring.firstLsn },
      checkpoint: { lsn: checkpointLsn, endLsn: checkpointLsn },
      historyBytes: 1e9,
      signal: new AbortController().signal,
      progress: () => {},
      worthBytes,
    });
    return { facts, known: knownOf(knowledge) };
  }

  /** Two laps and what is written of the third; older bytes are overwritten as a server does. */
  function ringOf(records: Buffer[], ring: RingShape, startLsn: number): { file: Buffer; starts: number[] } {
    const file = Buffer.alloc(RING_AT + ring.capacity);
    const { bytes, starts } = sealed(records, startLsn, ring);
    for (let at = 0; at < bytes.length; at++) file[RING_AT + ((startLsn - ring.firstLsn + at) % ring.capacity)] = bytes[at] as number;
    return { file, starts };
  }

  const plans = fc.record({ seed: fc.integer(), count: fc.integer({ min: 150, max: 400 }) });
  const damage = fc.array(fc.record({ at: fc.nat(), lengthBytes: fc.integer({ min: 1, max: 3000 }), byte: fc.constantFrom(0, 0xff, 0x34) }), { maxLength: 2 });

  it('is read alike, wherever its checkpoint lies and whatever is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.constantFrom(40_000, 100_000, 1_000_000), fc.nat(), damage, async (plan, capacity, place, damages) => {
        const ring = { firstLsn: RING_AT, capacity };
        const records = randomRecords(plan);
        const { starts } = ringOf(records, ring, RING_AT + 500);
        // the ring still holds it
        const inRing = starts.filter((start) => start > (starts.at(-1) as number) - capacity + 5000);
        const checkpoint = inRing[place % inRing.length] as number;
        records.splice(starts.indexOf(checkpoint) + (place % 7), 0, checkpointRecord(checkpoint));
        const { file } = ringOf(records, ring, RING_AT + 500);
        for (const { at, lengthBytes, byte } of damages)
          file.fill(byte, RING_AT + (at % capacity), Math.min(RING_AT + (at % capacity) + lengthBytes, file.length));
        const alone = await read(file, ring, checkpoint, Number.POSITIVE_INFINITY);
        expect(await read(file, ring, checkpoint, 4096)).toEqual(alone);
      }),
      { numRuns: 100 },
    );
  });

  it('of many megabytes is read alike, up to where a hole is', async () => {
    const ring = { firstLsn: RING_AT, capacity: 24 * 1024 ** 2 };
    const record = (i: number) => Buffer.concat([Buffer.from([0x30, 60, 5, i % 100, 60]), Buffer.alloc(71, i)]);
    const { file, starts } = ringOf(
      Array.from({ length: 400_000 }, (_, i) => record(i)),
      ring,
      RING_AT,
    );
    for (const [checkpoint, hole] of [
      [200_000, 380_000],
      [399_000, 250_000],
      [399_999, 399_999],
    ] as const) {
      const damaged = Buffer.from(file);
      damaged.fill(
        0,
        RING_AT + (((starts[hole] as number) - ring.firstLsn) % ring.capacity),
        RING_AT + (((starts[hole] as number) - ring.firstLsn) % ring.capacity) + 40,
      );
      const alone = await read(damaged, ring, starts[checkpoint] as number, Number.POSITIVE_INFINITY);
      const together = await read(damaged, ring, starts[checkpoint] as number, 2 * 1024 ** 2);
      expect(together).toEqual(alone);
      expect(together.facts.end).toBe(hole < checkpoint ? (starts.at(-1) as number) + 81 : starts[hole]);
    }
  });
});
