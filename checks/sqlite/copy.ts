/** Copies a guest file out of its map, in blocks, so that a tool may open and change the copy. */
import { open } from 'node:fs/promises';
import type { ByteSource } from '../../src/types.js';

const BLOCK_BYTES = 4 * 1024 * 1024;

export async function copyTo(source: ByteSource, path: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for (let offset = 0; offset < source.sizeBytes; offset += BLOCK_BYTES) {
      signal.throwIfAborted();
      const block = await source.read(offset, Math.min(BLOCK_BYTES, source.sizeBytes - offset));
      await writeWhole(file, block, offset);
      onBytes(block.length);
    }
  } finally {
    await file.close();
  }
}

async function writeWhole(file: Awaited<ReturnType<typeof open>>, block: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < block.length; ) {
    done += (await file.write(block, done, block.length - done, offset + done)).bytesWritten;
  }
}
