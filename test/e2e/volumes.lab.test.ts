/** Inspection and verdict on disks of every kind: groups, arrays, encryption, foreign file systems, data nobody knows. */
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { volumeFixtures } from '../../fixtures/volumes/build.js';
import { overwrite } from '../../fixtures/volumes/damage.js';
import type { VerificationRecord, Volume } from '../../src/types.js';
import { ageLvmMember, ageRaidMember, markNtfsDirty } from './ageing.js';
import { type Digests, makePoint, resultOf, temporaryFolder, untestedAbout, verify } from './points.js';

const MIB = 1024 * 1024;
let folder: string;
let images: string;
const image = (name: string) => join(images, `${name}.img`);

beforeAll(async () => {
  folder = await temporaryFolder();
  images = await volumeFixtures();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('one restore point with every kind of volume', () => {
  /** In this order they are disk0, disk1, ... */
  const DISKS = ['lvm0', 'lvm1', 'md0', 'md1', 'md2', 'md3', 'luks1', 'luks2', 'parts', 'ntfs', 'ntfs-dirty', 'random'];
  const MORE = ['ext4-live', 'ext4-frozen', 'ext4-clean', 'xfs-live', 'xfs-frozen', 'btrfs-live', 'root'];
  const diskOf = (name: string) => `disk${[...DISKS, ...MORE].indexOf(name)}`;
  let record: VerificationRecord;
  let digests: Digests;

  beforeAll(async () => {
    await copyFile(image('ntfs'), join(folder, 'ntfs-dirty.img'));
    await markNtfsDirty(join(folder, 'ntfs-dirty.img'));
    await writeFile(join(folder, 'random.img'), randomBytesOf(4 * MIB));
    const made = new Set(['ntfs-dirty', 'random']);
    const paths = [...DISKS, ...MORE].map((name) => (made.has(name) ? join(folder, `${name}.img`) : image(name)));
    const point = await makePoint(folder, 'everything', paths);
    ({ record, digests } = await verify(point));
  });

  const volume = (id: string) => record.inspection?.volumes.find((candidate) => candidate.id === id) as Volume;
  const contentOf = (id: string) => {
    const { content } = volume(id);
    return content.kind === 'filesystem' ? content.type : content.kind;
  };

  test('groups and arrays are assembled, and found where their bytes lie', () => {
    expect(['pair/both', 'pair/small', 'pair/striped', 'md/mirror', 'md/old'].map(contentOf)).toEqual(['ext4', 'ext4', 'ext4', 'ext4', 'ext4']);
    expect(new Set(volume('pair/both').placement?.map((segment) => segment.disk))).toEqual(new Set([diskOf('lvm0'), diskOf('lvm1')]));
    expect(volume('pair/small').placement).toHaveLength(1);
    expect(volume('md/mirror').placement).toHaveLength(1);
    expect(volume('pair/striped').placement).toBeNull();
    expect(volume('md/old').placement).toBeNull();
  });

  test('files have the bytes that were written, wherever they lie', async () => {
    const names: Record<string, string> = {
      'disk/guestfs/parts3': `${diskOf('parts')}/p3`,
      'disk/guestfs/parts4': `${diskOf('parts')}/p4`,
      'disk/guestfs/parts7': `${diskOf('parts')}/p7`,
      'disk/guestfs/ntfsstates': diskOf('ntfs'),
    };
    const written = (await readFile(join(images, 'digests.txt'), 'utf8')).trim().split('\n');
    expect(written).toHaveLength(18);
    for (const line of written) {
      const [, digest, device = '', file] = /^(\w+) {2}(.+)\/(big|small)$/.exec(line) ?? [];
      const place = `${names[device] ?? device}:/${file}`;
      expect([place, digests.get(place)]).toEqual([place, digest]);
    }
    expect(digests.get(`${diskOf('ntfs-dirty')}:/big`)).toBe(digests.get(`${diskOf('ntfs')}:/big`));
  });

  test('every file system is judged, sound, with its state at capture', () => {
    const states = Object.fromEntries((record.inspection?.volumes ?? []).map(({ id, captureState }) => [id, captureState?.state]));
    const of = (name: string) => states[diskOf(name)];
    expect([of('ext4-live'), of('ext4-frozen'), of('xfs-live'), of('ntfs-dirty')]).toEqual(['needs-replay', 'frozen', 'needs-replay', 'needs-replay']);
    expect([of('ext4-clean'), of('ntfs')]).toEqual(['quiesced', 'clean']);
    const wrong = record.checks.filter((check) => check.outcome === 'fail' || check.outcome === 'error');
    expect(wrong.map(({ id, target, summary }) => `${id} ${target}: ${summary}`)).toEqual([]);
    for (const { id, content } of record.inspection?.volumes ?? []) {
      if (content.kind === 'filesystem') expect([id, resultOf(record, 'filesystem/consistency', id)?.outcome]).toEqual([id, 'pass']);
    }
  });

  test('members fit each other', () => {
    expect(record.inspection?.findings).toEqual([]);
    for (const name of ['lvm0', 'lvm1', 'md0', 'md3']) expect(resultOf(record, 'volume/members', diskOf(name))?.outcome).toBe('pass');
    expect(resultOf(record, 'volume/members', diskOf('ntfs'))?.outcome).toBe('skip');
  });

  test('a system in a subvolume is found, its fstab resolved', () => {
    const [system, ...others] = record.inspection?.systems ?? [];
    expect(others).toEqual([]);
    const disk = diskOf('root');
    expect(system).toMatchObject({ root: { volume: disk, path: '/@' }, distro: 'debian', hostname: 'subvolumes', kernels: ['vmlinuz-6.1'] });
    expect(system?.mounts).toMatchObject([
      { mountPoint: '/', subvolume: '@', location: { volume: disk, path: '/@' } },
      { mountPoint: '/home', subvolume: '@home', location: { volume: disk, path: '/@home' } },
    ]);
  });

  test('what could not be read keeps it from passing, each named with its reason, and nothing else does', () => {
    expect(record.verdict).toBe('inconclusive');
    const parts = volume(`${diskOf('parts')}/p5`);
    expect(parts.content).toMatchObject({ kind: 'swap', hibernated: false });
    const open = record.coverage.untested.filter((item) => item.holdsData);
    const volumes = [diskOf('luks1'), diskOf('luks2'), diskOf('random')].map((disk) => `volume ${disk}`);
    // Only Windows replays the log of an NTFS that was in use: its files are read, its structure is not judged.
    expect(open.map(({ what }) => what).sort()).toEqual([...volumes, `structure of ntfs on ${diskOf('ntfs-dirty')}`].sort());
    expect(untestedAbout(record, `volume ${diskOf('luks2')}:`)[0]?.text).toContain('it is encrypted (luks2) and no key was given');
    expect(untestedAbout(record, `volume ${diskOf('random')}:`)[0]?.text).toContain('nothing here recognises');
    expect(record.reasons.join('\n')).toContain(`Not tested: volume ${diskOf('luks1')}, because it is encrypted (luks1)`);
  });
});

describe('members that do not fit', () => {
  test('different instants, a stripe that is missing, one wrong byte in a superblock', async () => {
    const copies = await Promise.all(
      ['lvm1', 'md0', 'md2'].map((name) => copyFile(image(name), join(folder, `${name}-old.img`)).then(() => join(folder, `${name}-old.img`))),
    );
    await ageLvmMember(copies[0] as string);
    await ageRaidMember(copies[1] as string, 2);
    // A superblock 1.0 lies 8 KiB before the end; this byte is in no field.
    await overwrite(copies[2] as string, 32 * MIB - 8192 + 240, Buffer.from([0x77]));
    const point = await makePoint(folder, 'skewed', [image('lvm0'), copies[0] as string, copies[1] as string, image('md1'), copies[2] as string]);
    const { record } = await verify(point, { depth: 'static', only: ['volume'] });
    expect(record.verdict).toBe('failed');
    expect(record.consistency.observed).toBe('none');
    const summaries = [0, 1, 2, 3, 4].map((n) => resultOf(record, 'volume/members', `disk${n}`)?.summary);
    for (const n of [0, 1]) expect(summaries[n]).toMatch(/volume group pair stem from different instants.*disk0 at \d+, disk1 at \d+/);
    for (const n of [2, 3]) expect(summaries[n]).toMatch(/raid1 array \S*mirror stem from different instants/);
    expect(resultOf(record, 'volume/members', 'disk4')?.findings).toMatchObject([
      { code: 'raid.member.checksum' },
      { code: 'raid.array.member-missing', message: expect.stringMatching(/raid0 array \S*old has 1 of its 2 members.*cannot be read/) },
    ]);
    expect(untestedAbout(record, 'volume disk4')).toMatchObject([{ holdsData: true, text: expect.stringContaining('cannot be assembled') }]);
  });

  test('a physical volume that is missing', async () => {
    const point = await makePoint(folder, 'missing', [image('lvm1')]);
    const { record } = await verify(point, { depth: 'static' });
    expect(record.verdict).toBe('failed');
    expect(resultOf(record, 'volume/members', 'disk0')?.summary).toContain('a disk is missing in the restore point');
    expect(untestedAbout(record, 'logical volume pair/both')).toMatchObject([{ holdsData: true }]);
  });
});

/** The same on every run, and like nothing: no mark of any format at any place. */
function randomBytesOf(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let i = 0, state = 0x2545f491; i < sizeBytes; i += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state, i);
  }
  return bytes;
}
