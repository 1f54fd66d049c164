/** What QEMU hands over in files: it writes them into the machine's own folder, and they are gone when they are read. */
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from '../../../errors.js';
import type { QmpClient } from '../qmp.js';
import { type Pixels, parsePpm } from './pixels.js';

/** A guest's screen of the largest size takes QEMU a moment to write. */
const TIMEOUT_MS = 30_000;
/** Twice a screen of 8192 x 4320 pixels. */
const MAX_SCREEN_BYTES = 2 * 3 * 8192 * 4320;

export class FilesOfQemu {
  private next = 0;

  constructor(
    private readonly qmp: QmpClient,
    private readonly folder: string,
  ) {}

  /** Null when the machine has no screen, shows nothing on it, or has made it larger than any there is. */
  async screen(): Promise<Pixels | null> {
    const file = await this.written('screendump', {}, MAX_SCREEN_BYTES).catch(noSurface);
    return file === null ? null : parsePpm(file);
  }

  /** Physical memory as the processors see it, ROMs and video memory too. */
  async physicalMemory(address: number, lengthBytes: number): Promise<Buffer> {
    const bytes = await this.written('pmemsave', { val: address, size: lengthBytes }, lengthBytes);
    if (bytes?.length !== lengthBytes) throw new LabError({ code: 'machine.memory', message: `QEMU gave other than ${lengthBytes} bytes of memory.` });
    return bytes;
  }

  /** Null when it is larger than that. */
  private async written(command: string, args: Record<string, unknown>, mostBytes: number): Promise<Buffer | null> {
    const filename = join(this.folder, `out-${this.next++}`);
    try {
      await this.qmp.execute(command, { ...args, filename }, { timeoutMs: TIMEOUT_MS });
      return (await stat(filename)).size > mostBytes ? null : await readFile(filename);
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
