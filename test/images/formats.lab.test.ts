import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openImage } from '../../src/images/index.js';
import type { ImageFormat } from '../../src/types.js';
import { convert, makeImage, qemuImg, testFolder } from './make.js';

interface Sample {
  name: string;
  format: ImageFormat;
  create?: string[];
  convert?: string[];
  sizeBytes?: number;
}

const odd = 50 * 2 ** 20 + 512 * 7;
const samples: Sample[] = [
  { name: 'raw', format: 'raw' },
  { name: 'qcow2', format: 'qcow2' },
  { name: 'qcow2 v2', format: 'qcow2', create: ['-o', 'compat=0.10'] },
  { name: 'qcow2 of odd size', format: 'qcow2', sizeBytes: odd },
  { name: 'qcow2, small clusters', format: 'qcow2', create: ['-o', 'cluster_size=512'], sizeBytes: odd },
  { name: 'qcow2, large clusters', format: 'qcow2', create: ['-o', 'cluster_size=2M'] },
  { name: 'qcow2, extended L2', format: 'qcow2', create: ['-o', 'extended_l2=on'] },
  { name: 'qcow2, lazy refcounts', format: 'qcow2', create: ['-o', 'lazy_refcounts=on'] },
  { name: 'qcow2, preallocated', format: 'qcow2', create: ['-o', 'preallocation=metadata'] },
  { name: 'qcow2, zlib', format: 'qcow2', convert: ['-c'] },
  { name: 'qcow2, zstd', format: 'qcow2', convert: ['-c', '-o', 'compression_type=zstd'] },
  { name: 'vmdk, monolithic sparse', format: 'vmdk' },
  { name: 'vmdk of odd size', format: 'vmdk', sizeBytes: odd },
  { name: 'vmdk, stream-optimised', format: 'vmdk', convert: ['-o', 'subformat=streamOptimized'] },
  { name: 'vpc, dynamic', format: 'vpc' },
  { name: 'vpc, fixed', format: 'vpc', create: ['-o', 'subformat=fixed'] },
  { name: 'vpc of exact size', format: 'vpc', create: ['-o', 'force_size=on'], sizeBytes: odd },
  { name: 'vhdx, dynamic', format: 'vhdx' },
  { name: 'vhdx, fixed', format: 'vhdx', create: ['-o', 'subformat=fixed'] },
  { name: 'vhdx, small blocks', format: 'vhdx', create: ['-o', 'block_size=1M'] },
  { name: 'vdi, dynamic', format: 'vdi' },
  { name: 'vdi, static', format: 'vdi', create: ['-o', 'static=on'] },
  { name: 'vdi of odd size', format: 'vdi', sizeBytes: odd },
];

async function make(sample: Sample, folder: string): Promise<string> {
  const size = sample.sizeBytes === undefined ? {} : { sizeBytes: sample.sizeBytes };
  if (!sample.convert) return makeImage(folder, `disk.${sample.format}`, sample.format, { ...size, more: sample.create ?? [] });
  const raw = await makeImage(folder, 'source.raw', 'raw', size);
  return convert(raw, 'raw', join(folder, `disk.${sample.format}`), sample.format, ...sample.convert);
}

describe.each(samples)('$name', (sample) => {
  it('is read as qemu reads it, promises no more than it holds, and is found cut off', async () => {
    const folder = await testFolder();
    const path = await make(sample, folder);
    const image = await openImage({ path, format: sample.format, bus: null }, { folder, allowedFolders: [] });
    expect(image.refused).toBeNull();
    const info = JSON.parse(await qemuImg('info', '--output=json', '-f', sample.format, path)) as { 'virtual-size': number };
    expect(image.virtualSizeBytes).toBe(info['virtual-size']);
    const [layer] = image.layers;
    const { size } = await stat(path);
    expect(layer).toMatchObject({ format: sample.format, sizeBytes: size, path });
    expect(layer?.promisedBytes).toBeLessThanOrEqual(size);

    if (sample.format === 'raw') return;
    const derived = await openImage({ path, format: null, bus: null }, { folder, allowedFolders: [] });
    expect(derived.format).toBe(sample.format);
    const cut = join(folder, 'cut');
    await copyFile(path, cut);
    await truncate(cut, (layer?.promisedBytes ?? size) - 1);
    const damaged = await openImage({ path: cut, format: sample.format, bus: null }, { folder, allowedFolders: [] });
    const found = damaged.refused !== null || damaged.layers.some((each) => each.promisedBytes > each.sizeBytes);
    expect(found, 'the cut is found').toBe(true);
  });
});
