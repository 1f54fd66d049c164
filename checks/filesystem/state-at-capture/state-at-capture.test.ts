import { describe, expect, test } from 'vitest';
import type { CheckTarget } from '../../../src/check.js';
import type { CaptureState, Inspection, VolumeContent } from '../../../src/types.js';
import check from './index.js';
import { judgeState } from './judge.js';

const judge = (state: CaptureState['state'], facts: CaptureState['facts'] = {}) =>
  judgeState({ volume: 'disk0/p1', type: 'ext4', captured: { state, why: 'because', facts } });

describe('judgement', () => {
  test.each(['clean', 'frozen', 'quiesced'] as const)('%s passes with consistency filesystem and nothing to replay', (state) => {
    expect(judge(state)).toMatchObject({ outcome: 'pass', consistency: { level: 'filesystem' }, recovery: { needed: false, bytes: 0 }, untested: [] });
  });
  test('a log to replay is normal: pass, consistency crash, with the bytes', () => {
    expect(judge('needs-replay', { logBytes: 4096 })).toMatchObject({
      outcome: 'pass',
      consistency: { level: 'crash' },
      recovery: { needed: true, seconds: null, bytes: 4096 },
    });
  });
  test('damage fails, and says what to do', () => {
    const judged = judge('damaged');
    expect(judged).toMatchObject({ outcome: 'fail', consistency: { level: 'none' } });
    expect(judged.advice).not.toBe('');
    expect(judged.findings[0]).toMatchObject({ code: 'filesystem.state.damaged', severity: 'critical' });
  });
  test('a volume in use without a log is a crash state', () =>
    expect(judge('unknown', { inUse: true })).toMatchObject({ consistency: { level: 'crash' }, untested: [] }));
  test('an unknown state is untested, and may hold data', () => {
    expect(judge('unknown')).toMatchObject({ outcome: 'pass', consistency: { level: 'unknown' }, tested: [], untested: [{ holdsData: true }] });
  });
  test('a damaged copy of the superblock is a warning', () => {
    expect(judge('quiesced', { damagedCopies: 1 }).findings[0]).toMatchObject({ severity: 'warning' });
  });
});

test('applies to file systems whose state was read, and to nothing else', () => {
  const target = (content: VolumeContent, captureState: CaptureState | null): CheckTarget => {
    const volume = { id: 'disk0', device: '/dev/sda', sizeBytes: 1, placement: [], partition: null, content, captureState };
    return { kind: 'volume', id: 'disk0', volume };
  };
  const nothing = {} as Inspection;
  const ext4: VolumeContent = { kind: 'filesystem', type: 'ext4', uuid: null, label: null };
  expect(check.skipReason(target(ext4, { state: 'clean', why: '', facts: {} }), nothing)).toBeNull();
  expect(check.skipReason(target(ext4, null), nothing)).toContain('ext4');
  expect(check.skipReason(target({ kind: 'swap', uuid: null, hibernated: false }, null), nothing)).toContain('no file system');
});
