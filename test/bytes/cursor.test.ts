import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cursor, EarlyEndError, MAX_FIELD_BYTES, type Reading } from '../../src/bytes/cursor.js';
import { BufferSource } from '../../src/bytes/source.js';
import { FormatError } from '../../src/errors.js';

const signal = new AbortController().signal;
const MIB = 1024 * 1024;

/** Does what `steps` say and compares what it gets with `data`. Gives the place it came to. */
function* follow(cursor: Cursor, steps: [string, number][], data: Buffer): Reading<number> {
  let place = 0;
  for (const [kind, size] of steps) {
    const got = yield* one(cursor, kind, size);
    if (got) expect(got.equals(data.subarray(place, place + got.length))).toBe(true);
    place += kind === 'peek' ? 0 : (got?.length ?? size);
    expect(cursor.position).toBe(place);
  }
  return place;
}

function* one(cursor: Cursor, kind: string, size: number): Reading<Buffer | null> {
  if (kind === 'byte') return Buffer.of(yield* cursor.byte());
  if (kind === 'bytes') return yield* cursor.bytes(size);
  if (kind === 'peek') return yield* cursor.peek(size);
  yield* cursor.skip(size);
  return null;
}

describe('a cursor', () => {
  it('reads, peeks and skips over the borders of its windows, and tells of every byte once', async () => {
    const data = Buffer.from(Array.from({ length: 2 * MIB + 77 }, (_, i) => (i * 31) & 255));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('bytes', 'skip', 'peek', 'byte'), fc.nat(MAX_FIELD_BYTES)), { maxLength: 60 }), async (steps) => {
        const told: Buffer[] = [];
        const cursor = new Cursor(new BufferSource(data), (bytes) => void told.push(Buffer.from(bytes)));
        const place = await cursor.run(follow(cursor, steps, data), signal).catch((reason: unknown) => reason);
        if (typeof place === 'number') expect(Buffer.concat(told).equals(data.subarray(0, place))).toBe(true);
        else expect(place).toBeInstanceOf(EarlyEndError);
      }),
      { numRuns: 100 },
    );
  });

  it('steps over long values without reading them when nobody wants their bytes', async () => {
    let read = 0;
    const count = (length: number) => {
      read += length;
      return Buffer.alloc(length);
    };
    const source = { sizeBytes: 2 ** 40, close: async () => undefined, read: async (_: number, length: number) => count(length) };
    const cursor = new Cursor(source);
    await cursor.run(cursor.skip(2 ** 40 - 10), signal);
    await cursor.run(cursor.bytes(10), signal);
    expect(read).toBeLessThanOrEqual(2 * MIB);
  });

  it('refuses fields beyond the end or beyond its limit', async () => {
    const cursor = new Cursor(new BufferSource(Buffer.alloc(100)));
    await expect(cursor.run(cursor.bytes(101), signal)).rejects.toBeInstanceOf(EarlyEndError);
    await expect(cursor.run(cursor.skip(2 ** 50), signal)).rejects.toBeInstanceOf(EarlyEndError);
    await expect(cursor.run(cursor.bytes(MAX_FIELD_BYTES + 1), signal)).rejects.toBeInstanceOf(FormatError);
  });
});
