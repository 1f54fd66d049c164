/** Whatever bytes a guest hands us, the parsers answer in bounded time and throw nothing but FormatError. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/source.js';
import { FormatError } from '../../../src/errors.js';
import { describeSqlite, isSqliteHeader } from '../find.js';
import { scanJournal } from '../scan-journal.js';
import { scanWal } from '../scan-wal.js';
import { judgeStatic } from '../testing/judge-all.js';
import { addRows, copyDatabase, openSample } from '../testing/sample.js';
import { BtreePage } from './btree-page.js';
import { geometryOf, pointerMapPage, pointerMapSpan } from './geometry.js';
import { HEADER_BYTES, lockBytePage, parseHeader } from './header.js';
import { parseSuperJournalName } from './journal.js';
import { decodeColumns } from './record.js';
import { compareRecords } from './record-order.js';
import { VarintReader } from './varint.js';
import { parseWalIndex } from './wal-index.js';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength, size: 'max' }).map((array) => Buffer.from(array));
const signal = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'snapproof-hostile-'));
const samples: { path: string; sizeBytes: number }[] = [];

beforeAll(() => {
  for (const [name, choices] of Object.entries({ plain: {}, vacuumed: { autoVacuum: 'full' as const }, wal: { journalMode: 'wal' } })) {
    const live = join(folder, `${name}-live.db`);
    const database = openSample(live, { ...choices, rows: 150 });
    if (name === 'plain') database.exec('BEGIN; UPDATE entry SET amount = 1');
    else addRows(database, 50, 9);
    const path = join(folder, `${name}.db`);
    copyDatabase(live, path);
    if (database.inTransaction) database.exec('COMMIT');
    database.close();
    samples.push({ path, sizeBytes: readFileSync(path).length });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('random bytes', () => {
  it('never escape the parsers', () => {
    fc.assert(
      fc.property(bytes(4096), (input) => {
        try {
          parseHeader(input);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
        isSqliteHeader(input);
        describeSqlite(input, input.length);
        parseWalIndex(input);
        parseSuperJournalName(input);
        decodeColumns(input, 10);
        const half = input.length >> 1;
        const order = compareRecords(input, 0, half, input, half, input.length);
        expect(Number.isNaN(order)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('never escape the page parser, for any page size and type', () => {
    const page = fc.record({
      shift: fc.integer({ min: 9, max: 16 }),
      type: fc.constantFrom(2, 5, 10, 13, 7),
      cells: fc.nat(400),
      reserved: fc.nat(32),
      seed: bytes(2000),
    });
    fc.assert(
      fc.property(page, ({ shift, type, cells, reserved, seed }) => {
        const pageSize = 2 ** shift;
        const input = Buffer.alloc(pageSize, seed.length > 0 ? seed : 0);
        input[0] = type;
        input.writeUInt16BE(cells, 3);
        const parsed = new BtreePage(geometryOf(pageSize, Math.max(480, pageSize - reserved), 1000, false));
        expect(typeof (parsed.parse(input, 2) ?? '')).toBe('string');
        expect(typeof (parsed.parse(input, 1) ?? '')).toBe('string');
      }),
      { numRuns: 500 },
    );
  });

  it('never escape the log scanners', async () => {
    const head = Buffer.from('d9d505f920a163d7ffffffff00000000000000100000020000000200', 'hex');
    await fc.assert(
      fc.asyncProperty(bytes(8192), async (input) => {
        await scanWal(new BufferSource(input), signal);
        await scanJournal(new BufferSource(input), signal);
        await scanJournal(new BufferSource(Buffer.concat([head, input])), signal);
      }),
      { numRuns: 200 },
    );
  });
});

describe('real databases with random damage', () => {
  const change = fc.record({ at: fc.double({ min: 0, max: 0.999999, noNaN: true }), data: fc.uint8Array({ minLength: 1, maxLength: 600 }) });
  it.each([0, 1, 2])('sample %i is judged without exception', async (index) => {
    const sample = samples[index] ?? { path: '', sizeBytes: 0 };
    const suffixes = ['', '-wal', '-journal', '-shm'] as const;
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(5), async (changes, which) => {
        const path = join(folder, 'mutant.db');
        for (const suffix of suffixes) rmSync(path + suffix, { force: true });
        copyDatabase(sample.path, path);
        const target = path + (suffixes[which] ?? '');
        const content = safeRead(target) ?? readFileSync(path);
        for (const { at, data } of changes) Buffer.from(data).copy(content, Math.floor(at * content.length));
        writeFileSync(target, content);
        const start = performance.now();
        const judged = await judgeStatic(path);
        expect(['pass', 'fail']).toContain(judged.structure.outcome);
        expect(JSON.stringify(judged.evidence).length).toBeLessThan(16_000);
        expect(performance.now() - start).toBeLessThan(5000);
      }),
      { numRuns: 60 },
    );
  });
});

function safeRead(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

describe('arithmetic of the format', () => {
  it('reads varints of every length', () => {
    const varint = new VarintReader();
    const read = (hex: string) => {
      const input = Buffer.from(hex, 'hex');
      return varint.read(input, 0, input.length) ? [(BigInt(varint.hi) << 32n) | BigInt(varint.lo), varint.next] : null;
    };
    expect(read('7f')).toEqual([127n, 1]);
    expect(read('8100')).toEqual([128n, 2]);
    expect(read('ffffffffffffffffff')).toEqual([-1n, 9]);
    expect(read('80ffffffffffffffff')).toEqual([144115188075855871n, 9]);
    expect(read('8180808000')).toEqual([268435456n, 5]);
    expect(read('ff')).toBeNull();
    expect(read('ffffffffffffffff')).toBeNull();
  });

  it('finds the lock-byte page and steps over it with the pointer map', () => {
    expect(lockBytePage(4096)).toBe(262145);
    expect(lockBytePage(65536)).toBe(16385);
    const geometry = geometryOf(4096, 4096, 300_000, true);
    expect(pointerMapPage(2, geometry)).toBe(2);
    expect(pointerMapPage(3, geometry)).toBe(2);
    expect(pointerMapPage(2 + pointerMapSpan(geometry), geometry)).toBe(822);
    const small = geometryOf(512, 512, 3_000_000, true);
    const before = Math.floor((small.lockPage - 2) / pointerMapSpan(small)) * pointerMapSpan(small) + 2;
    expect(pointerMapPage(small.lockPage + 2, small)).toBe(before === small.lockPage ? before + 1 : before);
  });

  it('describes a real header', () => {
    const facts = describeSqlite(readFileSync(samples[1]?.path ?? '').subarray(0, HEADER_BYTES), samples[1]?.sizeBytes ?? 0);
    expect(facts).toMatchObject({
      pageSize: 1024,
      journalMode: 'rollback',
      autoVacuum: 'full',
      encoding: 'UTF-8',
      pageCount: (samples[1]?.sizeBytes ?? 0) / 1024,
    });
  });
});
