import { execFileSync } from 'node:child_process';
import { mkdir, realpath, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openImage } from '../../src/images/index.js';
import type { ImageFormat, SnapshotImage } from '../../src/types.js';
import { testFolder } from './make.js';
import { qcow2Bytes } from './qcow2-bytes.js';

let folder: string;

beforeEach(async () => {
  folder = await realpath(await testFolder());
  await mkdir(join(folder, 'point'));
  await mkdir(join(folder, 'store'));
});

const open = (name: string, format: ImageFormat | null = 'qcow2', allowedFolders: string[] = []): Promise<SnapshotImage> =>
  openImage({ path: join(folder, 'point', name), format, bus: null }, { folder: join(folder, 'point'), allowedFolders });

const put = (name: string, content: Buffer | string) => writeFile(join(folder, name), content);

describe('chains', () => {
  it('follows a chain in its own folder and an allowed one, top first', async () => {
    await put('point/top', qcow2Bytes({ backing: 'middle', backingFormat: 'qcow2' }));
    await put('point/middle', qcow2Bytes({ backing: '../store/base', backingFormat: 'raw' }));
    await put('store/base', Buffer.alloc(2 ** 20));
    const image = await open('top', 'qcow2', [join(folder, 'store')]);
    expect(image.refused).toBeNull();
    expect(image.layers.map(({ path, format }) => [path, format])).toEqual([
      [join(folder, 'point/top'), 'qcow2'],
      [join(folder, 'point/middle'), 'qcow2'],
      [join(folder, 'store/base'), 'raw'],
    ]);
    expect(image.layers.map((layer) => layer.backingPath)).toEqual([join(folder, 'point/middle'), join(folder, 'store/base'), null]);
  });

  it('takes a base stated to be raw as raw, even when it begins like qcow2', async () => {
    await put('point/top', qcow2Bytes({ backing: 'base', backingFormat: 'raw' }));
    await put('point/base', qcow2Bytes({ backing: '/etc/passwd' }));
    const image = await open('top');
    expect(image.refused).toBeNull();
    expect(image.layers[1]).toMatchObject({ format: 'raw', backingPath: null, details: { looksLike: 'qcow2' } });
  });

  it.each([
    ['/etc/passwd', 'image.chain.outside'],
    ['../store/base', 'image.chain.outside'],
    ['../../../../../../etc/passwd', 'image.chain.outside'],
    ['json:{"driver":"nbd","host":"example.org"}', 'image.chain.protocol'],
    ['nbd://example.org/', 'image.chain.protocol'],
    ['file:/etc/passwd', 'image.chain.protocol'],
    ['fat:rw:/etc', 'image.chain.protocol'],
    ['link-out', 'image.chain.outside'],
    ['link-dir/base', 'image.chain.outside'],
    ['gone', 'image.missing'],
    ['loop', 'image.chain.cyclic'],
    ['.', 'image.chain.outside'],
    ['sub', 'image.not-a-file'],
    ['top', 'image.chain.cyclic'],
    ['pipe', 'image.not-a-file'],
    ['empty', 'image.empty'],
  ])('refuses the backing file %s', async (backing, code) => {
    await put('store/base', Buffer.alloc(512));
    await mkdir(join(folder, 'point/sub'));
    await put('point/empty', '');
    await symlink(join(folder, 'store/base'), join(folder, 'point/link-out'));
    await symlink(join(folder, 'store'), join(folder, 'point/link-dir'));
    await symlink('loop', join(folder, 'point/loop'));
    execFileSync('mkfifo', [join(folder, 'point/pipe')]);
    await put('point/top', qcow2Bytes({ backing }));
    const image = await open('top');
    expect(image.refused).toMatchObject({ code, severity: 'critical' });
    expect(image.layers).toHaveLength(1);
  });

  it('refuses a circle of two and a chain without end', async () => {
    await put('point/a', qcow2Bytes({ backing: 'b' }));
    await put('point/b', qcow2Bytes({ backing: 'a' }));
    expect((await open('a')).refused).toMatchObject({ code: 'image.chain.cyclic' });
    for (let i = 0; i < 105; i++) await put(`point/l${i}`, qcow2Bytes({ backing: `l${i + 1}` }));
    expect((await open('l0')).refused).toMatchObject({ code: 'image.chain.too-deep' });
  });

  it('refuses a backing format nobody here reads', async () => {
    await put('point/base', Buffer.alloc(512));
    await put('point/top', qcow2Bytes({ backing: 'base', backingFormat: 'host_device' }));
    expect((await open('top')).refused).toMatchObject({ code: 'image.chain.format' });
  });

  it('follows links that stay inside', async () => {
    await put('point/base', Buffer.alloc(512));
    await symlink('base', join(folder, 'point/link'));
    await put('point/top', qcow2Bytes({ backing: 'link', backingFormat: 'raw' }));
    expect((await open('top')).layers[1]?.path).toBe(join(folder, 'point/base'));
  });
});

describe('a single bad image', () => {
  it('ends in a finding that names the file', async () => {
    await put('point/empty', '');
    await put('point/text', 'not an image');
    await put('point/short', qcow2Bytes().subarray(0, 50));
    await put('point/vmdk', '# Disk DescriptorFile\nRW 1 FLAT "/etc/passwd" 0\n');
    expect((await open('gone')).refused).toMatchObject({ code: 'image.missing' });
    expect((await open('empty')).refused).toMatchObject({ code: 'image.empty', where: { file: join(folder, 'point/empty') } });
    expect((await open('text')).refused).toMatchObject({ code: 'image.format-contradicted' });
    expect((await open('short')).refused).toMatchObject({ code: 'image.truncated-header' });
    expect((await open('vmdk', null)).refused).toMatchObject({ code: 'image.vmdk.extents' });
    expect((await open('vmdk', 'vmdk')).refused?.message).toContain(join(folder, 'point/vmdk'));
  });

  it('takes a petabyte without allocating by it', async () => {
    await put('point/huge', '');
    await truncate(join(folder, 'point/huge'), 2 ** 42);
    expect((await open('huge', 'raw')).virtualSizeBytes).toBe(2 ** 42);
    await put('point/qcow2', qcow2Bytes({ virtualSizeBytes: 2n ** 50n, l1Entries: 2 ** 21 }));
    const image = await open('qcow2');
    expect(image).toMatchObject({ refused: null, virtualSizeBytes: 2 ** 50 });
    expect(image.layers[0]?.promisedBytes).toBeGreaterThan(image.layers[0]?.sizeBytes ?? 0);
  });
});
