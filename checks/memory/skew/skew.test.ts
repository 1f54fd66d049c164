import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/volumes/checksums.js';
import { isOfJournal, parseCommitBlock, parseRecordHeader } from '../cached-logs.js';
import type { LogHead } from '../linux/log-heads.js';
import type { MountedFileSystem } from '../linux/mounts.js';
import { compareLogs } from './compare.js';
import type { DiskLog, DiskLogPosition } from './disk-logs.js';
import { type CachedLog, type LogPair, pairLogs, type SkewEvidence } from './evidence.js';
import { judgeSkew } from './judge.js';

const UUID = '5a1fb0f5-6c1d-4c5e-9a52-2b1f7a3e0c01';
const OTHER = '5a1fb0f5-6c1d-4c5e-9a52-2b1f7a3e0c02';
const CLOCK = 1_800_000_000;

const disk = (position: DiskLogPosition | null, more: Partial<DiskLog> = {}): DiskLog => ({
  ...{ volume: 'disk0/p1', disk: 'disk0', type: position?.kind === 'xfs' ? 'xfs' : 'ext4', uuid: UUID, position, why: position ? '' : 'no log' },
  ...more,
});
const jbd2 = (committed: number, more: object = {}): DiskLogPosition => ({
  ...{ kind: 'jbd2', committed, empty: false, seconds: CLOCK - 1, journalUuid: UUID, offset: 0, blockBytes: 4096, checksums: true },
  ...more,
});
const xfs = (cycle: number, block: number, more: object = {}): DiskLogPosition => ({
  ...{ kind: 'xfs', last: { cycle, block }, head: { cycle, block: block + 2 }, previous: block - 2, seconds: null, unmounted: false, offset: 0, blocks: 1000 },
  ...more,
});
const btrfs = (generation: number, logRoot = 0): DiskLogPosition => ({ kind: 'btrfs', generation, logRoot, offset: 65536 });
const mount = (log: LogHead | string | null, more: Partial<MountedFileSystem> = {}): MountedFileSystem => ({
  ...{ device: 'vda1', type: 'ext4', uuid: UUID, frozen: 0, readOnly: false, steady: true, log },
  ...more,
});
const journal = (committed: number, more: object = {}): LogHead => ({ kind: 'jbd2', committed, committing: null, flushed: false, aborted: false, ...more });
const log = (next: [number, number], written: [number, number] | null, shutDown = false): LogHead => ({
  ...{ kind: 'xfs', shutDown, next: { cycle: next[0], block: next[1] } },
  written: written && { cycle: written[0], block: written[1] },
});
const trees = (committed: number, more: object = {}): LogHead => ({ kind: 'btrfs', committed, committing: null, logRoot: 0, aborted: false, ...more });
const pair = (position: DiskLogPosition | null, head: LogHead | string | null, more: Partial<LogPair> = {}): LogPair => ({
  ...{ disk: disk(position), mount: mount(head), cached: null, ambiguous: false },
  ...more,
});
const told = (one: LogPair) => {
  const { relation, proven, by } = compareLogs(one, CLOCK);
  return `${relation}${proven || relation === 'unknown' ? '' : ' (doubt)'}${by ? ` by ${by}` : ''}`;
};

describe('a journal of ext4', () => {
  it.each([
    ['the same number', jbd2(98), journal(98), 'same'],
    ['a commit that was just on its way', jbd2(99), journal(98, { committing: 99 }), 'same'],
    ['a commit that nobody was writing', jbd2(99), journal(98), 'disk-later by 1 transaction'],
    ['two commits more than can be on their way', jbd2(100), journal(98, { committing: 99 }), 'disk-later by 2 transactions'],
    ['a commit that memory knows as done', jbd2(97), journal(98), 'disk-earlier by 1 transaction'],
    ['numbers that begin anew', jbd2(0), journal(0xffffffff), 'disk-later by 1 transaction'],
    ['numbers that began anew', jbd2(0xfffffffe), journal(1), 'disk-earlier by 3 transactions'],
    ['an empty journal of a frozen file system', jbd2(97, { empty: true }), journal(97, { flushed: true }), 'same'],
    ['an empty journal that was mounted: a number is skipped', jbd2(97, { empty: true }), journal(98, { flushed: true }), 'same'],
    ['an empty journal, but memory has committed since', jbd2(97, { empty: true }), journal(98), 'disk-earlier by 1 transaction'],
    ['a journal that was aborted', jbd2(10), journal(98, { aborted: true }), 'unknown'],
  ])('%s', (_, position, head, expected) => {
    expect(told(pair(position, head))).toBe(expected);
  });

  it('is told apart in seconds of the guest', () => {
    expect(compareLogs(pair(jbd2(200, { seconds: CLOCK + 25 }), journal(98)), CLOCK).seconds).toBe(25);
    expect(compareLogs(pair(jbd2(90, { seconds: CLOCK - 69 }), journal(98)), CLOCK).seconds).toBe(69);
    expect(compareLogs(pair(jbd2(90, { seconds: CLOCK - 69 }), journal(98)), null).seconds).toBeNull();
  });
});

