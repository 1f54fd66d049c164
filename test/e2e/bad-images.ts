/** Images and folders that are wrong in one way each. */
import { execFileSync } from 'node:child_process';
import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeImage } from '../images/make.js';
import { type Qcow2Parts, qcow2Bytes } from '../images/qcow2-bytes.js';

/** A restore point's manifest naming disks; `more` is added as it is. */
export function manifest(folder: string, disks: { path: string; format?: string }[], more: object = {}): void {
  const document = { schema: 'snapproof.restore-point/v1', machine: 'bad-input', disks, ...more };
  writeFileSync(join(folder, 'restore-point.json'), JSON.stringify(document, null, 2));
}

export function qcow2(folder: string, name: string, parts: Qcow2Parts): void {
  writeFileSync(join(folder, name), qcow2Bytes(parts));
}

/** A sound image that lost its second half. */
export async function cutInHalf(folder: string, format: string): Promise<void> {
  const path = await makeImage(folder, `disk.${format}`, format);
  const { size } = statSync(path);
  truncateSync(path, Math.floor(size / 2 / 512) * 512);
}

/** An image whose header needs an external data file, made by qemu itself. */
export function withDataFile(folder: string, dataFile: string): void {
  const path = join(folder, 'disk.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', `data_file=${dataFile}`, path, '1M']);
}

/** A VMDK descriptor alone: its only extent is another file, taken as it is. */
export function flatVmdk(folder: string, extent: string): void {
  const lines = ['# Disk DescriptorFile', 'version=1', 'CID=fffffffe', 'parentCID=ffffffff', 'createType="monolithicFlat"', ''];
  writeFileSync(join(folder, 'disk.vmdk'), `${[...lines, `RW 8 FLAT "${extent}" 0`, '', 'ddb.adapterType = "ide"'].join('\n')}\n`);
}

/** A small ext4 file system on a raw disk: the smallest restore point that passes. */
export function soundDisk(folder: string, name = 'disk.raw'): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, 64 * 2 ** 20);
  execFileSync('mkfs.ext4', ['-q', path]);
  return path;
}
