/** Which file of a folder is saved memory: by its first bytes, or, where these say nothing or only how it is packed, by its name. */
import { basename } from 'node:path';
import { ImageFile } from '../images/index.js';
import { isMemoryName, MEMORY_HEAD_BYTES, recogniseMemory } from '../memory/index.js';
import { explain } from './host-paths.js';

/** Editors leave small files with such names. */
const LEAST_BYTES = 64 * 1024;

export async function isMemory(path: string): Promise<boolean> {
  const image = await ImageFile.open(path).catch((error: NodeJS.ErrnoException) => {
    throw explain(path, error);
  });
  try {
    const seen = recogniseMemory(await image.read(0, Math.min(MEMORY_HEAD_BYTES, image.sizeBytes)));
    if (seen?.kind === 'qcow2') return false;
    // Dumps and archives of other programs are files like any other, unless somebody calls them memory.
    const certain = seen?.kind === 'qemu-stream' || seen?.kind === 'libvirt-save';
    return certain || (image.sizeBytes >= LEAST_BYTES && isMemoryName(basename(path)));
  } finally {
    await image.close();
  }
}