describe('a log of XFS', () => {
  it.each([
    ['the last record, known as written', xfs(1, 38), log([1, 40], [1, 38]), 'same'],
    ['records that may be on their way', xfs(1, 44), log([1, 60], [1, 38]), 'same'],
    ['a record that memory has yet to hand out', xfs(1, 40), log([1, 40], [1, 38]), 'disk-later by 1024 bytes of log'],
    ['a record of the next turn', xfs(2, 3), log([1, 990], [1, 980]), 'disk-later by 7680 bytes of log'],
    ['less than memory knows as written', xfs(1, 30), log([1, 40], [1, 38]), 'disk-earlier by 4096 bytes of log'],
    ['a turn less', xfs(1, 995, { head: { cycle: 1, block: 997 } }), log([2, 5], [2, 3]), 'disk-earlier by 4096 bytes of log'],
    ['nothing written since it was mounted', xfs(1, 38), log([1, 40], [1, 40]), 'same'],
    ['nothing written in memory, and an older disk', xfs(1, 20), log([1, 40], [1, 40]), 'disk-earlier by 10240 bytes of log'],
    ['nothing written in memory, and a later disk', xfs(1, 44), log([1, 40], [1, 40]), 'disk-later by 3072 bytes of log'],
    ['a kernel that does not say what was written', xfs(1, 38), log([1, 40], null), 'unknown'],
    ['the same, and a disk that is later', xfs(1, 50), log([1, 40], null), 'disk-later by 6144 bytes of log'],
    ['a file system that was shut down', xfs(1, 38), log([1, 90], [1, 80], true), 'unknown'],
  ])('%s', (_, position, head, expected) => {
    expect(told(pair(position, head))).toBe(expected);
  });
});

it('tells XFS apart in seconds where its records hold a time', () => {
  expect(compareLogs(pair(xfs(1, 60, { seconds: CLOCK + 30 }), log([1, 40], [1, 38])), CLOCK).seconds).toBe(30);
  expect(compareLogs(pair(xfs(1, 20, { seconds: CLOCK - 30 }), log([1, 40], [1, 38])), CLOCK).seconds).toBe(30);
});

describe('the generations of btrfs', () => {
  it.each([
    ['the same generation and log tree', btrfs(27, 4096), trees(27, { logRoot: 4096 }), 'same'],
    ['another log tree', btrfs(27, 8192), trees(27, { logRoot: 4096 }), 'different by less than a transaction'],
    ['a log tree that may be on its way', btrfs(27, 8192), trees(27, { logRoot: null }), 'same'],
    ['superblocks that are on their way', btrfs(28), trees(27, { committing: 28, logRoot: null }), 'same'],
    ['a later generation', btrfs(28), trees(27), 'disk-later by 1 transaction'],
    ['an earlier generation', btrfs(20), trees(27), 'disk-earlier by 7 transactions'],
    ['one that had stopped', btrfs(20), trees(27, { aborted: true }), 'unknown'],
  ])('%s', (_, position, head, expected) => {
    expect(told(pair(position, head))).toBe(expected);
  });
});

describe('without the state of the log in memory', () => {
  const cached = (newest: number): CachedLog => ({ kind: 'jbd2', newest, newestSeconds: CLOCK, blocks: 9 });
  const records = (cycle: number, previous: number): CachedLog => ({ kind: 'xfs', newest: { cycle, previous }, bufferBytes: 32768, blocks: 8 });
  const why = 'the kernel shows no structure';
  const long = { blocks: 10_000 };

  it.each([
    ['the same commit block', jbd2(98), cached(98), 'same'],
    ['one more in memory: it may be on its way', jbd2(97), cached(98), 'unknown'],
    ['two more in memory: the first of them was written', jbd2(96), cached(98), 'disk-earlier by 2 transactions'],
    ['more in memory, of a past that was rolled back', jbd2(96, { seconds: CLOCK + 60 }), cached(98), 'unknown'],
    ['more on the disk: memory may have lost it', jbd2(120), cached(98), 'disk-later (doubt) by 22 transactions'],
    ['more on the disk, committed after the clock in memory', jbd2(120, { seconds: CLOCK + 20 }), cached(98), 'disk-later by 22 transactions'],
    ['an empty journal', jbd2(98, { empty: true }), cached(97), 'unknown'],
    ['an empty journal, and later commits in memory', jbd2(98, { empty: true }), cached(105), 'disk-earlier by 7 transactions'],
    ['nothing in memory', jbd2(98), null, 'unknown'],
    ['the same record', xfs(1, 540, long), records(1, 538), 'same'],
    ['records that may be on their way', xfs(1, 540, long), records(1, 560), 'unknown'],
    ['a log that has just begun anew', xfs(2, 0, { previous: 9998, ...long }), records(1, 538), 'unknown'],
    ['nothing written since it was mounted', xfs(1, 540, { unmounted: true, ...long }), records(1, 300), 'unknown'],
    ['more on the disk', xfs(1, 340, long), records(1, 300), 'disk-later (doubt) by 19456 bytes of log'],
    ['more in memory than can be on its way', xfs(1, 540, long), records(1, 1540), 'disk-earlier by 513024 bytes of log'],
  ] as [string, DiskLogPosition, CachedLog | null, string][])('%s', (_, position, newest, expected) => {
    expect(told(pair(position, why, { cached: newest }))).toBe(expected);
    expect(told(pair(position, why, { cached: newest, mount: 'unknown' }))).toBe(expected);
  });
});

