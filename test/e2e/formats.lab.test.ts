/** Images of every format, made by other means than the fixtures: the same guest must be read from all of them, byte for byte. */
import { createHash, randomBytes } from 'node:crypto';
import { appendFile, copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VerificationRecord } from '../../src/types.js';
import { markVhdxLogInUse } from './ageing.js';
import { type Digests, inspect, makeGuestDisk, makePoint, type PointDisk, resultOf, run, temporaryFolder, untestedAbout, verify } from './points.js';

const MIB = 1024 * 1024;
let folder: string;
const at = (name: string) => join(folder, name);

/** Name of the file, format, and what qemu-img is told beside it. */
const FORMATS: [string, string, string[]][] = [
  ['sparse.vmdk', 'vmdk', ['-o', 'subformat=monolithicSparse']],
  ['stream.vmdk', 'vmdk', ['-o', 'subformat=streamOptimized']],
  ['dynamic.vhd', 'vpc', ['-o', 'subformat=dynamic,force_size=on']],
  ['fixed.vhd', 'vpc', ['-o', 'subformat=fixed,force_size=on']],
  ['plain.vhdx', 'vhdx', []],
  ['plain.vdi', 'vdi', []],
  ['compressed.qcow2', 'qcow2', ['-c']],
  ['zstd.qcow2', 'qcow2', ['-c', '-o', 'compression_type=zstd']],
  ['small-clusters.qcow2', 'qcow2', ['-o', 'cluster_size=512']],
  ['large-clusters.qcow2', 'qcow2', ['-o', 'cluster_size=2M']],
  ['subclusters.qcow2', 'qcow2', ['-o', 'extended_l2=on,cluster_size=128k']],
];

async function makeFormats(raw: string): Promise<PointDisk[]> {
  const disks: PointDisk[] = [];
  for (const [name, format, options] of FORMATS) {
    await run('qemu-img', ['convert', '-q', '-f', 'raw', '-O', format, ...options, raw, at(name)]);
    disks.push({ path: at(name), format });
  }
  return disks;
}

/** A raw disk whose length is no multiple of a sector. */
async function makeOdd(raw: string): Promise<PointDisk> {
  await copyFile(raw, at('odd.raw'));
  await appendFile(at('odd.raw'), Buffer.alloc(777));
  return { path: at('odd.raw') };
}

/** Snapshots inside, and writes after them. */
async function makeSnapshots(raw: string): Promise<PointDisk> {
  const path = at('snapshots.qcow2');
  await run('qemu-img', ['convert', '-q', '-f', 'raw', '-O', 'qcow2', raw, path]);
  await run('qemu-img', ['snapshot', '-c', 'before update', path]);
  await run('qemu-io', ['-f', 'qcow2', '-c', 'write -P 0 60M 64k', path]);
  await run('qemu-img', ['snapshot', '-c', 'after update', path]);
  return { path, format: 'qcow2' };
}

/** Three files: each holds a third of the disk over a lower one that has other bytes there. */
async function makeChain(raw: string): Promise<PointDisk> {
  const bytes = await readFile(raw);
  const garbled = Buffer.from(bytes);
  garbled.fill(0x5a, 20 * MIB);
  await writeFile(at('base.raw'), garbled);
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', 'base.raw', '-F', 'raw', at('middle.qcow2')]);
  await writeThird(raw, 'middle.qcow2', 20, 44);
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', 'middle.qcow2', '-F', 'qcow2', at('top.qcow2')]);
  await writeThird(raw, 'top.qcow2', 40, 64);
  return { path: at('top.qcow2'), format: 'qcow2' };
}

