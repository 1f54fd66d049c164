import { describe, expect, test } from 'vitest';
import { findVolume, needsDisk, parseFstab, resolveMount } from '../../src/inspection/fstab.js';
import type { Volume, VolumeContent } from '../../src/types.js';

function volume(id: string, changes: Partial<Volume> = {}): Volume {
  const content: VolumeContent = { kind: 'filesystem', type: 'ext4', uuid: `uuid-of-${id}`, label: `label of ${id}` };
  return { id, device: `/dev/mapper/${id.replace('/', '-')}`, sizeBytes: 1, placement: null, partition: null, content, captureState: null, ...changes };
}

const ROOT = volume('disk0/p1', { partition: { number: 1, type: '0x83', uuid: 'DEADBEEF-01', name: 'root part' } });
const LOCKED = volume('disk0/p2', { content: { kind: 'encrypted', scheme: 'luks2', uuid: 'locked' } });
const VOLUMES = [ROOT, LOCKED, volume('disk1'), volume('vg0/data'), volume('md/0'), volume('md/mirror')];

test.each([
  ['UUID=UUID-OF-disk1', 'disk1'],
  ['UUID="uuid-of-disk1"', 'disk1'],
  ['LABEL=label of disk1', 'disk1'],
  ['/dev/disk/by-label/label\\x20of\\x20disk1', 'disk1'],
  ['/dev/disk/by-uuid/uuid-of-vg0/data', 'vg0/data'],
  ['PARTUUID=deadbeef-01', 'disk0/p1'],
  ['PARTLABEL=root part', 'disk0/p1'],
  ['/dev/vg0/data', 'vg0/data'],
  ['/dev/mapper/vg0-data', 'vg0/data'],
  ['/dev/md0', 'md/0'],
  ['/dev/md/mirror', 'md/mirror'],
  ['/dev/sda1', 'disk0/p1'],
  ['/dev/vdb', 'disk1'],
  ['/dev/nvme0n1p1', 'disk0/p1'],
  ['/dev/nvme1n1', 'disk1'],
  ['UUID=locked', undefined],
  ['UUID=', undefined],
  ['LABEL=nothing', undefined],
  ['/dev/sdq1', undefined],
  ['/dev/disk/by-id/ata-QEMU', undefined],
])('%s means %s', (spec, id) => expect(findVolume(spec, VOLUMES)?.id).toBe(id));

describe('what a machine needs', () => {
  const needs = (line: string) => parseFstab(line).map(needsDisk);
  test.each(['UUID=x /data xfs defaults 0 2', '/dev/sdb1 /with\\040space ext4', 'LABEL=x / ext4 ro'])('%s', (line) => expect(needs(line)).toEqual([true]));
  test.each([
    'LABEL=x /usb ext4 noauto,user',
    'LABEL=x /d ext4 defaults,nofail',
    'LABEL=x /d ext4 _netdev',
    'h:/e /n nfs4 defaults',
    '//h/s /s cifs guest',
    'h:/ /s fuse.sshfs rw',
    '/dev/sr0 /cd iso9660 ro',
    '/dev/fd0 /floppy auto user',
    'x none swap sw',
    '/a /b none bind',
    'tmpfs /tmp tmpfs rw',
  ])('not %s', (line) => expect(needs(line)).toEqual([false]));
  test('comments and half lines are no mounts', () => expect(parseFstab('# UUID=x / ext4\n\nUUID=x\n  /dev/sda1   /x  \n')).toEqual([]));
});

test('a subvolume is the root of its mount; a name that would add mount options is not taken', () => {
  const mount = (options: string) =>
    resolveMount(parseFstab(`UUID=uuid-of-disk1 /home btrfs ${options}`)[0] as ReturnType<typeof parseFstab>[0], VOLUMES, ROOT);
  expect(mount('subvol=/@home,compress=zstd')).toMatchObject({ subvolume: '@home', location: { volume: 'disk1', path: '/@home' } });
  expect(mount('defaults')).toMatchObject({ subvolume: null, location: { path: '/' } });
});