describe('what cannot be told', () => {
  it.each([
    ['a file system that was not mounted', pair(jbd2(1), null, { mount: null }), 'not-mounted'],
    ['one that was being unmounted', pair(jbd2(1), null, { mount: mount(journal(90), { steady: false }) }), 'unknown'],
    ['one without its log', pair(jbd2(1), null), 'unknown'],
    ['twins', pair(jbd2(1), journal(90), { ambiguous: true }), 'unknown'],
    ['a type without a log', pair(null, null), 'unknown'],
    ['a type that changed', pair(jbd2(1), log([1, 40], [1, 38])), 'unknown'],
  ])('%s', (_, one, expected) => {
    expect(told(one)).toBe(expected);
  });
});

describe('pairs', () => {
  const survey = (mounts: MountedFileSystem[] | null) => ({ linux: { mounts } as never, commits: [], records: [] });

  it('are found by UUID, and twins are not told apart', () => {
    expect(pairLogs([disk(jbd2(1))], survey([mount(journal(1))]))[0]).toMatchObject({ mount: { device: 'vda1' }, ambiguous: false });
    expect(pairLogs([disk(jbd2(1))], survey([mount(journal(1), { uuid: OTHER })]))[0]).toMatchObject({ mount: null, ambiguous: false });
    expect(pairLogs([disk(jbd2(1))], survey(null))[0]?.mount).toBe('unknown');
    expect(pairLogs([disk(jbd2(1)), disk(jbd2(1))], survey([mount(journal(1))])).map(({ ambiguous }) => ambiguous)).toEqual([true, true]);
    expect(pairLogs([disk(jbd2(1))], survey([mount(journal(1)), mount(journal(2))]))[0]?.ambiguous).toBe(true);
  });

  it('take blocks of this log alone from memory', () => {
    const commits = [commitBlock(97, UUID), commitBlock(98, UUID), commitBlock(500, OTHER)].flatMap((bytes) => parseCommitBlock(bytes) ?? []);
    const records = [recordHeader(1, 40, UUID), recordHeader(1, 44, UUID), recordHeader(9, 44, OTHER), recordHeader(0, 400, UUID)].flatMap(
      (bytes) => parseRecordHeader(bytes) ?? [],
    );
    const found = pairLogs([disk(jbd2(98)), disk(xfs(1, 46), { uuid: UUID })], { linux: null, commits, records });
    expect(found.map(({ cached }) => cached)).toEqual([
      { kind: 'jbd2', newest: 98, newestSeconds: CLOCK, blocks: 2 },
      { kind: 'xfs', newest: { cycle: 1, previous: 44 }, bufferBytes: 32768, blocks: 2 },
    ]);
    expect(pairLogs([disk(jbd2(98, { checksums: false }))], { linux: null, commits, records })[0]?.cached).toBeNull();
  });
});

