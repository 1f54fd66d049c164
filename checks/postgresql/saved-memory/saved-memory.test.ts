import { describe, expect, it } from 'vitest';
import type { GuestRam } from '../../../src/ways.js';
import { controlBytes, LogWriter } from '../testing/build.js';
import { type CachedCluster, findCached } from './cached.js';
import { judgeSavedMemory, type SavedMemoryEvidence } from './judge.js';

const NOW = 1_800_000_000;
const PAGE = 8192;
const END = 100 * PAGE;
const MIB = 2 ** 20;

const evidence = (newestPage: number | null, more: Partial<SavedMemoryEvidence['onDisk']> = {}, control: CachedCluster['control'] = null) => {
  const onDisk = { newestPage: END, fsyncOff: false, state: 'in production' as const, checkpoint: END - 9 * PAGE, writtenAt: NOW - 60, ...more };
  const seen: SavedMemoryEvidence = { onDisk, cached: { control, newestPage, pages: 5 }, others: false };
  return JSON.parse(JSON.stringify(seen)) as SavedMemoryEvidence;
};
const told = (one: SavedMemoryEvidence): string => {
  const { outcome, findings, untested } = judgeSavedMemory(one);
  return [outcome, ...findings.map(({ code }) => code.replace('postgresql.', '')), ...untested.map(({ holdsData }) => `untested ${holdsData}`)].join(', ');
};

describe('the log on the disk', () => {
  it('agrees where it has come as far as the memory, or not quite', () => {
    expect(told(evidence(END))).toBe('pass');
    expect(told(evidence(END + 16 * MIB))).toBe('pass');
    expect(told(evidence(END + 17 * MIB)), 'more than a server keeps back').toBe('pass, untested false');
  });

  it('is doubted where it goes on behind all that stands in memory', () => {
    expect(told(evidence(END - PAGE))).toBe('pass, saved-memory.disk-later, untested true');
    expect(told(evidence(END - PAGE, { state: 'shut down' })), 'nobody keeps its pages in memory').toBe('pass, untested false');
  });

  it('fails where it does not reach the checkpoint that the control file in memory names', () => {
    const later = { checkpoint: END + 20 * PAGE, writtenAt: NOW - 1 };
    expect(told(evidence(END + 30 * PAGE, {}, later))).toBe('fail, saved-memory.disk-earlier');
    expect(told(evidence(null, {}, later))).toBe('fail, saved-memory.disk-earlier');
    expect(told(evidence(END + 30 * PAGE, { fsyncOff: true }, later)), 'nothing orders both').toBe('pass, saved-memory.disk-earlier, untested true');
    expect(told(evidence(END + 30 * PAGE, {}, { ...later, writtenAt: NOW - 90 })), 'of a past that was given up').toBe('pass');
    expect(told(evidence(END, {}, { checkpoint: END + PAGE, writtenAt: NOW })), 'the page may just be on its way').toBe('pass');
  });

  it('stays open where nothing can be told, and that decides nothing', () => {
    expect(told(evidence(null))).toBe('pass, untested false');
    expect(told({ ...evidence(END - PAGE), others: true })).toBe('pass, untested false');
  });
});

describe('what of a cluster stands in memory', () => {
  const ids = { version: 15, timeline: 1, systemId: '77' };
  const log = new LogWriter(3 * MIB);
  for (let record = 0; record < 20; record++) log.add(1000);
  const pages = Array.from({ length: 3 }, (_, page) => Buffer.from(log.bytes.subarray(page * PAGE, (page + 1) * PAGE)));
  const [first = Buffer.alloc(PAGE), second = Buffer.alloc(PAGE)] = pages;
  const find = (blocks: Buffer[], wanted: Partial<typeof ids> = {}): Promise<CachedCluster> => {
    const ram = {
      async *pages() {
        yield { address: 0, bytes: Buffer.concat(blocks) };
      },
    } as unknown as GuestRam;
    const version = 15;
    return findCached(ram, { ...ids, version, ...wanted }, new AbortController().signal);
  };

  it('tells how far its log had come', async () => {
    expect(await find(pages)).toEqual({ control: null, newestPage: 3 * MIB + 2 * PAGE, pages: 3 });
    expect(await find(pages, { version: 16 })).toMatchObject({ newestPage: null });
    expect(await find(pages, { timeline: 9 })).toMatchObject({ newestPage: null });
    expect(await find([first], { systemId: '78' }), 'it names another cluster').toMatchObject({ newestPage: null });
  });

  it('is no log while a page is only made ready', async () => {
    const ready = Buffer.from(second).fill(0, 16).fill(0, 2, 4);
    expect(await find([ready])).toMatchObject({ newestPage: null, pages: 0 });
  });

  it('is a control file by its own sum and its cluster', async () => {
    const control = controlBytes(1300, { systemId: 77n, checkpoint: 5 * MIB });
    const older = controlBytes(1300, { systemId: 77n, checkpoint: 4 * MIB });
    const torn = controlBytes(1300, { systemId: 77n, checkpoint: 6 * MIB });
    torn.writeUInt8(1, 100);
    const foreign = controlBytes(1300, { systemId: 77n + 2n ** 32n, checkpoint: 7 * MIB });
    expect((await find([older, control, torn, foreign])).control).toEqual({ checkpoint: 5 * MIB, writtenAt: 0 });
  });
});
