/**
 * A scratch disk shared with the appliance: bulk data crosses it at disk speed, where the appliance's own channel does 8 MB/s.
 * Both sides take turns: one writes a region and flushes, then the other reads it.
 */
import { truncate, writeFile } from 'node:fs/promises';
import { LabError } from '../../errors.js';
import type { ByteMap } from '../../types.js';

const ALIGNMENT_BYTES = 4096;
export class ScratchDisk {
  private usedBytes = 0;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly path: string,
    readonly device: string,
    private readonly sizeBytes: number,
  ) {}

  /** Makes a sparse file; it takes only the room that is written. */
  static async create(path: string, device: string, sizeBytes: number): Promise<ScratchDisk> {
    const rounded = Math.ceil(sizeBytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    await writeFile(path, '', { mode: 0o600 });
    await truncate(path, rounded);
    return new ScratchDisk(path, device, rounded);
  }

  get freeBytes(): number {
    return this.sizeBytes - this.usedBytes;
  }

  /** Forgets what was written: its regions may be used again. */
  reset(): void {
    this.usedBytes = 0;
  }

  /**
   * Stores what a shell text run by `run` prints at the next free region. One at a time: how long a region will be is
   * known only when it has been written.
   */
  receive(run: (sink: string) => Promise<string>): Promise<ByteMap> {
    return this.exclusive(async () => {
      const offset = this.usedBytes;
      return this.region(offset, await run(`LC_ALL=C dd of=${this.device} iflag=fullblock bs=1M seek=${offset} oflag=seek_bytes conv=notrunc,fsync 2>&1`));
    });
  }

  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work);
    this.turn = result.catch(() => {});
    return result;
  }

  private region(offset: number, printed: string): ByteMap {
    const length = Number(/^(\d+) bytes/m.exec(printed)?.[1] ?? Number.NaN);
    if (!Number.isSafeInteger(length) || /error|No space/i.test(printed)) {
      throw new LabError({ code: 'appliance.scratch', message: `data could not be taken out of the appliance: ${printed.trim()}` });
    }
    this.reserve(length);
    return {
      sizeBytes: length,
      sources: [{ kind: 'file', path: this.path }],
      extents: length ? [{ offset: 0, lengthBytes: length, source: 0, sourceOffset: offset }] : [],
    };
  }

  private reserve(lengthBytes: number): number {
    if (lengthBytes > this.freeBytes) throw new LabError({ code: 'appliance.scratch-full', message: 'the scratch disk of the appliance is full' });
    const offset = this.usedBytes;
    this.usedBytes += Math.ceil(lengthBytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    return offset;
  }
}
