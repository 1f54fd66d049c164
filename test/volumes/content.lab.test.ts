import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { volumeFixtures } from '../../fixtures/volumes/build.js';
import { sliceMap, wholeSource } from '../../src/bytes/map.js';
import { FileSource, MappedSource } from '../../src/bytes/source.js';
import type { VolumeContent } from '../../src/types.js';
import { identifyContent } from '../../src/volumes/content/identify.js';
import { compareLvmMembers } from '../../src/volumes/lvm/compare-members.js';
import { type LvmMember, readLvmMember } from '../../src/volumes/lvm/member.js';
import { readPartitionTable } from '../../src/volumes/partitions/partition-table.js';
import { compareRaidMembers } from '../../src/volumes/raid/compare-members.js';
import { type RaidMember, readRaidMember } from '../../src/volumes/raid/member.js';

let images = '';
beforeAll(async () => {
  images = await volumeFixtures();
});

async function withImage<T>(name: string, work: (source: FileSource) => Promise<T>): Promise<T> {
  const source = await FileSource.open(join(images, `${name}.img`));
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

test.each([
  ['ext4-live', { kind: 'filesystem', type: 'ext4', label: 'ext-states' }],
  ['xfs-live', { kind: 'filesystem', type: 'xfs', label: 'xfs-states' }],
  ['btrfs-live', { kind: 'filesystem', type: 'btrfs', label: 'btrfs-states' }],
  ['ntfs', { kind: 'filesystem', type: 'ntfs', label: 'ntfs-states' }],
  ['lvm0', { kind: 'lvm-member', group: 'pair' }],
  ['lvm1', { kind: 'lvm-member', group: 'pair' }],
  ['md0', { kind: 'raid-member', level: 'raid1', facts: { version: '1.2', role: '0', checksumValid: true } }],
  ['md1', { kind: 'raid-member', level: 'raid1', facts: { version: '1.2', role: '1', checksumValid: true } }],
  ['md3', { kind: 'raid-member', level: 'raid0', facts: { version: '1.0', role: '1', checksumValid: true } }],
  ['luks1', { kind: 'encrypted', scheme: 'luks1' }],
  ['luks2', { kind: 'encrypted', scheme: 'luks2' }],
])('%s is recognised', async (name, content) => {
  expect(await withImage(name, (source) => identifyContent(source))).toMatchObject(content);
});

test('a GPT disk with one partition of each kind', async () => {
  const path = join(images, 'parts.img');
  const found = await withImage('parts', async (source) => {
    const { table, partitions } = await readPartitionTable('disk0', source);
    expect(table).toEqual({ disk: 'disk0', scheme: 'gpt', findings: [] });
    const contents: VolumeContent[] = [];
    for (const { offset, lengthBytes, type } of partitions) {
      const volume = new MappedSource(sliceMap(wholeSource({ kind: 'file', path }, source.sizeBytes), offset, lengthBytes));
      contents.push(await identifyContent(volume, type));
      await volume.close();
    }
    return contents.map((content) => (content.kind === 'filesystem' ? content.type : content.kind));
  });
  expect(found).toEqual(['empty', 'fat', 'fat', 'exfat', 'swap', 'ext2', 'ext3']);
});

describe('LVM', () => {
  const members = () => Promise.all(['lvm0', 'lvm1'].map(async (name) => ({ volume: name, member: (await withImage(name, readLvmMember)) as LvmMember })));

  test('both members name the group, each other and the same sequence', async () => {
    const [first, second] = await members();
    expect(first?.member.group?.members.sort()).toEqual([first?.member.uuid, second?.member.uuid].sort());
    expect(first?.member.group?.sequence).toBe(second?.member.group?.sequence);
    expect(compareLvmMembers(await members())).toEqual([]);
  });

  test('a member from another instant, and a missing one', async () => {
    const [first, second] = await members();
    if (!first?.member.group || !second) throw new Error('the fixture has no group');
    first.member.group.sequence--;
    expect(compareLvmMembers([first, second])).toMatchObject([{ code: 'lvm.group.skew', severity: 'critical' }]);
    expect(compareLvmMembers([second])).toMatchObject([{ code: 'lvm.group.member-missing', severity: 'critical' }]);
  });
});

describe('RAID', () => {
  const members = () =>
    Promise.all(['md0', 'md1', 'md2', 'md3'].map(async (name) => ({ volume: name, member: (await withImage(name, readRaidMember)) as RaidMember })));

  test('two sound arrays fit', async () => expect(compareRaidMembers(await members())).toEqual([]));

  test('events two apart are skew, one apart are not', async () => {
    const all = await members();
    const first = all[0] as (typeof all)[0];
    first.member.events -= 1;
    expect(compareRaidMembers(all)).toEqual([]);
    first.member.events -= 1;
    expect(compareRaidMembers(all)).toMatchObject([{ code: 'raid.array.skew', severity: 'critical' }]);
  });

  test('a missing mirror is a warning, a missing stripe is critical', async () => {
    const [, mirror, stripe] = await members();
    expect(compareRaidMembers([mirror, stripe].filter((member) => member !== undefined))).toMatchObject([{ severity: 'warning' }, { severity: 'critical' }]);
  });
});
