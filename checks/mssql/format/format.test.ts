import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/source.js';
import { FormatError } from '../../../src/errors.js';
import { readAllocation } from '../allocation-map.js';
import { identifyFile } from '../identify.js';
import { listVlfs } from '../log-files.js';
import { walkLog } from '../log-walk.js';
import { createVerifier } from '../page-verifier.js';
import { BINDING, dataFile, logFile, seal, usualLog, VLF_BYTES } from '../testing/build.js';
import { parseBootPage, parseFileHeader } from './file-page.js';
import { blockLength, parseBlock, parseVlf } from './log.js';
import { compareLsn, PAGE_BYTES, pageSum, sectorSum, tornBitsFit, wordsOf } from './page.js';

const signal = new AbortController().signal;
const bytes = (maxLength: number) => fc.uint8Array({ maxLength, size: 'max' }).map((array) => Buffer.from(array));
const CHECKPOINT = { vlf: 41, block: 16, slot: 1 };

async function walk(log: Buffer, checkpoint = CHECKPOINT) {
  const list = await listVlfs([{ path: 'log', source: new BufferSource(log) }], signal);
  return walkLog(list, checkpoint, signal, () => undefined);
}

describe('sums', () => {
  it('turn by one bit from sector to sector, and leave out the word that stores them', () => {
    const words = new Int32Array(PAGE_BYTES / 4);
    words[0] = 1;
    words[15] = 0x7777;
    expect(pageSum(words, 0)).toBe(1 << 15);
    words[128 * 15] = 2;
    expect(pageSum(words, 0)).toBe((1 << 15) ^ 2);
    expect(sectorSum(words, 0, 1, 15)).toBe(1);
  });

  it('notice any single changed bit', () => {
    const page = dataFile().subarray(20 * PAGE_BYTES, 21 * PAGE_BYTES);
    const sum = pageSum(wordsOf(page), 0);
    fc.assert(
      fc.property(fc.nat(PAGE_BYTES * 8 - 1), (bit) => {
        const changed = Buffer.from(page);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(pageSum(wordsOf(changed), 0) === sum).toBe(bit >> 5 === 15);
      }),
    );
  });

  it('accept both known forms of torn bits, and neither when a sector is older', () => {
    const page = Buffer.alloc(PAGE_BYTES);
    const view = new DataView(page.buffer, page.byteOffset, PAGE_BYTES);
    for (let sector = 1; sector < 16; sector++) page[sector * 512 + 511] = 0xf2;
    expect(tornBitsFit(view, 0, 2)).toBe(true);
    page[9 * 512 + 511] = 0xf1;
    expect(tornBitsFit(view, 0, 2)).toBe(false);
    expect(tornBitsFit(view, 0, [...Array(15).keys()].reduce((sum, i) => sum | ((i === 8 ? 1 : 2) << (2 * i + 2)), 0) >>> 0)).toBe(true);
  });
});

describe('files', () => {
  it('say what they are', async () => {
    expect(parseFileHeader(dataFile())).toEqual({ fileId: 1, binding: BINDING, sumFits: true });
    expect(parseBootPage(dataFile({ name: 'shop' }).subarray(9 * PAGE_BYTES))).toMatchObject({
      name: 'shop',
      version: 957,
      checkpoint: CHECKPOINT,
      sumFits: true,
    });
    expect((await identifyFile(new BufferSource(logFile(usualLog())))).role).toBe('log');
    expect((await identifyFile(new BufferSource(dataFile({ fileId: 3 })))).role).toBe('data');
    const withoutHeads = dataFile()
      .fill(0, 0, PAGE_BYTES)
      .fill(0, 9 * PAGE_BYTES, 10 * PAGE_BYTES);
    expect((await identifyFile(new BufferSource(withoutHeads))).role).toBe('primary');
    expect((await identifyFile(new BufferSource(dataFile({ fileId: 3 }).fill(0, 0, PAGE_BYTES)))).role).toBe('data');
    expect((await identifyFile(new BufferSource(Buffer.alloc(100_000, 'x')))).role).toBe('unrecognised');
  });
});

