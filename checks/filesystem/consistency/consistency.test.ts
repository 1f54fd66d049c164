import { describe, expect, test } from 'vitest';
import type { CheckContext } from '../../../src/check.js';
import { LabError } from '../../../src/errors.js';
import type { CaptureState, Volume } from '../../../src/types.js';
import check from './index.js';
import { type ConsistencyEvidence, judgeConsistency } from './judge.js';
import { consistencyScript, parseScriptOutput } from './script.js';

const SOUND_EXT4 = 'Pass 5: Checking group summary information\nlabel: 11/16 files (0.0% non-contiguous), 9/64 blocks';
const NEEDS_REPLAY: CaptureState = { state: 'needs-replay', why: '', facts: { logBytes: 512 } };

const evidence = (change: Partial<ConsistencyEvidence> = {}): ConsistencyEvidence => ({
  volume: 'disk0/p1',
  type: 'ext4',
  captured: NEEDS_REPLAY,
  replay: { mounted: true, seconds: 0.25, text: '' },
  kernel: '[    1.0] EXT4-fs (sda1): recovery complete',
  tools: { e2fsck: SOUND_EXT4 },
  ...change,
});

describe('judgement', () => {
  test('replayed and sound: pass, with the seconds', () => {
    const judged = judgeConsistency(evidence());
    expect(judged).toMatchObject({ outcome: 'pass', recovery: { needed: true, seconds: 0.25, bytes: 0 }, untested: [] });
    expect(judged.summary).toContain('0.25 s');
  });

  test('not mountable: fail with the words of the kernel', () => {
    const kernel = '[ 2.5] XFS (sda1): Metadata CRC error detected\n[ 2.6] XFS (sda1): log mount/recovery failed: error -74';
    const judged = judgeConsistency(evidence({ type: 'xfs', replay: { mounted: false, seconds: 1, text: 'mount: bad' }, kernel, tools: { xfs_repair: '' } }));
    expect(judged).toMatchObject({ outcome: 'fail', consistency: { level: 'none' } });
    expect(judged.summary).toContain('log mount/recovery failed: error -74');
    expect(judged.findings.map((finding) => finding.code)).toContain('filesystem.kernel');
  });

  test.each([
    '[ 3.1] EXT4-fs error (device sda1): ext4_lookup:1826: inode #2: comm ls: iget: checksum invalid',
    '[ 3.1] XFS (sda1): Corruption warning: Metadata has LSN (5:90) ahead of current LSN (4:2). Please unmount and run xfs_repair',
    '[ 3.1] BTRFS error (device sda1): parent transid verify failed',
    '[ 3.1] JBD2: journal checksum error detected',
  ])('the kernel met errors while it replayed: %s', (line) => {
    expect(judgeConsistency(evidence({ kernel: line })).outcome).toBe('fail');
  });

  test.each([
    '[ 3.1] EXT4-fs (sda1): error count since last fsck: 3',
    '[ 3.1] XFS (sda1): Ending recovery (logdev: internal)',
    '[ 3.1] BTRFS info (device sda1): start tree-log replay',
  ])('ordinary words of the kernel are no damage: %s', (line) => {
    expect(judgeConsistency(evidence({ kernel: line })).outcome).toBe('pass');
  });

  test('a checker that did not come to its end is untested', () => {
    expect(judgeConsistency(evidence({ tools: { e2fsck: 'Pass 1: Checking inodes, blocks, and sizes' } }))).toMatchObject({
      tested: [],
      untested: [{ holdsData: true }],
    });
  });

  test('NTFS with a pending journal is untested, with or without what the tools say', () => {
    const tools = { ntfsfix: 'NTFS partition /dev/sda1 was processed successfully.', ntfsinfo: '', walk: '' };
    const judged = judgeConsistency(evidence({ type: 'ntfs', replay: null, tools }));
    expect(judged).toMatchObject({ outcome: 'pass', tested: [], recovery: { needed: true, seconds: null } });
    expect(judged.untested[0]?.why).toContain('pending');
  });

  test('findings are few, however many problems there are', () => {
    const judged = judgeConsistency(evidence({ tools: { e2fsck: Array.from({ length: 500 }, (_, i) => `Inode ${i} seems to contain garbage.`).join('\n') } }));
    expect(judged.outcome).toBe('fail');
    expect(judged.findings.length).toBeLessThan(12);
  });
});

