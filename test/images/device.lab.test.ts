import { execFileSync } from 'node:child_process';
import { realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openImages } from '../../src/images/index.js';
import { loadRestorePoints } from '../../src/sources/index.js';
import { testFolder } from './make.js';
import { qcow2Bytes } from './qcow2-bytes.js';

const needsRoot = process.getuid?.() === 0 ? '' : 'needs root, to make a loop device (losetup)';

/** A read-only block device holding the bytes. */
async function deviceOf(bytes: Buffer): Promise<string> {
  const file = join(await testFolder(), 'content');
  await writeFile(file, bytes);
  const device = execFileSync('losetup', ['--read-only', '--find', '--show', file], { encoding: 'utf8' }).trim();
  onTestFinished(() => void execFileSync('losetup', ['--detach', device]));
  return device;
}

async function open(device: string, allowedFolders: string[] = []) {
  const [point] = await loadRestorePoints([device]);
  if (!point) throw new Error('no restore point');
  return (await openImages(point, allowedFolders))[0];
}

it('a block device is an image with the size of the device', async ({ skip }) => {
  if (needsRoot) skip(needsRoot);
  const device = await deviceOf(qcow2Bytes());
  expect(await open(device)).toMatchObject({ format: 'qcow2', refused: null, layers: [{ path: device, sizeBytes: 6 * 65_536, details: { device: true } }] });
});

it('a block device reaches no other disk of the host, unless the policy allows it', async ({ skip }) => {
  if (needsRoot) skip(needsRoot);
  const other = await deviceOf(Buffer.alloc(2 ** 20));
  const device = await deviceOf(qcow2Bytes({ backing: other, backingFormat: 'raw' }));
  expect((await open(device))?.refused).toMatchObject({ code: 'image.chain.outside' });
  expect((await open(device, ['/dev']))?.layers[1]).toMatchObject({ path: await realpath(other), format: 'raw', sizeBytes: 2 ** 20 });
});