describe('the judgement', () => {
  const evidence = (pairs: LogPair[], more: Partial<SkewEvidence> = {}): SkewEvidence => ({
    ...{ release: '6.1.0', why: '', clockSeconds: CLOCK, disks: ['disk0'], dataDisks: ['disk0', 'disk1'], resumeWanted: true },
    pairs,
    ...more,
  });
  const onDisk1 = (one: LogPair): LogPair => ({ ...one, disk: { ...one.disk, volume: 'disk1/p1', disk: 'disk1', uuid: OTHER } });

  it('passes what is of one instant', () => {
    const judgement = judgeSkew(evidence([pair(jbd2(98), journal(98))]));
    expect(judgement).toMatchObject({ outcome: 'pass', findings: [], untested: [], summary: 'memory and 1 disk are of one instant' });
    expect(judgement.tested).toHaveLength(1);
  });

  it('fails what is not, and says which is later and by how much', () => {
    const judgement = judgeSkew(evidence([pair(jbd2(198, { seconds: CLOCK + 25 }), journal(129))]));
    expect(judgement.outcome).toBe('fail');
    expect(judgement.summary).toContain('the ext4 on disk0/p1 is later than the memory by 69 transactions (at least 25 s)');
    expect(judgement.findings).toMatchObject([
      { code: 'memory.skew.disk-later', severity: 'critical', where: { volume: 'disk0/p1', disk: 'disk0', seconds: 25 } },
    ]);
    expect(judgement.advice).toContain('Do not resume');
  });

  it('fails when one of two disks is of another instant', () => {
    const judgement = judgeSkew(evidence([pair(jbd2(98), journal(98)), onDisk1(pair(xfs(1, 30), log([1, 40], [1, 38])))], { disks: ['disk0', 'disk1'] }));
    expect(judgement.outcome).toBe('fail');
    expect(judgement.findings.map(({ code }) => code)).toEqual(['memory.skew.disk-earlier']);
  });

  const doubt = pair(jbd2(120), 'no structure', { cached: { kind: 'jbd2', newest: 98, newestSeconds: CLOCK, blocks: 3 } });

  it('leaves doubt open, whatever the policy asks for', () => {
    const judgement = judgeSkew(evidence([doubt], { resumeWanted: false }));
    expect(judgement.outcome).toBe('pass');
    expect(judgement.findings).toMatchObject([{ code: 'memory.skew.suspected', severity: 'warning' }]);
    expect(judgement.untested).toMatchObject([{ holdsData: true }]);
  });

  it('does not doubt a disk of which another log proves the instant', () => {
    const judgement = judgeSkew(evidence([doubt, { ...pair(jbd2(5), journal(5)), disk: disk(jbd2(5), { volume: 'disk0/p2', uuid: OTHER }) }]));
    expect(judgement).toMatchObject({ outcome: 'pass', findings: [], untested: [] });
  });

  it.each([
    ['a log that cannot be read', [pair(null, null)], true],
    ['nothing that could be held against memory', [], true],
    ['nothing that was mounted', [pair(jbd2(1), null, { mount: null })], false],
  ])('leaves %s open, as far as resuming is asked for', (_, pairs, matters) => {
    expect(judgeSkew(evidence(pairs)).untested).toMatchObject([{ holdsData: matters }]);
    expect(judgeSkew(evidence(pairs, { resumeWanted: false })).untested).toMatchObject([{ holdsData: false }]);
    expect(judgeSkew(evidence(pairs)).tested).toEqual([]);
  });

  it('does not ask for more where nothing lies on a disk', () => {
    expect(judgeSkew(evidence([], { dataDisks: [] })).untested).toMatchObject([{ why: 'nothing that holds data was found on it', holdsData: false }]);
  });

  it('never says that what differs is of one instant', () => {
    const position = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(position, position, (onDisk, inMemory) => {
        fc.pre(onDisk !== inMemory);
        expect(compareLogs(pair(jbd2(onDisk), journal(inMemory)), CLOCK).relation).toMatch(/^disk-/);
      }),
    );
  });
});

describe('blocks of logs in memory', () => {
  it('are what their bytes say, or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 600 }), (bytes) => {
        const commit = parseCommitBlock(Buffer.from(bytes));
        if (commit) expect(isOfJournal(commit, UUID, 4096)).toBe(false);
        parseRecordHeader(Buffer.from(bytes));
      }),
    );
  });

  it('are bound to their journal by the checksum', () => {
    const commit = parseCommitBlock(commitBlock(98, UUID));
    expect(commit && isOfJournal(commit, UUID, 4096)).toBe(true);
    expect(commit && isOfJournal(commit, OTHER, 4096)).toBe(false);
    expect(commit && isOfJournal(commit, UUID, 1024)).toBe(false);
  });
});

function commitBlock(sequence: number, uuid: string): Buffer {
  const block = Buffer.alloc(4096);
  block.writeUInt32BE(0xc03b3998, 0);
  block.writeUInt32BE(2, 4);
  block.writeUInt32BE(sequence, 8);
  block.writeBigUInt64BE(BigInt(CLOCK), 0x30);
  const seed = crc32c(Buffer.from(uuid.replaceAll('-', ''), 'hex'), 0xffffffff, true);
  block.writeUInt32BE(crc32c(block, seed, true), 0x10);
  return block;
}

function recordHeader(cycle: number, previous: number, uuid: string): Buffer {
  const header = Buffer.alloc(512);
  header.writeUInt32BE(0xfeedbabe, 0);
  header.writeUInt32BE(cycle, 4);
  header.writeUInt32BE(2, 8);
  header.writeUInt32BE(previous, 36);
  Buffer.from(uuid.replaceAll('-', ''), 'hex').copy(header, 304);
  header.writeUInt32BE(32768, 320);
  return header;
}