describe('script', () => {
  test('quotes the device', () => {
    expect(consistencyScript('xfs', "/dev/vg/a'; reboot #", 'm', { sizeBytes: 1, uuid: null })).toContain("device='/dev/vg/a'\\''; reboot #'");
  });

  test('sections come back, and a guest cannot forge one without the marker', () => {
    const stdout = [
      'm mount',
      'oops',
      'm mounted 32 1.50 2.25',
      'm device dm-0',
      'm kernel',
      'other tool e2fsck',
      'line',
      'm tool e2fsck',
      'Pass 1',
      'm end',
    ].join('\n');
    expect(parseScriptOutput(stdout, 'm')).toEqual({
      mount: { mounted: false, busy: false, seconds: 0.75, text: 'oops' },
      kernel: 'other tool e2fsck\nline',
      kernelName: 'dm-0',
      tools: { e2fsck: 'Pass 1' },
      other: null,
      whole: true,
    });
  });
});

describe('collect', () => {
  const run = (output: (marker: string) => string) => {
    const content = { kind: 'filesystem', type: 'ext4', uuid: null, label: null } as const;
    const volume: Volume = { id: 'disk0/p1', device: '/dev/sda1', sizeBytes: 1, placement: null, partition: null, content, captureState: NEEDS_REPLAY };
    const script = async (text: string) => ({
      exitCode: 0,
      stdout: output(/echo (snapproof-\w+) > /.exec(text)?.[1] ?? ''),
      stderr: '',
      timedOut: false,
      durationMs: 1,
    });
    const context = { labs: { appliance: async () => ({ unmountAll: async () => {}, script }) } } as unknown as CheckContext<Record<string, never>>;
    return check.collect({ kind: 'volume', id: volume.id, volume }, context);
  };

  test.each([
    ['a missing checker', (m: string) => `${m} mounted 0 1 2\n${m} tool e2fsck\n/bin/sh: 1: e2fsck: not found\n${m} end`],
    ['a missing driver', (m: string) => `${m} mount\nmount: unknown filesystem type 'ext4'.\n${m} mounted 32 1 2\n${m} tool e2fsck\n${m} end`],
    [
      'a kernel that is too old',
      (m: string) =>
        `${m} mounted 32 1 2\n${m} kernel\nEXT4-fs (sda): couldn't mount because of unsupported optional features (20000)\n${m} tool e2fsck\n${m} end`,
    ],
    ['another disk under that name', (m: string) => `${m} other\n/dev/sda1 has 7 bytes and uuid x\n${m} end`],
    ['output that was cut off', (m: string) => `${m} mounted 0 1 2\n${m} tool e2fsck\nPass 1`],
    ['a volume that stays busy', (m: string) => `${m} mounted 0 1 2\n${m} busy\n${m} tool e2fsck\n${m} end`],
  ])('%s is an error of the lab, not of the file system', async (_, output) => {
    await expect(run(output)).rejects.toThrow(LabError);
  });

  test('what the kernel says of another device does not count', async () => {
    const lines = [
      '[ 1.0] EXT4-fs error (device sdb): bad',
      '[ 1.0] XFS (sdb): Corruption detected',
      '[ 1.0] EXT4-fs (sda1): recovery complete',
      '[ 1.1] JBD2: words',
    ];
    const collected = await run((m) =>
      [`${m} mounted 0 1 2`, `${m} device sda1`, `${m} kernel`, ...lines, `${m} tool e2fsck`, SOUND_EXT4, `${m} end`].join('\n'),
    );
    expect(collected.kernel.split('\n')).toEqual(lines.slice(2));
    expect(check.evaluate(collected, {}).outcome).toBe('pass');
  });

  test('long texts are shortened in the evidence, their end is kept', async () => {
    const collected = await run((m) => `${m} mounted 0 1 2\n${m} kernel\n${m} tool e2fsck\n${'garbage\n'.repeat(9000)}the end\n${m} end`);
    expect(collected.tools.e2fsck?.length).toBeLessThan(11_000);
    expect(collected.tools.e2fsck).toMatch(/the end$/);
    expect(check.evaluate(collected, {}).outcome).toBe('fail');
  });
});