async function writeThird(raw: string, image: string, fromMib: number, toMib: number): Promise<void> {
  const part = at(`${image}.part`);
  await writeFile(part, (await readFile(raw)).subarray(fromMib * MIB, toMib * MIB));
  await run('qemu-io', ['-f', 'qcow2', '-c', `write -s ${part} ${fromMib}M ${toMib - fromMib}M`, at(image)]);
  await rm(part);
}

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('one guest in every format', () => {
  let digests: Digests;
  let record: VerificationRecord;
  let disks: PointDisk[];

  beforeAll(async () => {
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`data/file${i}`, randomBytes(i === 0 ? 30 * MIB : i * 70_001)]));
    const raw = await makeGuestDisk(at('original.raw'), { ...files, 'etc/os-release': 'ID=phony\n', 'boot/vmlinuz': 'kernel' });
    disks = [{ path: raw }, ...(await makeFormats(raw)), await makeOdd(raw), await makeSnapshots(raw), await makeChain(raw)];
    const point = await makePoint(folder, 'formats', disks);
    for (const member of ['base.raw', 'middle.qcow2']) await copyFile(at(member), join(point, member));
    ({ record, digests } = await verify(point));
  });

  test('every file has the same bytes in all of them', () => {
    const of = (disk: number) =>
      [...digests].filter(([place]) => place.startsWith(`disk${disk}:`)).map(([place, digest]) => [place.replace(/^disk\d+:/, ''), digest]);
    const original = of(0);
    expect(original).toHaveLength(14);
    for (const [index, { path }] of disks.entries()) expect([path, of(index)]).toEqual([path, original]);
  });

  test('every check passes on all of them', () => {
    const wrong = record.checks.filter((check) => check.outcome === 'fail' || check.outcome === 'error');
    expect(wrong.map(({ id, target, summary }) => `${id} ${target}: ${summary}`)).toEqual([]);
    for (const index of disks.keys()) {
      for (const id of ['image/completeness', 'filesystem/consistency']) expect(resultOf(record, id, `disk${index}`)?.outcome).toBe('pass');
    }
    expect(record.inspection?.systems).toHaveLength(disks.length);
    expect(record.verdict).toBe('passed');
  });

  test('every file of the chain has its digest in the record', () => {
    const names = record.restorePoint.files.map(({ path }) => path.replace(/.*\//, ''));
    expect(names).toEqual(expect.arrayContaining(['top.qcow2', 'middle.qcow2', 'base.raw', 'restore-point.json']));
  });
});

describe('images that cannot be read end as a clear record', () => {
  test('formats cut in half: failed, with the reason, and no lab is harmed', async () => {
    const files = { data: randomBytes(20 * MIB), 'etc/os-release': 'ID=phony\n' };
    const raw = await makeGuestDisk(at('cut.raw'), files);
    for (const [name, format, options] of [FORMATS[0], FORMATS[2], FORMATS[4], FORMATS[5], FORMATS[6]].filter((entry) => entry !== undefined)) {
      const path = at(`cut-${name}`);
      await run('qemu-img', ['convert', '-q', '-f', 'raw', '-O', format, ...options, raw, path]);
      await truncate(path, 3 * MIB);
      const { record } = await verify(await makePoint(folder, `cut-${name}.d`, [{ path, format }]), { depth: 'static' });
      expect([name, record.verdict]).toEqual([name, 'failed']);
      expect(record.reasons[0]).toMatch(/disk0: /);
    }
  });

  test('a VHDX with changes in its log, as a running machine leaves it', async () => {
    const raw = await makeGuestDisk(at('logged.raw'), { data: randomBytes(1 * MIB), 'etc/os-release': 'ID=phony\n' });
    const path = at('logged.vhdx');
    await run('qemu-img', ['convert', '-q', '-f', 'raw', '-O', 'vhdx', raw, path]);
    await markVhdxLogInUse(path);
    const { record } = await verify(await makePoint(folder, 'logged.d', [{ path, format: 'vhdx' }]), { depth: 'static' });
    expect(record.verdict).not.toBe('passed');
    expect(record.reasons.join(' ')).toMatch(/log/i);
    const { inspection } = await inspect(join(folder, 'logged.d'));
    expect(inspection.untested).toMatchObject([{ what: 'the guest on these disks', why: expect.stringMatching(/log/i) }]);
  });
});

test('inspect lists internal snapshots', async () => {
  const raw = await makeGuestDisk(at('inspected.raw'), { 'etc/os-release': 'ID=phony\nPRETTY_NAME="Phony 1"\n' });
  await rm(at('snapshots.qcow2'), { force: true });
  const disk = await makeSnapshots(raw);
  const { images, inspection } = await inspect(await makePoint(folder, 'inspected', [disk]));
  expect(images[0]?.internalSnapshots.map(({ name }) => name)).toEqual(['before update', 'after update']);
  expect(inspection.systems[0]?.productName).toBe('Phony 1');
});

test('saved memory has its digest in the record; files that are no disks are listed', async () => {
  const path = at('short.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', path, '64M']);
  await truncate(path, 400_000);
  const point = await makePoint(folder, 'memory', [{ path, format: 'qcow2' }], { memory: { path: 'ram.bin', format: 'qemu-migration' } });
  const memory = randomBytes(3 * MIB);
  await writeFile(join(point, 'ram.bin'), memory);
  const { record } = await verify(point, { depth: 'static' });
  const sha256 = createHash('sha256').update(memory).digest('hex');
  expect(record.restorePoint.files.find(({ role }) => role === 'memory')).toMatchObject({ sha256, sizeBytes: memory.length });
  expect(untestedAbout(record, 'resuming from the saved memory')).toMatchObject([{ holdsData: false }]);

  await rm(join(point, 'restore-point.json'));
  await writeFile(join(point, 'notes.txt'), 'words');
  const plain = (await verify(point, { depth: 'static' })).record;
  expect(untestedAbout(plain, /^the file (ram.bin|notes.txt) of the folder/).map(({ holdsData }) => holdsData)).toEqual([true, false]);
});
