/** What is made of the tables of the appliance's kernel; the appliance itself is asked by the tests of whole restore points. */
import { expect, test } from 'vitest';
import { parseStackedDevices } from '../../src/inspection/stacked.js';
import { unassembled } from '../../src/inspection/unassembled.js';
import type { Volume, VolumeContent } from '../../src/types.js';

const SECTOR = 512;
const DISKS = new Map([
  ['diska', 'disk0'],
  ['diskb', 'disk1'],
]);
const BASE = ['label\tdiska\tsdb', 'label\tdiskb\tsda', 'label\tscratch\tsdc', 'block\tsda\t8:0\t10000\t', 'block\tsdb\t8:16\t10000\t'];
const ARRAY = [
  'block\tsda1\t8:1\t8000\t100',
  'block\tsdb1\t8:17\t8000\t200',
  'block\tmd127\t9:127\t7000\t',
  'md\tmd127\traid1',
  'detail\tmd127\tUUID\t00112233:44556677:8899aabb:ccddeeff',
  'detail\tmd127\tNAME\tsome.host:data',
];
const parse = (...lines: string[]) => parseStackedDevices([...BASE, ...lines].join('\n'), DISKS);

function volume(id: string, content: VolumeContent): Volume {
  return { id, device: '', sizeBytes: 1, placement: null, partition: null, content, captureState: null };
}

test('a volume on a mirror on partitions is placed by the member that is in sync', () => {
  const { devices, inactive } = parse(
    ...ARRAY,
    'member\tmd127\tsda1\t50\tfaulty',
    'member\tmd127\tsdb1\t60\tin_sync',
    'block\tdm-0\t253:0\t1000\t',
    'dm\tdm-0\tvg-root\tLVM-x',
    'table\tvg-root\t0 600 linear 9:127 10',
    'table\tvg-root\t600 400 linear 8:1 5',
    'lv\tvg\troot\t/dev/mapper/vg-root\t-wi-a-----',
  );
  expect(inactive).toEqual([]);
  expect(devices.find(({ id }) => id === 'vg/root')?.placement).toEqual([
    { offset: 0, lengthBytes: 600 * SECTOR, disk: 'disk0', diskOffset: (200 + 60 + 10) * SECTOR },
    { offset: 600 * SECTOR, lengthBytes: 400 * SECTOR, disk: 'disk1', diskOffset: (100 + 5) * SECTOR },
  ]);
  expect(devices.find(({ id }) => id === 'md/data')).toMatchObject({ device: '/dev/md127', sizeBytes: 7000 * SECTOR });
});

test('no plain place: stripes, other levels, no member in sync, tables that name themselves', () => {
  const mapped = (table: string) =>
    parse('block\tdm-0\t253:0\t1000\t', 'dm\tdm-0\tv-x\t', `table\tv-x\t${table}`, 'lv\tv\tx\t/dev/mapper/v-x\t-wi-a').devices[0];
  expect(mapped('0 1000 striped 2 128 8:0 0 8:16 0')?.placement).toBeNull();
  expect(mapped('0 1000 linear 253:0 0')?.placement).toBeNull();
  expect(mapped('0 1000 linear 99:9 0')?.placement).toBeNull();
  expect(parse(...ARRAY, 'member\tmd127\tsda1\t50\tspare').devices[0]?.placement).toBeNull();
  expect(parse(...ARRAY.map((line) => line.replace('raid1', 'raid10')), 'member\tmd127\tsda1\t50\tin_sync').devices[0]?.placement).toBeNull();
});

test('pools are no volumes; what is not active is told', () => {
  const { devices, inactive } = parse(
    'block\tdm-0\t253:0\t1000\t',
    'dm\tdm-0\tvg-pool\tLVM-x',
    'lv\tvg\tpool\t/dev/mapper/vg-pool\ttwi-aotz--',
    'lv\tvg\tlost\t/dev/mapper/vg-lost\t-wi-----p-',
  );
  expect(devices).toEqual([]);
  expect(inactive).toEqual(['vg/lost']);
  expect(unassembled([], { devices, inactive })).toMatchObject([{ what: 'logical volume vg/lost', holdsData: true }]);
});

test('arrays of one name keep the names of the kernel; a name that is none is not taken', () => {
  const second = ['block\tmd126\t9:126\t7000\t', 'md\tmd126\traid1'];
  const ids = (...lines: string[]) => parse(...ARRAY, ...lines).devices.map(({ id }) => id);
  expect(ids(...second, 'detail\tmd126\tNAME\tother:data')).toEqual(['md/md127', 'md/md126']);
  expect(ids(...second, 'detail\tmd126\tNAME\t../x y')).toEqual(['md/data', 'md/md126']);
});

test('each member of an array that did not come up is told, and of no other', () => {
  const member = (id: string, uuid: string) => volume(id, { kind: 'raid-member', uuid, level: 'raid5', facts: {} });
  const up = '00112233-4455-6677-8899-aabbccddeeff';
  const swapped = '33221100-7766-5544-bbaa-9988ffeeddcc';
  const stack = parse(...ARRAY);
  const items = unassembled([member('disk0', up), member('disk1', swapped), member('disk2', up.replace('00', '99'))], stack);
  expect(items.map(({ what }) => what)).toEqual(['volume disk2']);
  expect(parse(...ARRAY.map((line) => line.replace('\t7000\t', '\t0\t'))).devices).toEqual([]);
});

test('a group of which nothing came up', () => {
  const pv = volume('disk0', { kind: 'lvm-member', uuid: 'x', group: 'gone' });
  expect(unassembled([pv, volume('disk1', { kind: 'lvm-member', uuid: 'y', group: null })], { devices: [], inactive: [] })).toMatchObject([
    { what: 'volume disk0', why: expect.stringContaining('the group gone') },
  ]);
});
