/** Descriptions of machines by libvirt that lie beside the disks: configuration of the restore point. */
import { open, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isInside } from './host-paths.js';

const HEAD_BYTES = 8192;
const MAX_FILES = 20;

/** Those of the names that are one, as paths. Links that leave the folder are not followed. */
export async function domainFiles(folder: string, names: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of names.filter((name) => /\.xml$/i.test(name) && !name.startsWith('.')).sort()) {
    const path = join(folder, name);
    if (found.length < MAX_FILES && (await beginsLikeDomain(folder, path))) found.push(path);
  }
  return found;
}

async function beginsLikeDomain(folder: string, path: string): Promise<boolean> {
  try {
    if (!isInside(await realpath(folder), await realpath(path)) || !(await stat(path)).isFile()) return false;
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return /<(domain|domainsnapshot|domstatus)[\s>]/.test(buffer.toString('utf8', 0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    return false; // what cannot be read describes nothing
  }
}
