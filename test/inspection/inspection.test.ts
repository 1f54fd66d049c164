import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDatabases, findUnjudged, untestedEngines } from '../../src/inspection/databases.js';
import { findVolume, needsDisk, parseFstab, resolveMount } from '../../src/inspection/fstab.js';
import { parseStackedDevices } from '../../src/inspection/stacked.js';
import type { GuestEntry, Volume } from '../../src/types.js';

const volume = (id: string, device: string, uuid: string, changes: Partial<Volume> = {}): Volume => ({
  ...{ id, device, sizeBytes: 1, placement: null, partition: { number: 1, type: '', uuid: null, name: `part-${uuid}` }, captureState: null },
  content: { kind: 'filesystem', type: 'btrfs', uuid, label: `label-${uuid}` },
  ...changes,
});
const root = volume('disk0/p1', '/dev/sda1', 'AAAA-1');
const data = volume('vg0/data', '/dev/mapper/vg0-data', 'bbbb');
const VOLUMES = [root, data, volume('disk1', '/dev/sdb', 'cccc')];

describe('fstab', () => {
  it('is read with its escapes; comments and broken lines are passed over', () => {
    const lines = parseFstab('# c\n\nUUID=x / ext4\n/dev/sdb\t/my\\040data/../y xfs rw,noauto 0 2\nonly two\n/dev/x /nul\\000 ext4\n');
    expect(lines).toEqual([
      { spec: 'UUID=x', mountPoint: '/', type: 'ext4', options: ['defaults'] },
      { spec: '/dev/sdb', mountPoint: '/y', type: 'xfs', options: ['rw', 'noauto'] },
    ]);
  });

  it.each([
    ['UUID=aaaa-1', 'disk0/p1'],
    ['UUID="AAAA-1"', 'disk0/p1'],
    ['LABEL=label-bbbb', 'vg0/data'],
    ['PARTLABEL=part-bbbb', 'vg0/data'],
    ['/dev/mapper/vg0-data', 'vg0/data'],
    ['/dev/vg0/data', 'vg0/data'],
    ['/dev/vda1', 'disk0/p1'],
    ['/dev/xvdb', 'disk1'],
    ['/dev/vdz9', undefined],
    ['tmpfs', undefined],
  ])('%s means %s', (spec, id) => {
    expect(findVolume(spec, VOLUMES)?.id).toBe(id);
  });

  it.each([
    ['UUID=x /data xfs defaults', true],
    ['UUID=x none swap sw', false],
    ['tmpfs /tmp tmpfs rw', false],
    ['server:/x /nfs nfs4 rw', false],
    ['UUID=x /usb ext4 nofail', false],
    ['/dev/sr0 /cd iso9660 ro', false],
    ['/a /b none bind', false],
  ])('"%s" needs a disk: %s', (line, needed) => {
    expect(parseFstab(line).map(needsDisk)).toEqual([needed]);
  });

  it('gives a mount with its subvolume, and null for what is not there', () => {
    const mounts = (text: string) => parseFstab(text).map((line) => resolveMount(line, VOLUMES, root));
    expect(mounts('UUID=bbbb /d ext4 subvol=/@x')).toMatchObject([{ type: 'btrfs', subvolume: '@x', location: { volume: 'vg0/data', path: '/@x' } }]);
    expect(mounts('UUID=gone /d ext4')).toMatchObject([{ device: null, location: null }]);
    expect(mounts('UUID=bbbb /d btrfs subvol=a')[0]?.subvolume).toBe('a');
  });

  it('never throws, and never lets a mount point climb', () => {
    const text = fc
      .array(fc.oneof(fc.constantFrom(' ', '\n', '/', '..', '\\056', '\\000', 'UUID=', 'ext4', 'subvol='), fc.string()))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (fstab) => {
        for (const line of parseFstab(fstab)) {
          resolveMount(line, VOLUMES, root);
          if (line.mountPoint.startsWith('/')) expect(line.mountPoint.split('/')).not.toContain('..');
          expect(line.mountPoint).not.toContain('\0');
        }
      }),
    );
  });
});

