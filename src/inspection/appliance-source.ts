/** A device of the appliance as a byte source: for what has no plain place on the disks. Slow; read little. */
import { assertInside } from '../bytes/range.js';
import { MappedSource } from '../bytes/source.js';
import type { ApplianceSession } from '../labs/appliance/appliance.js';
import { shellQuote } from '../labs/lab.js';
import type { ByteSource } from '../types.js';

/** Each question costs a tenth of a second, so neighbours are fetched along. */
const BLOCK_BYTES = 1024 * 1024;
const TIMEOUT_MS = 60_000;

export class ApplianceSource implements ByteSource {
  private readonly blocks = new Map<number, Promise<Buffer>>();

  constructor(
    private readonly appliance: ApplianceSession,
    private readonly device: string,
    readonly sizeBytes: number,
  ) {}

  async read(offset: number, length: number): Promise<Buffer> {
    assertInside(offset, length, this.sizeBytes);
    const parts: Buffer[] = [];
    for (let index = Math.floor(offset / BLOCK_BYTES); index * BLOCK_BYTES < offset + length; index++) parts.push(await this.block(index));
    const skip = offset % BLOCK_BYTES;
    return Buffer.concat(parts).subarray(skip, skip + length);
  }

  async close(): Promise<void> {
    this.blocks.clear();
  }

  private block(index: number): Promise<Buffer> {
    let block = this.blocks.get(index);
    if (!block) {
      block = this.fetch(index);
      this.blocks.set(index, block);
    }
    return block;
  }

  private async fetch(index: number): Promise<Buffer> {
    const script = `dd if=${shellQuote(this.device)} bs=${BLOCK_BYTES} skip=${index} count=1 status=none`;
    const source = new MappedSource(await this.appliance.stream(script, { timeoutMs: TIMEOUT_MS }));
    return source.read(0, source.sizeBytes).finally(() => source.close());
  }
}
