/** Real images for tests, made by qemu's own tools. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/** A folder that is removed after the test. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'snapproof-images-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function qemuImg(...args: string[]): Promise<string> {
  const { stdout } = await run('qemu-img', args).catch((error) => {
    throw error.code === 'ENOENT' ? new Error('this test needs qemu-img (apt-get install qemu-utils)') : error;
  });
  return stdout;
}

/** Writes `pattern` over a range of an image: `writeRange(path, 'qcow2', '1M', '64k')`. */
export async function writeRange(path: string, format: string, offset: string, length: string, pattern = '0x5a'): Promise<void> {
  await run('qemu-io', ['-f', format, '-c', `write -P ${pattern} ${offset} ${length}`, path]);
}

/** An image of a format holding data at its start, middle and very end. */
export async function makeImage(folder: string, name: string, format: string, options: { sizeBytes?: number; more?: string[] } = {}): Promise<string> {
  const path = join(folder, name);
  const { sizeBytes = 64 * 2 ** 20, more = [] } = options;
  await qemuImg('create', '-q', '-f', format, ...more, path, String(sizeBytes));
  const info = JSON.parse(await qemuImg('info', '--output=json', '-f', format, path)) as { 'virtual-size': number };
  const end = info['virtual-size'];
  for (const offset of [0, Math.floor(end / 2 / 65_536) * 65_536, end - 512]) await writeRange(path, format, String(offset), '512');
  return path;
}

/** A stream-optimised VMDK holding the content of another image. */
export async function convert(from: string, fromFormat: string, to: string, toFormat: string, ...options: string[]): Promise<string> {
  await qemuImg('convert', '-q', '-f', fromFormat, '-O', toFormat, ...options, from, to);
  return to;
}
