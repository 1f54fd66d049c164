import { describe, expect, it } from 'vitest';
import type { Inspection, Volume } from '../../../src/types.js';
import type { MountedFileSystem } from '../linux/mounts.js';
import { evidenceOf } from './evidence.js';
import { judgeFrozen } from './judge.js';

const UUID = '5a1fb0f5-6c1d-4c5e-9a52-2b1f7a3e0c01';

const mount = (frozen: number, more: Partial<MountedFileSystem> = {}): MountedFileSystem => ({
  ...{ device: 'vda1', type: 'ext4', uuid: UUID, frozen, readOnly: false, steady: true, log: null },
  ...more,
});
const volume = {
  ...{ id: 'disk0/p1', content: { kind: 'filesystem', type: 'ext4', uuid: UUID, label: null } },
  captureState: { state: 'quiesced', why: '', facts: {} },
} as unknown as Volume;

function judged(mounts: MountedFileSystem[], depth: 'recovery' | 'resume') {
  const inspection = { volumes: [volume] } as Partial<Inspection> as Inspection;
  return judgeFrozen(JSON.parse(JSON.stringify(evidenceOf(mounts, '6.1.0', { inspection, depth }))));
}

describe('memory with a frozen file system', () => {
  it('fails where resuming is asked for', () => {
    const judgement = judged([mount(4), mount(0, { device: 'vdb1' })], 'resume');
    expect(judgement).toMatchObject({
      outcome: 'fail',
      findings: [{ code: 'memory.frozen', severity: 'critical', where: { device: 'vda1', level: 4, volume: 'disk0/p1' } }],
    });
    expect(judgement.findings[0]?.message).toContain(
      'the ext4 on vda1 (disk0/p1) was frozen when the memory was saved; on the disk it was captured as "quiesced"',
    );
    expect(judgement.advice).toContain('thaw');
  });

  it('is told where only the disks count', () => {
    expect(judged([mount(4)], 'recovery')).toMatchObject({ outcome: 'pass', findings: [{ severity: 'warning' }] });
  });

  it('says when the freeze was under way', () => {
    expect(judged([mount(2)], 'resume').findings[0]?.message).toContain('was being frozen (step 2 of 4)');
  });

  it('names a file system that is on none of the disks', () => {
    expect(judged([mount(4, { uuid: null, device: 'sdz' })], 'resume').findings[0]?.where).toEqual({ device: 'sdz', level: 4 });
  });
});

it('passes when nothing was frozen', () => {
  expect(judged([mount(0), mount(0)], 'resume')).toMatchObject({
    outcome: 'pass',
    findings: [],
    summary: 'none of 2 mounted file systems was frozen when the memory was saved',
  });
});
