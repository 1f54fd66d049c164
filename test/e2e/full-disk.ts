import { closeSync, openSync, writeSync } from 'node:fs';

/** Writes until nothing more fits. */
export function fill(path: string): void {
  const file = openSync(path, 'w');
  for (const size of [4096, 512, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(file);
}
