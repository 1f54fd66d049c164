/** What QEMU hands over in files: it writes them into the machine's own folder, and they are gone when they are read. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { QmpClient } from '../qmp.js';
import { type Pixels, parsePpm } from './pixels.js';

/** A guest's screen of the largest size takes QEMU a moment to write. */
const TIMEOUT_MS = 30_000;

export class FilesOfQemu {
  private next = 0;

  constructor(
    private readonly qmp: QmpClient,
    private readonly folder: string,
  ) {}

  /** Null when the machine has no screen, or shows nothing on it. */
  async screen(): Promise<Pixels | null> {
    const file = await this.written('screendump', {}).catch(noSurface);
    return file === null ? null : parsePpm(file);
  }

  /** Physical memory as the processors see it, ROMs and video memory too. */
  physicalMemory(address: number, lengthBytes: number): Promise<Buffer> {
    return this.written('pmemsave', { val: address, size: lengthBytes });
  }

  private async written(command: string, args: Record<string, unknown>): Promise<Buffer> {
    const filename = join(this.folder, `out-${this.next++}`);
    try {
      await this.qmp.execute(command, { ...args, filename }, { timeoutMs: TIMEOUT_MS });
      return await readFile(filename);
    } finally {
      await rm(filename, { force: true });
    }
  }
}

/** QEMU's words for a machine without a display adapter, or with one that was never switched on. */
function noSurface(error: Error): null {
  if (/no console|no surface|There is no/i.test(error.message)) return null;
  throw error;
}
