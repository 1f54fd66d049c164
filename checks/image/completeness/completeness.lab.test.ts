import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openImage } from '../../../src/images/index.js';
import type { ImageFormat, Judgement } from '../../../src/types.js';
import { convert, makeImage, qemuImg, testFolder } from '../../../test/images/make.js';
import { evaluate } from './evaluate.js';
import { evidenceOf } from './evidence.js';

async function judge(path: string, format: ImageFormat | null, folder: string): Promise<Judgement> {
  const image = await openImage({ path, format, bus: null }, { folder, allowedFolders: [] });
  return evaluate(evidenceOf({ kind: 'image', id: image.name, image }));
}

describe.each<[ImageFormat, string[]]>([
  ['qcow2', []],
  ['vmdk', []],
  ['vpc', []],
  ['vpc', ['-o', 'subformat=fixed']],
  ['vhdx', []],
  ['vdi', []],
])('%s %j', (format, more) => {
  it('passes whole, fails cut off at any length', async () => {
    const folder = await testFolder();
    const path = await makeImage(folder, 'disk', format, { more });
    expect(await judge(path, format, folder)).toMatchObject({ outcome: 'pass', findings: [] });
    const { layers } = await openImage({ path, format, bus: null }, { folder, allowedFolders: [] });
    const promised = layers[0]?.promisedBytes ?? 0;
    const cut = join(folder, 'cut');
    await copyFile(path, cut);
    for (const part of [1, 0.99, 0.7, 0.4, 0.1, 0.01, 0]) {
      await truncate(cut, Math.max(0, Math.floor(promised * part) - 1));
      const judgement = await judge(cut, format, folder);
      expect(judgement.outcome, `cut to ${part}`).toBe('fail');
      expect(judgement.summary).toContain(cut);
    }
  });
});

describe('images that reach for other files', () => {
  const size = '10M';

  it.each([
    ['monolithicFlat', 'image.vmdk.extents'],
    ['twoGbMaxExtentSparse', 'image.vmdk.extents'],
    ['twoGbMaxExtentFlat', 'image.vmdk.extents'],
  ])('a vmdk %s', async (subformat, code) => {
    const folder = await testFolder();
    const path = join(folder, 'disk.vmdk');
    await qemuImg('create', '-q', '-f', 'vmdk', '-o', `subformat=${subformat}`, path, size);
    expect((await judge(path, 'vmdk', folder)).findings).toMatchObject([{ code }]);
    expect((await judge(path, null, folder)).findings).toMatchObject([{ code }]);
  });

  it('a vmdk delta', async () => {
    const folder = await testFolder();
    await qemuImg('create', '-q', '-f', 'vmdk', join(folder, 'base.vmdk'), size);
    const path = join(folder, 'delta.vmdk');
    await qemuImg('create', '-q', '-f', 'vmdk', '-b', 'base.vmdk', '-F', 'vmdk', path);
    expect((await judge(path, 'vmdk', folder)).findings).toMatchObject([{ code: 'image.vmdk.parent' }]);
  });

  it('a qcow2 with an external data file', async () => {
    const folder = await testFolder();
    const path = join(folder, 'disk.qcow2');
    await qemuImg('create', '-q', '-f', 'qcow2', '-o', `data_file=${join(folder, 'data')}`, path, size);
    expect((await judge(path, 'qcow2', folder)).findings).toMatchObject([{ code: 'image.qcow2.external-data-file' }]);
  });

  it('a qcow2 on /etc/passwd', async () => {
    const folder = await testFolder();
    const path = join(folder, 'disk.qcow2');
    await qemuImg('create', '-q', '-u', '-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', path, size);
    const judgement = await judge(path, 'qcow2', folder);
    expect(judgement.findings).toMatchObject([{ code: 'image.chain.outside' }]);
    expect(judgement.summary).toContain('"/etc/passwd" lies outside the folders that belong to the restore point');
  });
});

describe('internal snapshots and encryption', () => {
  it('are told, and snapshots count for the length', async () => {
    const folder = await testFolder();
    const path = await makeImage(folder, 'disk', 'qcow2');
    await qemuImg('snapshot', '-c', 'before update', path);
    const image = await openImage({ path, format: 'qcow2', bus: null }, { folder, allowedFolders: [] });
    expect(image.internalSnapshots).toMatchObject([{ id: '1', name: 'before update', vmStateBytes: 0 }]);
    expect(Math.abs(Date.parse(image.internalSnapshots[0]?.takenAt ?? '') - Date.now())).toBeLessThan(60_000);
    const { promisedBytes = 0 } = image.layers[0] ?? {};
    expect(promisedBytes).toBeLessThanOrEqual((await stat(path)).size);
    await truncate(path, promisedBytes - 1);
    expect((await judge(path, 'qcow2', folder)).outcome).toBe('fail');
  });

  it('leave encrypted data untested', async () => {
    const folder = await testFolder();
    const raw = await makeImage(folder, 'raw', 'raw', { sizeBytes: 2 ** 20 });
    const path = await encrypted(raw, join(folder, 'luks'));
    expect(await judge(path, 'qcow2', folder)).toMatchObject({ outcome: 'pass', untested: [{ holdsData: true, why: expect.stringContaining('luks') }] });
  });
});

/** qemu-img measures how fast it hashes, and gives up on a host that is short of time: "Unable to get accurate CPU usage". */
async function encrypted(raw: string, path: string, attempts = 5): Promise<string> {
  const options = ['--object', 'secret,id=s,data=secret', '-o', 'encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10'];
  try {
    return await convert(raw, 'raw', path, 'qcow2', ...options);
  } catch (error) {
    if (attempts === 1 || !String(error).includes('accurate CPU usage')) throw error;
    return encrypted(raw, path, attempts - 1);
  }
}
