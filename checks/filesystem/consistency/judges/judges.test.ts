import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { judgeBtrfsCheck } from './btrfs.js';
import { judgeE2fsck } from './ext.js';
import { judgeFsckExfat, judgeFsckFat } from './fat.js';
import { whyNotRun } from './judgement.js';
import { judgeNtfs } from './ntfs.js';
import { judgeXfsRepair } from './xfs.js';

/** Recorded from Debian 12's tools on real images, healthy and damaged on purpose. */
const recorded = (name: string) => readFileSync(new URL(`../outputs/${name}.txt`, import.meta.url), 'utf8').replace(/^rc=\d+\n?/m, '');

describe('e2fsck', () => {
  test('healthy is sound', () => expect(judgeE2fsck(recorded('e2fsck-clean'))).toMatchObject({ result: 'sound', problems: [], remarks: [] }));
  test('frozen: exit code 4, but deleted and open files only', () => {
    const judged = judgeE2fsck(recorded('e2fsck-frozen'));
    expect(judged).toMatchObject({ result: 'sound', problems: [] });
    expect(judged.remarks).toContain('Deleted inode 452 has zero dtime.  Fix? no');
  });
  test('not replayed: no pass, whatever the exit code', () => expect(judgeE2fsck(recorded('e2fsck-live')).result).toBe('not-judged'));
  test.each(['inode-table', 'bitmap', 'root-directory', 'superblock', 'nothing'])('%s damaged is found', (name) => {
    const judged = judgeE2fsck(recorded(`e2fsck-${name}`));
    expect(judged.result).toBe('damaged');
    expect(judged.problems.length).toBeGreaterThan(0);
  });
  test('bitmap differences without a deleted inode are damage', () => {
    const text = recorded('e2fsck-frozen').replace(/^Deleted inode.*\n/m, '');
    expect(judgeE2fsck(text).result).toBe('damaged');
  });
  test('a used but unmarked block is damage even beside a deleted inode', () => {
    expect(judgeE2fsck(recorded('e2fsck-frozen').replace('-452', '-452 +77')).result).toBe('damaged');
  });
  test('mounted read-only meanwhile, by us: looked at all the same', () => {
    const warned = `Warning!  /dev/disk/guestfs/diska1 is mounted.\n${recorded('e2fsck-clean')}`;
    expect(whyNotRun(warned)).toBeNull();
    expect(judgeE2fsck(warned)).toMatchObject({ result: 'sound', problems: [], remarks: [] });
  });
  test('cut off output is no pass', () => expect(judgeE2fsck(recorded('e2fsck-clean').split('Pass 4')[0] ?? '').result).toBe('not-judged'));
});

describe('xfs_repair', () => {
  test('healthy is sound', () => expect(judgeXfsRepair(recorded('xfs-repair-clean'))).toMatchObject({ result: 'sound', problems: [] }));
  test.each(['frozen', 'live'])('%s, not replayed: no judgement', (name) => expect(judgeXfsRepair(recorded(`xfs-repair-${name}`)).result).toBe('not-judged'));
  test.each(['inodes', 'directory', 'agf', 'superblock'])('%s damaged is found', (name) => {
    expect(judgeXfsRepair(recorded(`xfs-repair-${name}`)).result).toBe('damaged');
  });
  test('cut off output is no pass', () => expect(judgeXfsRepair('Phase 1 - find and verify superblock...\n').result).toBe('not-judged'));
});

describe('btrfs check', () => {
  test.each(['clean', 'live'])('%s is sound', (name) => expect(judgeBtrfsCheck(recorded(`btrfs-${name}`))).toMatchObject({ result: 'sound', remarks: [] }));
  test('one bad copy that the other heals is told, and is no damage', () => {
    const judged = judgeBtrfsCheck(recorded('btrfs-one-copy'));
    expect(judged.result).toBe('sound');
    expect(judged.remarks[0]).toContain('checksum verify failed');
  });
  test.each(['both-copies', 'superblock'])('%s damaged is found', (name) => expect(judgeBtrfsCheck(recorded(`btrfs-${name}`)).result).toBe('damaged'));
});

describe('FAT and exFAT', () => {
  test('healthy is sound', () => {
    expect(judgeFsckFat(recorded('fat-clean'))).toMatchObject({ result: 'sound', remarks: [] });
    expect(judgeFsckExfat(recorded('exfat-clean'))).toMatchObject({ result: 'sound' });
    expect(judgeFsckExfat(recorded('exfat-dirty'))).toMatchObject({ result: 'sound' });
  });
  test('a dirty mark is told, and is no damage', () => {
    const judged = judgeFsckFat(recorded('fat-dirty'));
    expect(judged).toMatchObject({ result: 'sound', problems: [] });
    expect(judged.remarks[0]).toContain('Dirty bit is set');
  });
  test('damage is found', () => {
    expect(judgeFsckFat(recorded('fat-damaged')).result).toBe('damaged');
    expect(judgeFsckExfat(recorded('exfat-bootsector')).result).toBe('damaged');
  });
  test('fsck.exfat says "clean" after it failed to read the bitmap: still damage', () => {
    expect(recorded('exfat-root')).toContain('clean.');
    expect(judgeFsckExfat(recorded('exfat-root')).result).toBe('damaged');
  });
});

describe('NTFS', () => {
  const texts = (name: string, replayPending = false) => ({
    ntfsfix: recorded(`ntfsfix-${name}`),
    ntfsinfo: recorded(`ntfsinfo-${name}`),
    walk: '',
    replayPending,
  });
  test('closed and healthy is sound', () => expect(judgeNtfs(texts('clean'))).toMatchObject({ result: 'sound', remarks: [] }));
  test('a pending journal is no pass of the structure', () => {
    const judged = judgeNtfs(texts('log', true));
    expect(judged.result).toBe('not-judged');
    expect(judged.why).toContain('journal is pending');
  });
  test('a dirty mark is told', () => {
    const judged = judgeNtfs(texts('dirty'));
    expect(judged.result).toBe('sound');
    expect(judged.remarks[0]).toContain('marked dirty');
  });
  test.each(['mirror', 'root'])('%s damaged is found', (name) => expect(judgeNtfs(texts(name)).result).toBe('damaged'));
  test('a folder that cannot be read is damage', () => {
    const walk = "find: '/tmp/snapproof-volume/dir': Input/output error";
    expect(judgeNtfs({ ...texts('clean'), walk }).result).toBe('damaged');
  });
});

test('a checker that is missing, or a device that is not there, is no statement about the file system', () => {
  expect(whyNotRun(recorded('e2fsck-missing'))).toContain('No such file or directory');
  expect(whyNotRun('/bin/sh: 1: xfs_repair: not found')).toContain('not found');
  for (const name of [
    'e2fsck-clean',
    'e2fsck-inode-table',
    'e2fsck-nothing',
    'xfs-repair-agf',
    'btrfs-both-copies',
    'fat-damaged',
    'exfat-root',
    'ntfsfix-root',
  ]) {
    expect(whyNotRun(recorded(name)), name).toBeNull();
  }
});