describe('the log', () => {
  it('is followed from the checkpoint to its end, over stale blocks of an earlier use', async () => {
    expect(await walk(logFile(usualLog()))).toMatchObject({
      checkpoint: 'found',
      blocks: 5,
      bytes: 14336,
      end: { vlf: 41, slot: 3 },
      beyond: null,
      problems: [],
    });
  });

  it('goes on in the next virtual log file, also where the last block did not fill the one before', async () => {
    const full = { number: 41, parity: 128 as const, blocks: [...Array<number>(29).fill(4096), 1024] };
    const log = logFile([full, { number: 42, parity: 64, blocks: [512] }]);
    expect(await walk(log)).toMatchObject({ end: { vlf: 42, block: 16 }, blocks: 31, beyond: null });
  });

  it('tells a hole from the end', async () => {
    const log = logFile(usualLog());
    log.fill(0, PAGE_BYTES + VLF_BYTES + 8192 + 1024, PAGE_BYTES + VLF_BYTES + 8192 + 1536);
    expect(await walk(log)).toMatchObject({ blocks: 1, beyond: { blocks: 3 } });
  });

  it.each([
    [{ vlf: 43, block: 16, slot: 1 }, 'beyond'],
    [{ vlf: 41, block: 60, slot: 1 }, 'beyond'],
    [{ vlf: 41, block: 16, slot: 9 }, 'damaged'],
    [{ vlf: 12, block: 16, slot: 1 }, 'overwritten'],
    [{ vlf: 40, block: 17, slot: 1 }, 'damaged'],
    [{ vlf: 0, block: 0, slot: 0 }, 'unknown'],
  ])('places the checkpoint %j: %s', async (checkpoint, word) => {
    expect((await walk(logFile(usualLog()), checkpoint)).checkpoint).toBe(word);
  });

  it('is complete up to any block at which it is cut, and never longer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 14336 / 512 - 1 }), async (sector) => {
        const log = logFile(usualLog());
        const whole = await walk(log);
        const cut = await walk(log.fill(0, PAGE_BYTES + VLF_BYTES + 8192 + sector * 512, PAGE_BYTES + 2 * VLF_BYTES));
        expect(cut.bytes).toBeLessThanOrEqual(sector * 512);
        expect(cut.end === null || (whole.end !== null && compareLsn(cut.end, whole.end) < 0)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('hostile bytes', () => {
  it('never escape the parsers', () => {
    fc.assert(
      fc.property(bytes(PAGE_BYTES + 100), fc.nat(200), (input, at) => {
        for (const parse of [parseFileHeader, parseBootPage]) {
          try {
            parse(input);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        }
        const vlf = { parity: 64, number: 1, sizeBytes: 1 << 20 };
        parseVlf(input, 8192, 1 << 20);
        parseBlock(input, at, blockLength(input, at, vlf, 16), vlf);
      }),
      { numRuns: 300 },
    );
  });

  it('end every walk over damaged logs and maps', async () => {
    const change = fc.record({ at: fc.double({ min: 0, max: 0.999, noNaN: true }), data: fc.uint8Array({ minLength: 1, maxLength: 64 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 6 }), fc.nat(45), async (changes, vlf) => {
        const log = logFile(usualLog());
        const data = dataFile();
        for (const { at, data: patch } of changes) {
          log.set(patch.subarray(0, Math.min(patch.length, log.length - Math.floor(at * log.length))), Math.floor(at * log.length));
          const near = Math.floor(at * 10 * PAGE_BYTES);
          data.set(patch, near);
        }
        await identifyFile(new BufferSource(log));
        await identifyFile(new BufferSource(data));
        const facts = await walk(log, { vlf, block: 16, slot: 1 });
        expect(facts.bytes).toBeLessThanOrEqual(log.length);
        const { map } = await readAllocation({ source: new BufferSource(data), fileId: 1, settledBefore: null, allSettled: false, signal });
        verify(data, map);
      }),
      { numRuns: 60 },
    );
  });
});

function verify(data: Buffer, map: Awaited<ReturnType<typeof readAllocation>>['map']) {
  const verifier = createVerifier({ logEnd: { vlf: 41, block: 40, slot: 3 }, checkpoint: CHECKPOINT });
  for (let offset = 0; offset < data.length; offset += verifier.buffer.length) {
    const lengthBytes = data.copy(verifier.buffer, 0, offset, offset + verifier.buffer.length);
    verifier.verify({ detail: { path: 'f', fileId: 1, map }, offset, lengthBytes, fileBytes: data.length });
  }
  return verifier.takeResult();
}

describe('the page verifier', () => {
  const request = { fileId: 1, settledBefore: { vlf: 41, block: 16, slot: 1 }, allSettled: false, signal };

  it('judges the pages in use, and only these', async () => {
    const data = dataFile({ pages: 128, inUse: 80 });
    data.fill(0x5a, 90 * PAGE_BYTES, 100 * PAGE_BYTES);
    const { map, facts } = await readAllocation({ ...request, source: new BufferSource(data) });
    expect(facts).toEqual({ damaged: [], damagedCount: 0, beyondEnd: null });
    expect(verify(data, map)).toMatchObject({ pages: 128, used: 78, summed: 78, kinds: { sum: { count: 0 }, header: { count: 0 }, uncertain: { count: 0 } } });
  });

  it('names each kind of damage', async () => {
    const data = dataFile({ pages: 128, inUse: 80, lsnOf: (page) => ({ vlf: page === 33 ? 50 : 40, block: 20, slot: 1 }) });
    const pageAt = (page: number) => data.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    pageAt(20).copy(pageAt(21));
    pageAt(22).fill(0, 4096);
    pageAt(23).fill(0);
    pageAt(24).fill(0xee);
    const { map } = await readAllocation({ ...request, source: new BufferSource(data) });
    const { kinds } = verify(data, map);
    expect(kinds.misplaced.examples).toMatchObject([{ page: 21 }]);
    expect(kinds.sum.examples).toMatchObject([{ page: 22 }]);
    expect(kinds.zeroed.examples).toMatchObject([{ page: 23 }]);
    expect(kinds.header.examples).toMatchObject([{ page: 24 }]);
    expect(kinds.newer.examples).toMatchObject([{ page: 33, lsn: '50:20:1' }]);
  });

  it('leaves open what the log may still change', async () => {
    const data = dataFile({ pages: 128, inUse: 80, pfsLsn: { vlf: 41, block: 18, slot: 1 } });
    data.fill(0, 23 * PAGE_BYTES, 24 * PAGE_BYTES);
    const fresh = dataFile({ pages: 128, inUse: 120, lsnOf: () => ({ vlf: 41, block: 18, slot: 2 }) });
    fresh.copy(data, 90 * PAGE_BYTES, 90 * PAGE_BYTES, 91 * PAGE_BYTES);
    data.fill(0, 90 * PAGE_BYTES + 4096, 91 * PAGE_BYTES);
    const { map } = await readAllocation({ ...request, source: new BufferSource(data) });
    expect(verify(data, map).kinds).toMatchObject({ pending: { count: 1 }, zeroed: { count: 0 }, uncertain: { count: 1, examples: [{ page: 90 }] } });
  });

  it('does not judge what a damaged map describes', async () => {
    const data = dataFile();
    data.fill(1, 2 * PAGE_BYTES + 300, 2 * PAGE_BYTES + 310);
    const { map, facts } = await readAllocation({ ...request, source: new BufferSource(data) });
    expect(facts.damaged).toMatchObject([{ page: 2, type: 'GAM' }]);
    expect(verify(data, map).used).toBe(0);
  });

  it('sees a file that is cut off', async () => {
    const data = dataFile({ pages: 128, inUse: 120 }).subarray(0, 64 * PAGE_BYTES);
    const { facts } = await readAllocation({ ...request, source: new BufferSource(data) });
    expect(facts.beyondEnd).toBe(64);
  });

  it('counts pages that nothing protects', async () => {
    const data = dataFile({ flags: 0 });
    const { map } = await readAllocation({ ...request, source: new BufferSource(data) });
    expect(verify(data, map)).toMatchObject({ unprotected: 78, summed: 0 });
    seal(data, 30);
    expect(verify(data, map)).toMatchObject({ unprotected: 77, summed: 1 });
  });
});
