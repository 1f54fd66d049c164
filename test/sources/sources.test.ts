import { execFileSync } from 'node:child_process';
import { chmod, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { loadRestorePoints } from '../../src/sources/index.js';
import { testFolder } from '../images/make.js';
import { qcow2Bytes } from '../images/qcow2-bytes.js';

let folder: string;

beforeEach(async () => {
  folder = await realpath(await testFolder());
});

const put = async (name: string, content: Buffer | string) => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

const bootSector = () => {
  const sector = Buffer.alloc(512);
  sector.writeUInt16BE(0x55aa, 510);
  return sector;
};

async function refusal(...paths: string[]): Promise<UsageError> {
  const error = await loadRestorePoints(paths).catch((caught) => caught);
  expect(error).toBeInstanceOf(UsageError);
  return error;
}

describe('a plain image', () => {
  it('is a restore point of one disk, named by its file', async () => {
    const path = await put('web01.img', Buffer.alloc(512));
    const [point, ...others] = await loadRestorePoints([path, path]);
    expect(others).toEqual([]);
    expect(point).toMatchObject({
      machine: 'web01',
      folder,
      takenAt: null,
      disks: [{ path, format: null, bus: null }],
      memory: null,
      declaredConsistency: 'unknown',
    });
    expect((await loadRestorePoints([path]))[0]?.id).toBe(point?.id);
    expect((await loadRestorePoints([await put('web02.img', 'x')]))[0]?.id).not.toBe(point?.id);
  });

  it('may be empty: that is a fact about the backup, not about the call', async () => {
    expect(await loadRestorePoints([await put('empty.raw', '')])).toHaveLength(1);
  });

  it('belongs to the folder in which it really lies', async () => {
    await mkdir(join(folder, 'real'));
    await put('real/disk.raw', Buffer.alloc(512));
    await symlink('real/disk.raw', join(folder, 'link'));
    expect((await loadRestorePoints([join(folder, 'link')]))[0]?.folder).toBe(join(folder, 'real'));
  });
});

describe('a folder without manifest', () => {
  it('holds every image in it, by name or magic, sorted, without the backing files of others', async () => {
    await put('b-data', qcow2Bytes({ backing: 'a-base.qcow2' }));
    await put('a-base.qcow2', qcow2Bytes());
    await put('c.vhdx', 'x');
    await put('d-nameless', bootSector());
    await put('.hidden.raw', bootSector());
    await put('notes.txt', 'hello');
    const [point] = await loadRestorePoints([folder]);
    expect(point?.disks.map(({ path }) => path.slice(folder.length + 1))).toEqual(['b-data', 'c.vhdx', 'd-nameless']);
    expect(point?.source).toEqual({ kind: 'folder', ignored: [{ name: 'notes.txt', sizeBytes: expect.any(Number) }] });
  });

  it('keeps one member of a circle, so that it is judged', async () => {
    await put('a', qcow2Bytes({ backing: 'b' }));
    await put('b', qcow2Bytes({ backing: 'a' }));
    await put('c', qcow2Bytes());
    const [point] = await loadRestorePoints([folder]);
    expect(point?.disks.map(({ path }) => path)).toEqual([join(folder, 'a'), join(folder, 'c')]);
  });

  it('takes saved memory for what it is, by its first bytes or its name, when there is one', async () => {
    await put('a.qcow2', qcow2Bytes());
    await put('vm.state', 'QEVM\0\0\0\x03');
    const [point] = await loadRestorePoints([folder]);
    expect(point?.memory).toEqual({ path: join(folder, 'vm.state'), format: 'unknown', snapshot: null });
    expect(point?.disks.map(({ path }) => path)).toEqual([join(folder, 'a.qcow2')]);
    expect(point?.source).toEqual({ kind: 'folder', ignored: [] });
  });

  it.each(['vm.mem', 'vm.vmstate.zst', 'vm.save', 'vm.vmem'])('takes %s for saved memory by its name, unless it is small', async (name) => {
    await put('a.qcow2', qcow2Bytes());
    await put(name, Buffer.alloc(100));
    expect((await loadRestorePoints([folder]))[0]).toMatchObject({ memory: null, source: { ignored: [{ name }] } });
    await put(name, Buffer.alloc(100_000));
    expect((await loadRestorePoints([folder]))[0]).toMatchObject({ memory: { path: join(folder, name) }, source: { ignored: [] } });
  });

  it('does not guess which of several saved memories belongs to the disks', async () => {
    await put('a.qcow2', qcow2Bytes());
    await put('one', 'LibvirtQemudSave');
    await put('two', 'QEVM\0\0\0\x03');
    const [point] = await loadRestorePoints([folder]);
    expect(point?.memory).toBeNull();
    expect(point?.source).toMatchObject({ ignored: [{ name: 'one' }, { name: 'two' }] });
  });

  it("takes libvirt's descriptions beside the disks for configuration, and no other XML", async () => {
    await put('a.qcow2', qcow2Bytes());
    await put('shop.xml', "<?xml version='1.0'?>\n<!-- WARNING -->\n<domain type='kvm'>");
    await put('net.xml', '<network/>');
    const [point] = await loadRestorePoints([folder]);
    expect(point?.configs).toEqual([join(folder, 'shop.xml')]);
    expect(point?.source).toMatchObject({ ignored: [{ name: 'net.xml' }] });
    const manifest = await put('restore-point.json', JSON.stringify({ schema: 'snapproof.restore-point/v1', disks: [{ path: 'a.qcow2' }] }));
    expect((await loadRestorePoints([folder]))[0]?.configs).toEqual([manifest, join(folder, 'shop.xml')]);
  });

  it('is refused when nothing in it is an image', async () => {
    expect((await refusal(folder)).message).toContain('there is nothing in');
    await put('notes.txt', 'hello');
    expect((await refusal(folder)).message).toContain('none of the 1 files');
  });
});

describe('a manifest', () => {
  const manifest = {
    schema: 'snapproof.restore-point/v1',
    machine: 'db01',
    takenAt: '2026-01-02T03:04:05+01:00',
    disks: [{ path: 'a.qcow2', format: 'vhd', bus: 'virtio' }, { path: 'sub/b' }],
  };

  it('says what belongs to the restore point, named by folder or by file', async () => {
    const path = await put(
      'restore-point.json',
      JSON.stringify({ ...manifest, memory: { path: 'ram' }, hardware: { cpus: 2 }, declaredConsistency: 'filesystem' }),
    );
    await put('a.qcow2', 'x');
    const [point] = await loadRestorePoints([folder, path]);
    expect(point).toMatchObject({
      machine: 'db01',
      takenAt: '2026-01-02T02:04:05.000Z',
      hardware: { cpus: 2 },
      declaredConsistency: 'filesystem',
      configs: [path],
    });
    expect(point?.disks).toEqual([
      { path: join(folder, 'a.qcow2'), format: 'vpc', bus: 'virtio' },
      { path: join(folder, 'sub/b'), format: null, bus: null },
    ]);
    expect(point?.memory).toEqual({ path: join(folder, 'ram'), format: 'unknown', snapshot: null });
  });

  it.each([
    [
      'an unknown field, with its line and the nearest name',
      '{\n "schema": "snapproof.restore-point/v1",\n "diskss": []\n}',
      /line 3: unknown field "diskss" \(did you mean "disks"\?\)/,
    ],
    [
      'an unknown field inside a disk',
      { ...manifest, disks: [{ path: 'a', fromat: 'raw' }] },
      /unknown field "fromat" in "disks.0" \(did you mean "format"\?\)/,
    ],
    ['an unknown format', { ...manifest, disks: [{ path: 'a', format: 'qcow' }] }, /"disks.0.format" is "qcow"; allowed are .*did you mean "qcow2"/],
    ['a wrong schema', { ...manifest, schema: 'v2' }, /must be "snapproof.restore-point\/v1"/],
    ['no disks', { schema: manifest.schema }, /lacks the field "disks"/],
    ['a time without a zone', { ...manifest, takenAt: 'yesterday' }, /"takenAt" is "yesterday"; it must match format "date-time"/],
    ['what is no JSON, with its line', '{\n "schema": "x",\n oops\n}', /line 3: not valid JSON/],
    ['what ends early', '{\n "schema": "x",\n', /line 3: not valid JSON/],
    ['the same field twice', '{"schema": "a",\n "schema": "b", "disks": []}', /line 2: not valid JSON: Map keys must be unique/],
    ['an absolute path', { ...manifest, disks: [{ path: '/etc/passwd' }] }, /lies outside its folder/],
    ['a path that climbs out', { ...manifest, disks: [{ path: 'x/../../y' }] }, /lies outside its folder/],
    ['a link that leads out', { ...manifest, disks: [{ path: 'link' }] }, /lies outside its folder/],
    ['saved RAM elsewhere', { ...manifest, memory: { path: '../ram' } }, /lies outside its folder/],
  ])('is refused for %s', async (_, content, message) => {
    await symlink('/etc/passwd', join(folder, 'link'));
    const path = await put('restore-point.json', typeof content === 'string' ? content : JSON.stringify(content));
    const error = await refusal(folder);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(path);
  });
});

describe('a path that cannot be used', () => {
  it('is named with the reason', async () => {
    expect((await refusal()).message).toBe('no restore point was named');
    expect((await refusal(join(folder, 'gone'))).message).toBe(`there is nothing at ${folder}/gone`);
    expect((await refusal(join(await put('file', ''), 'below'))).message).toContain('there is nothing at');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect((await refusal(join(folder, 'pipe'))).message).toContain('neither a file, a folder nor a block device');
    expect((await refusal('/dev/null')).message).toContain('neither a file, a folder nor a block device');
  });

  it('is refused without permission', async () => {
    const image = await put('private.raw', Buffer.alloc(512));
    await chmod(image, 0);
    await put('restore-point.json', JSON.stringify({ schema: 'snapproof.restore-point/v1', disks: [{ path: 'private.raw' }] }));
    await chmod(folder, 0o755);
    dropRights();
    expect((await refusal(image)).message).toBe(`no permission to read ${image}`);
    expect((await refusal(folder)).message).toBe(`no permission to read ${image}`);
  });
});

/** Root may read everything: for the rest of the test this process is nobody. */
function dropRights(): void {
  if (process.getuid?.() !== 0 || !process.seteuid) return;
  process.seteuid(65_534);
  onTestFinished(() => process.seteuid?.(0));
}
