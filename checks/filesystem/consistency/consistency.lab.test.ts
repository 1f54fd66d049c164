import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { volumeFixtures } from '../../../fixtures/volumes/build.js';
import { damagedCopy } from '../../../fixtures/volumes/damage.js';
import { deviceName, runInAppliance } from '../../../fixtures/volumes/run-in-appliance.js';
import { sliceMap, wholeSource } from '../../../src/bytes/map.js';
import { FileSource, MappedSource } from '../../../src/bytes/source.js';
import type { CheckContext } from '../../../src/check.js';
import type { Appliance } from '../../../src/labs/lab.js';
import type { ByteSource, FileSystemType, Judgement, Volume } from '../../../src/types.js';
import { readCaptureState } from '../../../src/volumes/capture-state.js';
import { identifyContent } from '../../../src/volumes/content/identify.js';
import { readPartitionTable } from '../../../src/volumes/partitions/partition-table.js';
import check from './index.js';
import { consistencyScript } from './script.js';

/** One of its own for each script, as in real runs. */
const markerOf = (name: string) => `marker-of-${name}`;

interface Case {
  name: string;
  type: FileSystemType;
  image: string;
  /** Of a disk with a partition table. */
  partition?: number;
}

let folder = '';
const judged = new Map<string, Judgement>();

async function volumeOf({ image, partition }: Case): Promise<ByteSource> {
  const disk = await FileSource.open(image);
  if (partition === undefined) return disk;
  const { partitions } = await readPartitionTable('disk0', disk);
  await disk.close();
  const found = partitions.find((candidate) => candidate.number === partition);
  if (!found) throw new Error(`the fixture has no partition ${partition}`);
  return new MappedSource(sliceMap(wholeSource({ kind: 'file', path: image }, disk.sizeBytes), found.offset, found.lengthBytes));
}

/** The check's own collect, fed by an appliance that already ran every script in one launch. */
async function judge(one: Case, output: string): Promise<Judgement> {
  const content = { kind: 'filesystem', type: one.type, uuid: null, label: null } as const;
  const source = await volumeOf(one);
  const captureState = await readCaptureState(source, content);
  await source.close();
  const volume: Volume = { id: one.name, device: '/dev/sda', sizeBytes: 0, placement: null, partition: null, content, captureState };
  const appliance = {
    unmountAll: async () => {},
    script: async (script: string) => {
      const marker = /echo (snapproof-\w+) > /.exec(script)?.[1] ?? '';
      return { exitCode: 0, stdout: output.replaceAll(markerOf(one.name), marker), stderr: '', timedOut: false, durationMs: 1 };
    },
  } as unknown as Appliance;
  const context = { labs: { appliance: async () => appliance } } as unknown as CheckContext<Record<string, never>>;
  return check.evaluate(await check.collect({ kind: 'volume', id: one.name, volume }, context), {});
}

/** btrfs takes devices with the same uuid for one file system: its images go each into a launch of their own. */
function launches(cases: Case[]): Case[][] {
  const [first, ...others] = cases.filter((one) => one.type === 'btrfs').map((one) => [one]);
  return [[...cases.filter((one) => one.type !== 'btrfs'), ...(first ?? [])], ...others];
}

beforeAll(async () => {
  const images = await volumeFixtures();
  folder = await mkdtemp(join(tmpdir(), 'snapproof-consistency-'));
  const at = (name: string) => join(images, `${name}.img`);
  const damage = (from: string, name: string, offset: number, length: number) => damagedCopy(at(from), join(folder, `${name}.img`), offset, length);
  const cases: Case[] = [
    { name: 'ext4-live', type: 'ext4', image: at('ext4-live') },
    { name: 'ext4-frozen', type: 'ext4', image: at('ext4-frozen') },
    { name: 'ext4-clean', type: 'ext4', image: at('ext4-clean') },
    { name: 'ext4-inodes', type: 'ext4', image: await damage('ext4-clean', 'ext4-inodes', 278 * 1024, 1024) },
    { name: 'ext4-descriptors', type: 'ext4', image: await damage('ext4-live', 'ext4-descriptors', 2 * 1024, 1024) },
    { name: 'xfs-live', type: 'xfs', image: at('xfs-live') },
    { name: 'xfs-frozen', type: 'xfs', image: at('xfs-frozen') },
    { name: 'xfs-clean', type: 'xfs', image: at('xfs-clean') },
    { name: 'xfs-inodes', type: 'xfs', image: await damage('xfs-clean', 'xfs-inodes', 65536 + 512 * 4, 2048) },
    { name: 'xfs-agf', type: 'xfs', image: await damage('xfs-live', 'xfs-agf', 512, 512) },
    { name: 'btrfs-live', type: 'btrfs', image: at('btrfs-live') },
    { name: 'btrfs-tree', type: 'btrfs', image: await damage('btrfs-clean', 'btrfs-tree', 30 * 1024 * 1024, 80 * 1024 * 1024) },
    { name: 'fat', type: 'fat', image: at('parts'), partition: 2 },
    { name: 'exfat', type: 'exfat', image: at('parts'), partition: 4 },
    { name: 'ext2', type: 'ext2', image: at('parts'), partition: 6 },
    { name: 'ext3', type: 'ext3', image: at('parts'), partition: 7 },
    { name: 'ntfs', type: 'ntfs', image: at('ntfs') },
    { name: 'ntfs-root', type: 'ntfs', image: await damage('ntfs', 'ntfs-root', 4 * 4096 + 5 * 1024, 512) },
  ];
  for (const launch of launches(cases)) {
    const scripts: string[] = [];
    for (const [i, one] of launch.entries()) {
      const source = await volumeOf(one);
      const content = await identifyContent(source);
      await source.close();
      const expected = { sizeBytes: source.sizeBytes, uuid: content.kind === 'filesystem' ? content.uuid : null };
      scripts.push(consistencyScript(one.type, `${deviceName(i)}${one.partition ?? ''}`, markerOf(one.name), expected));
    }
    const outputs = await runInAppliance(
      launch.map((one) => one.image),
      scripts,
    );
    for (const [i, one] of launch.entries()) judged.set(one.name, await judge(one, outputs[i] ?? ''));
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('filesystem/consistency on real images', () => {
  test.each(['ext4-live', 'ext4-frozen', 'ext4-clean', 'xfs-live', 'xfs-frozen', 'xfs-clean', 'btrfs-live', 'fat', 'exfat', 'ext2', 'ext3'])(
    '%s passes',
    (name) => {
      const judgement = judged.get(name);
      expect(judgement?.summary).toContain('is whole');
      expect(judgement).toMatchObject({ outcome: 'pass', untested: [] });
    },
  );

  test.each(['ext4-live', 'xfs-live', 'btrfs-live'])('%s: the replay is measured', (name) => {
    const recovery = judged.get(name)?.recovery;
    expect(recovery?.needed).toBe(true);
    expect(recovery?.seconds).toBeGreaterThan(0);
  });

  test.each(['ext4-inodes', 'ext4-descriptors', 'xfs-inodes', 'xfs-agf', 'btrfs-tree', 'ntfs-root'])('%s fails, with findings that name it', (name) => {
    const judgement = judged.get(name);
    expect(judgement?.outcome).toBe('fail');
    expect(judgement?.findings.some((finding) => finding.severity === 'critical')).toBe(true);
    expect(judgement?.summary).toContain(name);
  });

  test('NTFS that was closed passes', () => {
    expect(judged.get('ntfs')).toMatchObject({ outcome: 'pass', untested: [] });
  });
});
