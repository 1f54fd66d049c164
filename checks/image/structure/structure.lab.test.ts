import { execFile } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { CheckContext } from '../../../src/check.js';
import { openImage } from '../../../src/images/index.js';
import { openSandbox } from '../../../src/labs/sandbox/index.js';
import type { ImageFormat, Judgement, SnapshotImage } from '../../../src/types.js';
import { convert, makeImage, qemuImg, testFolder } from '../../../test/images/make.js';
import { readAt, writeAt } from '../../testing/damage.js';
import type { StructureOptions } from './evidence.js';
import check from './index.js';

const CLUSTER = 65_536;
const sandbox = openSandbox();

afterAll(() => sandbox.close());

async function judge(image: SnapshotImage): Promise<Judgement> {
  expect(image.refused).toBeNull();
  const options = check.defaultOptions;
  const context = { labs: { sandbox }, options, signal: new AbortController().signal, progress: () => undefined } as unknown as CheckContext<StructureOptions>;
  const evidence = await check.collect({ kind: 'image', id: image.name, image }, context);
  return check.evaluate(JSON.parse(JSON.stringify(evidence)), options);
}

const openAs = (path: string, format: ImageFormat, folder: string) => openImage({ path, format, bus: null }, { folder, allowedFolders: [] });

describe('intact images pass', () => {
  it.each<[ImageFormat, string[]]>([
    ['qcow2', []],
    ['qcow2', ['-o', 'compat=0.10']],
    ['qcow2', ['-o', 'extended_l2=on']],
    ['vmdk', []],
    ['vhdx', []],
    ['vdi', []],
  ])('%s %j', async (format, more) => {
    const folder = await testFolder();
    const path = await makeImage(folder, 'disk', format, { more });
    const judgement = await judge(await openAs(path, format, folder));
    expect(judgement).toMatchObject({ outcome: 'pass', findings: [], untested: [] });
    expect(judgement.tested).toEqual([{ what: `internal tables of ${path}`, how: `qemu-img check as ${format}` }]);
  });

  it('a stream-optimised vmdk and a compressed qcow2', async () => {
    const folder = await testFolder();
    const raw = await makeImage(folder, 'raw', 'raw');
    const vmdk = await convert(raw, 'raw', join(folder, 'stream'), 'vmdk', '-o', 'subformat=streamOptimized');
    const qcow2 = await convert(raw, 'raw', join(folder, 'compressed'), 'qcow2', '-c');
    expect((await judge(await openAs(vmdk, 'vmdk', folder))).outcome).toBe('pass');
    expect((await judge(await openAs(qcow2, 'qcow2', folder))).outcome).toBe('pass');
  });

  it.each<ImageFormat>(['raw', 'vpc'])('says that %s cannot be checked so', async (format) => {
    const folder = await testFolder();
    const path = await makeImage(folder, 'disk', format);
    const judgement = await judge(await openAs(path, format, folder));
    expect(judgement).toMatchObject({ outcome: 'pass', tested: [], untested: [{ what: `internal tables of ${path}`, holdsData: false }] });
  });

  it('with a comma, a quote and a colon in their name', async () => {
    const folder = await testFolder();
    const path = join(folder, 'di,sk "x": ü\n.qcow2');
    await rename(await makeImage(folder, 'plain', 'qcow2'), path);
    expect((await judge(await openAs(path, 'qcow2', folder))).outcome).toBe('pass');
  });
});

describe('a chain', () => {
  it('is checked layer by layer, and the damaged one is named', async () => {
    const folder = await testFolder();
    const base = await makeImage(folder, 'base', 'qcow2');
    const top = join(folder, 'top');
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', 'base', '-F', 'qcow2', top);
    const image = await openAs(top, 'qcow2', folder);
    expect((await judge(image)).tested).toHaveLength(2);
    writeAt(base, 2 * CLUSTER, Buffer.alloc(CLUSTER));
    const judgement = await judge(image);
    expect(judgement.outcome).toBe('fail');
    expect(judgement.findings.map(({ where }) => where.file)).toEqual([base]);
  });
});

describe('damaged images fail', () => {
  it('qcow2 whose reference counts were lost', async () => {
    const folder = await testFolder();
    const path = await makeImage(folder, 'disk', 'qcow2');
    writeAt(path, 2 * CLUSTER, Buffer.alloc(CLUSTER));
    const judgement = await judge(await openAs(path, 'qcow2', folder));
    expect(judgement).toMatchObject({ outcome: 'fail', findings: [{ code: 'image.structure.corrupt', severity: 'critical', where: { file: path } }] });
    expect(judgement.summary).toContain('corruption');
    expect(judgement.advice).toContain('Do not repair the backup itself');
  });

  it('qcow2 with two guest clusters in one place', async () => {
    const folder = await testFolder();
    const path = await makeImage(folder, 'disk', 'qcow2');
    const first = readAt(path, 4 * CLUSTER, 8);
    writeAt(path, 4 * CLUSTER + 8, first);
    expect(await judge(await openAs(path, 'qcow2', folder))).toMatchObject({ outcome: 'fail', findings: [{ code: 'image.structure.corrupt' }] });
  });

  it('vdi with two blocks in one place', async () => {
    const folder = await testFolder();
    const path = await makeImage(folder, 'disk', 'vdi');
    const map = readAt(path, 340, 4).readUInt32LE(0);
    writeAt(path, map + 4, readAt(path, map, 4));
    expect(await judge(await openAs(path, 'vdi', folder))).toMatchObject({ outcome: 'fail', findings: [{ code: 'image.structure.corrupt' }] });
  });

  it('but not one that was copied while open, with lazy reference counts', async () => {
    const folder = await testFolder();
    const path = await makeImage(folder, 'disk', 'qcow2', { more: ['-o', 'lazy_refcounts=on'] });
    await expect(promisify(execFile)('qemu-io', ['-f', 'qcow2', '-c', 'write 1M 1M', '-c', 'flush', '-c', 'abort', path])).rejects.toMatchObject({
      signal: 'SIGABRT',
    });
    expect(await judge(await openAs(path, 'qcow2', folder))).toMatchObject({ outcome: 'pass', findings: [{ code: 'image.structure.counts-behind' }] });
    const first = readAt(path, 4 * CLUSTER, 8);
    writeAt(path, 4 * CLUSTER + 16 * 8, first);
    expect(await judge(await openAs(path, 'qcow2', folder))).toMatchObject({ outcome: 'fail', findings: [{ code: 'image.structure.corrupt' }] });
  });

  it('but leaked clusters are only a warning', async () => {
    const folder = await testFolder();
    const path = await makeImage(folder, 'disk', 'qcow2');
    writeAt(path, 4 * CLUSTER, Buffer.alloc(8));
    const judgement = await judge(await openAs(path, 'qcow2', folder));
    expect(judgement).toMatchObject({ outcome: 'pass', findings: [{ code: 'image.structure.leaks', severity: 'warning', where: { leaks: 1 } }] });
  });
});
