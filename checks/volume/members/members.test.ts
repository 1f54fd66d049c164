import { expect, test } from 'vitest';
import type { CheckContext, CheckTarget } from '../../../src/check.js';
import type { Finding, Inspection, Volume, VolumeContent } from '../../../src/types.js';
import check, { judgeMember } from './index.js';

const LVM: VolumeContent = { kind: 'lvm-member', uuid: 'pv-1', group: 'pair' };
const RAID: VolumeContent = { kind: 'raid-member', uuid: 'array-1', level: 'raid1', facts: {} };

const targetOf = (content: VolumeContent): CheckTarget => ({ kind: 'volume', id: 'disk0', volume: { id: 'disk0', content } as Volume });

function finding(where: Finding['where'], severity: Finding['severity'] = 'critical'): Finding {
  return { code: 'some.thing', severity, message: `words about ${Object.values(where)[0]}`, where };
}

/** What the check takes from the findings of an inspection. */
async function taken(content: VolumeContent, findings: Finding[]): Promise<Finding[]> {
  const context = { inspection: { findings } as unknown as Inspection } as CheckContext<Record<string, never>>;
  return (await check.collect(targetOf(content), context)).findings;
}

test('a member takes what concerns itself, its group or its array, and nothing else', async () => {
  const own = finding({ volume: 'disk0' });
  const group = finding({ group: 'pair' });
  const array = finding({ array: 'array-1' });
  const others = [finding({ volume: 'disk1' }), finding({ group: 'other' }), finding({ array: '' })];
  expect(await taken(LVM, [own, group, array, ...others])).toEqual([own, group]);
  expect(await taken(RAID, [own, group, array, ...others])).toEqual([own, array]);
  expect(await taken({ kind: 'raid-member', uuid: null, level: null, facts: {} }, others)).toEqual([]);
});

test('critical findings fail with advice, warnings pass and are told', () => {
  const evidence = { volume: 'disk0', partOf: 'the volume group pair', findings: [] as Finding[] };
  expect(judgeMember(evidence)).toMatchObject({ outcome: 'pass', summary: 'disk0 fits the other members of the volume group pair' });
  const warned = judgeMember({ ...evidence, findings: [finding({ group: 'pair' }, 'warning')] });
  expect(warned).toMatchObject({ outcome: 'pass', summary: 'usable, but words about pair' });
  const failed = judgeMember({ ...evidence, findings: [finding({ group: 'a' }, 'warning'), finding({ group: 'pair' })] });
  expect(failed).toMatchObject({ outcome: 'fail', summary: 'words about pair', consistency: { level: 'none' } });
  expect(failed.advice).toContain('older restore point');
});

test('other volumes are skipped', () => {
  const nothing = {} as Inspection;
  expect(check.skipReason(targetOf({ kind: 'empty' }), nothing)).toContain('no member');
  expect(check.skipReason(targetOf(LVM), nothing)).toBeNull();
  expect(check.skipReason(targetOf(RAID), nothing)).toBeNull();
});
