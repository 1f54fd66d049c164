/** Restore points with saved memory, verified by the main flow: what is whole passes, what is cut or of another machine fails. */
import { copyFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckResult, VerificationRecord } from '../../src/types.js';
import { withQemu } from '../memory/qemu.js';
import { inspect, makeDiskOfFolder, makePoint, resultOf, run, temporaryFolder, untestedAbout, verify } from './points.js';

const CHECK = 'memory/stream';
const XML = `<domain type='kvm'><name>small</name><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type machine='MACHINE'>hvm</type></os><devices>
  <disk type='file' device='disk'><source file='/vm/root.img'/><target dev='vda' bus='virtio'/><address type='pci' bus='0' slot='0x03' function='0'/></disk>
  <disk type='file' device='disk'><source file='/vm/data.img'/><target dev='vdb' bus='virtio'/><address type='pci' bus='0' slot='0x04' function='0'/></disk>
</devices></domain>`;
let folder: string;
let root: string;
let data: string;
let stream: string;
let machineType: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  const tree = join(folder, 'tree');
  await mkdir(tree);
  await writeFile(join(tree, 'file.txt'), 'data');
  root = await makeDiskOfFolder(join(folder, 'root.img'), tree, [], '64M');
  data = await makeDiskOfFolder(join(folder, 'data.img'), tree, [], '72M');
  stream = join(folder, 'vm.ram');
  const disk = (path: string, addr: string) => [
    '-drive',
    `file=${path},format=raw,if=none,id=d${addr},readonly=on`,
    '-device',
    `virtio-blk-pci,drive=d${addr},addr=${addr}`,
  ];
  await withQemu(['-machine', 'q35', '-m', '64', ...disk(root, '3'), ...disk(data, '4')], async (qemu) => {
    await qemu.runFor(3_000);
    await qemu.migrate(stream);
    const machines = await qemu.qmp.execute<{ name: string; alias?: string }[]>('query-machines');
    machineType = machines.find(({ alias }) => alias === 'q35')?.name ?? '';
  });
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A restore point of these disks with this memory. */
async function pointWith(name: string, memory: string, more: { disks?: string[]; hardware?: object; xml?: string } = {}): Promise<string> {
  const { disks = [root, data], hardware, xml } = more;
  const point = await makePoint(folder, name, disks, { memory: { path: 'memory' }, ...(hardware ? { hardware } : {}) });
  await copyFile(memory, join(point, 'memory'));
  if (xml) await writeFile(join(point, 'domain.xml'), xml);
  return point;
}

async function judged(point: string): Promise<{ record: VerificationRecord; check: CheckResult }> {
  const { record } = await verify(point, { depth: 'static' });
  const check = resultOf(record, CHECK, 'memory');
  if (!check) throw new Error('the memory was not looked at');
  return { record, check };
}

describe('saved memory beside its disks', () => {
  it('passes, with a manifest and a description that agree, in a folder without a manifest, and packed', async () => {
    const hardware = { machineType, cpus: 1, memoryMiB: 64, devices: [{ driver: 'virtio-blk-pci', drive: 'disk0', addr: '0x3' }] };
    const point = await pointWith('agreeing', stream, { hardware, xml: XML.replace('MACHINE', machineType) });
    const { record, check } = await judged(point);
    expect(check).toMatchObject({ outcome: 'pass', findings: [] });
    expect(record.verdict).toBe('passed');
    expect(record.restorePoint.files.map(({ role, format }) => `${role} ${format}`)).toEqual(
      expect.arrayContaining(['memory unknown', 'config json', 'config xml']),
    );
    await rm(join(point, 'restore-point.json'));
    await run('zstd', ['-q', '--rm', join(point, 'memory'), '-o', join(point, 'vm.vmstate.zst')]);
    expect((await judged(point)).check).toMatchObject({ outcome: 'pass', findings: [] });
    const { memory } = await inspect(point);
    expect(memory).toMatchObject({ compression: 'zstd', complete: true, ramBytes: 64 * 2 ** 20 });
  });

  it('fails when it is cut off', async () => {
    const point = await pointWith('cut', stream);
    await truncate(join(point, 'memory'), Math.floor((await readFile(stream)).length / 2));
    const { record, check } = await judged(point);
    expect(check.outcome).toBe('fail');
    expect(check.summary).toMatch(/cut off/);
    expect(record.verdict).toBe('failed');
  });

  it('fails with a manifest of other hardware and a disk of another size', async () => {
    const larger = join(folder, 'larger.img');
    await copyFile(data, larger);
    await truncate(larger, 96 * 2 ** 20);
    const { check } = await judged(await pointWith('other', stream, { disks: [root, larger], hardware: { cpus: 3, memoryMiB: 128 } }));
    expect(check.findings.map(({ code }) => code)).toEqual(['hardware.cpus', 'hardware.memory-size', 'hardware.disk-size']);
  });

  it('that is not read is untested by its name', async () => {
    const vmware = join(folder, 'vm.vmsn');
    await writeFile(vmware, Buffer.concat([Buffer.from('d2bed2be', 'hex'), Buffer.alloc(200_000)]));
    const { record, check } = await judged(await pointWith('vmware', vmware));
    expect(check.outcome).toBe('skip');
    expect(untestedAbout(record, /^memory\/stream .*VMware's saved state/)).toMatchObject([{ holdsData: false }]);
    expect(untestedAbout(record, /VMware/).some(({ holdsData }) => holdsData)).toBe(false);
    expect(record.verdict).toBe('passed');
  });
});
