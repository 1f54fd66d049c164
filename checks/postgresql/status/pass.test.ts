/** pg_xact and pg_multixact against control file and log, on folders made for the purpose. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlFile } from '../format/control.js';
import { LogChanges } from '../log/changes.js';
import { later, precedes, STATUS, TransactionTable } from '../log/transaction-table.js';
import { clusterAt } from '../testing/cluster-at.js';
import { HEALTHY_CONTROL } from '../testing/evidence.js';
import type { StatusFacts } from './facts.js';
import { readStatus } from './pass.js';
import { pagesOf } from './ranges.js';

const PAGE = 8192;
const PER_PAGE = 32768;
const COMMITTED = 0x55;

describe('numbers of transactions', () => {
  const number = fc.integer({ min: 3, max: 2 ** 32 - 1 });

  it('go round: half lie before, half after', () => {
    fc.assert(
      fc.property(
        number,
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        (one, step) => precedes(one, (one + step) % 2 ** 32) && later(one, (one + step) % 2 ** 32) === (one + step) % 2 ** 32,
      ),
    );
  });

  it('keep their status in the table', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(number, fc.constantFrom(1, 2)), { maxLength: 50 }), (ends) => {
        const table = new TransactionTable();
        for (const [transaction, status] of ends) table.note(transaction, status);
        for (const [transaction, status] of new Map(ends)) expect(table.get(transaction)).toBe(status);
      }),
    );
  });

  it('of any range are in its pages, in order and each once', () => {
    fc.assert(
      fc.property(number, fc.integer({ min: 0, max: 200_000 }), fc.constantFrom(PER_PAGE, 1636, 2048), (first, length, perPage) => {
        const pages = [...pagesOf({ first, end: (first + length) % 2 ** 32 }, perPage)];
        expect(new Set(pages).size).toBe(pages.length);
        if (length === 0) expect(pages).toEqual([]);
        else {
          expect(pages[0]).toBe(Math.floor(first / perPage));
          expect(pages.at(-1)).toBe(Math.floor(((first + length - 1) % 2 ** 32) / perPage));
        }
      }),
    );
  });
});

describe('the status of transactions', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'sp-status-'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const page = (fill: number) => Buffer.alloc(PAGE, fill);
  const segment = (pages: number, fill = COMMITTED) => Buffer.concat(Array.from({ length: pages }, () => page(fill)));
  const SEGMENT_OF = 32 * PER_PAGE;

  interface Cluster {
    control?: Partial<ControlFile>;
    /** By path. */
    files: Record<string, Buffer>;
    log?: (changes: LogChanges) => void;
  }

  async function judge({ control, files, log }: Cluster): Promise<StatusFacts> {
    const folder = mkdtempSync(join(root, 'c'));
    for (const name of ['pg_xact', 'pg_multixact/offsets', 'pg_multixact/members', 'pg_subtrans']) mkdirSync(join(folder, name), { recursive: true });
    for (const [path, bytes] of Object.entries(files)) writeFileSync(join(folder, path), bytes);
    const { instance, context } = clusterAt(folder);
    const changes = new LogChanges();
    log?.(changes);
    return readStatus({
      ...{ files: context.labs.files, instance, changes, frozen: null, shutDown: false, judgeStale: true, signal: context.signal },
      control: { ...HEALTHY_CONTROL, ...control },
    });
  }

  /** Two segments and a half are in use. */
  const TWO_SEGMENTS = { oldestTransaction: 700, nextTransaction: 2 * SEGMENT_OF + 5 * PER_PAGE, oldestActiveTransaction: 2 * SEGMENT_OF + 5 * PER_PAGE - 1 };
  const whole = () => ({ 'pg_xact/0000': segment(32), 'pg_xact/0001': segment(32), 'pg_xact/0002': segment(5) });

  it('of a fresh cluster is there', async () => {
    const facts = await judge({ files: { 'pg_xact/0000': segment(1, 0) } });
    expect(facts).toMatchObject({ pages: 1, missing: { count: 0 }, blank: { count: 0 }, beyondLog: { count: 0 } });
  });

  it('is whole when all segments are, and old ones may be gone', async () => {
    expect((await judge({ control: TWO_SEGMENTS, files: whole() })).missing.count).toBe(0);
    const { 'pg_xact/0000': _gone, ...rest } = whole();
    expect((await judge({ control: { ...TWO_SEGMENTS, oldestTransaction: SEGMENT_OF + 9 }, files: rest })).missing.count).toBe(0);
    const log = (changes: LogChanges): void => {
      changes.oldestTransaction = SEGMENT_OF + 9;
    };
    expect((await judge({ control: TWO_SEGMENTS, files: rest, log })).missing.count).toBe(0);
  });

  it.each(['pg_xact/0000', 'pg_xact/0001', 'pg_xact/0002'])('lacks %s', async (name) => {
    const files: Record<string, Buffer> = whole();
    delete files[name];
    expect((await judge({ control: TWO_SEGMENTS, files })).missing.examples).toMatchObject([{ file: name }]);
  });

  it('lacks the end of a segment, but not pages that the log makes', async () => {
    const files = { ...whole(), 'pg_xact/0002': segment(4) };
    expect((await judge({ control: TWO_SEGMENTS, files })).missing.examples).toEqual([{ file: 'pg_xact/0002', pages: 1, from: 2 * SEGMENT_OF + 4 * PER_PAGE }]);
    expect((await judge({ control: TWO_SEGMENTS, files, log: (changes) => void changes.madePages.add('xact 68') })).missing.count).toBe(0);
  });

  it('is kept across the turn of the numbers', async () => {
    const control = { oldestTransaction: 2 ** 32 - 10, nextTransaction: 100, oldestActiveTransaction: 90 };
    const files = { 'pg_xact/0FFF': segment(32), 'pg_xact/0000': segment(1) };
    expect((await judge({ control, files })).missing.count).toBe(0);
    expect((await judge({ control, files: { 'pg_xact/0000': segment(1) } })).missing.examples).toMatchObject([{ file: 'pg_xact/0FFF', pages: 1 }]);
  });

  it('with a blank page in the middle is told, once', async () => {
    const files = whole();
    files['pg_xact/0001'].fill(0, 7 * PAGE, 8 * PAGE);
    expect((await judge({ control: TWO_SEGMENTS, files })).blank.examples).toEqual([{ file: 'pg_xact/0001', page: 39, from: 39 * PER_PAGE }]);
  });

  it('knows every commit of the log before redo, and none beyond its end', async () => {
    const files = { 'pg_xact/0000': segment(1, 0) };
    const log = (changes: LogChanges) => changes.endedBefore.note(900, STATUS.committed);
    expect((await judge({ files, log })).lostCommits.examples).toEqual([{ transaction: 900, file: 'pg_xact/0000' }]);
    const later = { 'pg_xact/0000': segment(1, 0) };
    later['pg_xact/0000'][500] = 1; // transaction 2000
    expect((await judge({ files: later })).beyondLog.examples).toEqual([{ transaction: 2000, file: 'pg_xact/0000' }]);
    expect((await judge({ files: later, log: (changes) => changes.ended.see(2000) })).beyondLog.count).toBe(0);
  });

  describe('with multixacts', () => {
    const control = { oldestMultixact: 1, nextMultixact: 4000, nextMultixactOffset: 8001 };
    const files = (change: (offsets: Buffer) => void = () => {}) => {
      const offsets = Buffer.alloc(2 * PAGE);
      for (let multixact = 1; multixact < 4000; multixact++) offsets.writeUInt32LE(2 * multixact, 4 * multixact);
      change(offsets);
      return { 'pg_xact/0000': segment(1, 0), 'pg_multixact/offsets/0000': offsets, 'pg_multixact/members/0000': segment(5) };
    };

    it('in order, all there, some not yet written', async () => {
      const facts = await judge({ control, files: files((offsets) => offsets.writeUInt32LE(0, 4 * 77)) });
      expect(facts).toMatchObject({ missing: { count: 0 }, disordered: { count: 0 } });
    });

    it('out of order, beyond the end, or lost', async () => {
      expect((await judge({ control, files: files((offsets) => offsets.writeUInt32LE(1, 4 * 77)) })).disordered.examples).toMatchObject([{ multixact: 77 }]);
      expect((await judge({ control, files: files((offsets) => offsets.writeUInt32LE(9000, 4 * 77)) })).disordered.examples).toMatchObject([{ multixact: 77 }]);
      expect((await judge({ control, files: { ...files(), 'pg_multixact/members/0000': segment(4) } })).missing.examples).toMatchObject([
        { file: 'pg_multixact/members/0000', pages: 1 },
      ]);
      expect((await judge({ control, files: { ...files(), 'pg_multixact/offsets/0000': segment(1) } })).missing.count).toBeGreaterThan(0);
    });

    it('whose members went round', async () => {
      const round = { oldestMultixact: 1, nextMultixact: 3, nextMultixactOffset: 5 };
      const offsets = page(0);
      offsets.writeUInt32LE(2 ** 32 - 4, 4);
      offsets.writeUInt32LE(2, 8);
      const parts = { 'pg_xact/0000': segment(1, 0), 'pg_multixact/offsets/0000': offsets, 'pg_multixact/members/0000': segment(1) };
      const lastPage = Math.floor((2 ** 32 - 1) / 1636);
      const facts = await judge({ control: round, files: { ...parts, 'pg_multixact/members/14078': segment((lastPage % 32) + 1) } });
      expect(facts).toMatchObject({ missing: { count: 0 }, disordered: { count: 0 } });
      expect((await judge({ control: round, files: parts })).missing.examples).toMatchObject([{ file: 'pg_multixact/members/14078' }]);
    });
  });

  it('takes any bytes without an exception', async () => {
    const numbers = fc.record({
      oldestTransaction: fc.nat(2 ** 31),
      nextTransaction: fc.nat(2 ** 31),
      nextMultixact: fc.nat(9999),
      nextMultixactOffset: fc.nat(99_999),
    });
    await fc.assert(
      fc.asyncProperty(numbers, fc.uint8Array({ maxLength: 20_000 }), async (control, bytes) => {
        const parts = { 'pg_xact/0000': Buffer.from(bytes), 'pg_multixact/offsets/0000': Buffer.from(bytes) };
        expect(JSON.stringify(await judge({ control, files: parts })).length).toBeLessThan(10_000);
      }),
      { numRuns: 30 },
    );
  });
});