/** As the appliance prints it: one volume group over a partition, a mirror over two disks, a thin pool. */
const STACKED = `label\tdiska\tsda
label\tdiskb\tsdb
label\tdiskc\tsdc
block\tsda\t8:0\t20480\t
block\tsda1\t8:1\t18432\t2048
block\tsdb\t8:16\t8192\t
block\tsdc\t8:32\t8192\t
block\tmd0\t9:0\t8000\t
block\tdm-0\t253:0\t4096\t
block\tdm-1\t253:1\t4096\t
dm\tdm-0\tvg0-data\tLVM-x
dm\tdm-1\tvg0-thin\tLVM-y
dm\tdm-2\tvg0-thin_tmeta\tLVM-z
md\tmd0\traid1
member\tmd0\tsdb\t192\tfaulty
member\tmd0\tsdc\t192\tin_sync
table\tvg0-data\t0 2048 linear 8:1 2048
table\tvg0-data\t2048 2048 linear 8:1 8192
table\tvg0-thin\t0 4096 thin 253:2 1
lv\tvg0\tdata\t/dev/mapper/vg0-data
lv\tvg0\tthin\t/dev/mapper/vg0-thin
`;
const DISKS = new Map([
  ['diska', 'disk0'],
  ['diskb', 'disk1'],
  ['diskc', 'disk2'],
]);

describe('assembled volumes', () => {
  it('are followed down to the disks, or said to have no plain place', () => {
    expect(parseStackedDevices(STACKED, DISKS).devices).toMatchObject([
      {
        ...{ id: 'vg0/data', device: '/dev/mapper/vg0-data', sizeBytes: 4096 * 512 },
        placement: [
          { offset: 0, lengthBytes: 2048 * 512, disk: 'disk0', diskOffset: (2048 + 2048) * 512 },
          { offset: 2048 * 512, lengthBytes: 2048 * 512, disk: 'disk0', diskOffset: (2048 + 8192) * 512 },
        ],
      },
      { id: 'vg0/thin', device: '/dev/mapper/vg0-thin', sizeBytes: 4096 * 512, placement: null },
      { id: 'md/md0', device: '/dev/md0', sizeBytes: 8000 * 512, placement: [{ offset: 0, lengthBytes: 8000 * 512, disk: 'disk2', diskOffset: 192 * 512 }] },
    ]);
  });

  it('come to an end where a table names itself', () => {
    const loop = 'block\tdm-0\t253:0\t100\t\ndm\tdm-0\tx\tu\ntable\tx\t0 50 linear 253:0 0\ntable\tx\t50 50 linear 253:0 0\nlv\tv\tx\t/dev/mapper/x\n';
    expect(parseStackedDevices(loop, DISKS).devices).toMatchObject([{ placement: null }]);
  });

  it('never throw', () => {
    const line = fc
      .array(fc.oneof(fc.constantFrom('block', 'dm', 'md', 'member', 'table', 'lv', 'label', 'sda', 'dm-0', '8:0', '0 8 linear 8:0 0', '9'), fc.string()))
      .map((parts) => parts.join('\t'));
    fc.assert(fc.property(fc.array(line), (lines) => void parseStackedDevices(lines.join('\n'), DISKS)));
  });
});

describe('databases', () => {
  const entry = (path: string, sizeBytes = 1, type: GuestEntry['type'] = 'file'): GuestEntry => ({
    ...{ location: { volume: 'v', path }, type, sizeBytes, target: null, modifiedAt: null, uid: 0, gid: 0, mode: 0 },
  });

  it('of engines without a check are untested data, once per folder', () => {
    const found = findUnjudged([
      entry('/m/neostore'),
      entry('/s/nb-1-big-Data.db'),
      entry('/s/nb-2-big-Data.db'),
      entry('/e/neostore', 0),
      entry('/d/neostore', 1, 'directory'),
      entry('/x.txt'),
    ]);
    expect(found).toEqual([
      { engine: 'Neo4j', location: { volume: 'v', path: '/m' } },
      { engine: 'Cassandra', location: { volume: 'v', path: '/s' } },
    ]);
    expect(untestedEngines(found).every((item) => item.holdsData)).toBe(true);
  });

  it('are found by every finder, in a stable order', async () => {
    const tree = { files: {} as never, entries: () => [] };
    const finder = (id: string) => ({
      engine: id,
      find: async () => [{ id, engine: id, version: null, location: { volume: 'v', path: '/' }, links: [], facts: {} }],
    });
    expect((await findDatabases(tree, [finder('z'), finder('a')])).map(({ id }) => id)).toEqual(['a', 'z']);
  });
});
