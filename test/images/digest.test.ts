import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../src/errors.js';
import { digestFiles, type FileToDigest, filesToDigest, openImages } from '../../src/images/index.js';
import { loadRestorePoints } from '../../src/sources/index.js';
import type { Progress } from '../../src/types.js';
import { testFolder } from './make.js';
import { qcow2Bytes } from './qcow2-bytes.js';

const SIZES = [0, 1, 2 ** 21, 2 ** 21 + 1, 5 * 2 ** 20];
const signal = new AbortController().signal;
const quiet = () => undefined;
const asDisk = (path: string): FileToDigest => ({ role: 'disk', path, format: 'raw' });

describe('digestFiles', () => {
  it('gives the SHA-256 of files of any length, each once, and tells how far it is', async () => {
    const folder = await testFolder();
    const contents = SIZES.map((size) => randomBytes(size));
    const paths = contents.map((_, i) => join(folder, `f${i}`));
    await Promise.all(paths.map((path, i) => writeFile(path, contents[i] ?? '')));
    const seen: Progress[] = [];
    const { digests, findings } = await digestFiles([...paths, ...paths].map(asDisk), { signal, progress: (progress) => seen.push(progress) });
    expect(findings).toEqual([]);
    expect(digests).toEqual(
      paths.map((path, i) => ({
        ...asDisk(path),
        sizeBytes: SIZES[i],
        sha256: createHash('sha256')
          .update(contents[i] ?? '')
          .digest('hex'),
      })),
    );
    const total = SIZES.reduce((sum, size) => sum + size);
    expect(seen.at(-1)).toMatchObject({ doneBytes: total, totalBytes: total });
  });

  it.each([
    ['grows', (path: string) => appendFileSync(path, 'x')],
    ['shrinks', (path: string) => truncateSync(path, 100)],
    ['is written in place', (path: string) => utimesSync(path, new Date(), new Date(1))],
    [
      'is replaced',
      (path: string) => {
        writeFileSync(`${path}.new`, randomBytes(9 * 2 ** 20));
        renameSync(`${path}.new`, path);
      },
    ],
  ])('finds a file that %s while it is read', async (_, change) => {
    const path = join(await testFolder(), 'image');
    await writeFile(path, randomBytes(9 * 2 ** 20));
    let changed = false;
    const progress = () => {
      if (!changed) change(path);
      changed = true;
    };
    const { digests, findings } = await digestFiles([asDisk(path)], { signal, progress });
    expect(digests).toEqual([]);
    expect(findings).toMatchObject([{ code: 'image.changed-while-read', severity: 'critical', where: { file: path } }]);
  });

  it('goes on past a file it cannot read', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'there'), 'x');
    const { digests, findings } = await digestFiles([asDisk(join(folder, 'gone')), asDisk(join(folder, 'there'))], { signal, progress: quiet });
    expect(digests.map(({ path }) => path)).toEqual([join(folder, 'there')]);
    expect(findings).toMatchObject([{ code: 'image.unreadable', where: { file: join(folder, 'gone') } }]);
  });

  it('stops when interrupted', async () => {
    const path = join(await testFolder(), 'image');
    await writeFile(path, randomBytes(9 * 2 ** 20));
    const abort = new AbortController();
    await expect(digestFiles([asDisk(path)], { signal: abort.signal, progress: () => abort.abort() })).rejects.toThrow(InterruptedError);
  });
});

it('digests all files a restore point consists of', async () => {
  const folder = await testFolder();
  await writeFile(join(folder, 'top'), qcow2Bytes({ backing: 'base', backingFormat: 'raw' }));
  await writeFile(join(folder, 'base'), Buffer.alloc(512));
  await writeFile(join(folder, 'ram'), 'ram');
  const manifest = { schema: 'snapproof.restore-point/v1', disks: [{ path: 'top' }, { path: 'gone' }], memory: { path: 'ram', format: 'qemu' } };
  await writeFile(join(folder, 'restore-point.json'), JSON.stringify(manifest));
  const [point] = await loadRestorePoints([folder]);
  if (!point) throw new Error('no restore point');
  const files = filesToDigest(point, await openImages(point, []));
  expect(files.map(({ role, path, format }) => [role, path.split('/').at(-1), format])).toEqual([
    ['disk', 'top', 'qcow2'],
    ['disk', 'base', 'raw'],
    ['memory', 'ram', 'qemu'],
    ['config', 'restore-point.json', 'json'],
  ]);
});
