/** RAM made by a test, with page tables of x86-64. */
import type { GuestRam } from '../../../src/ways.js';

const PAGE_BYTES = 4096;
const PRESENT = 1n;
const LARGE = 0x80n;
export const LARGE_PAGE_BYTES = 2 * 1024 * 1024;

export class TestRam implements GuestRam {
  readonly ranges: { address: number; lengthBytes: number }[];
  readonly bytes: Buffer;
  readonly root: number;
  private nextTable: number;

  /** Page tables are put at the end. */
  constructor(sizeBytes: number) {
    this.bytes = Buffer.alloc(sizeBytes);
    this.ranges = [{ address: 0, lengthBytes: sizeBytes }];
    this.nextTable = sizeBytes;
    this.root = this.newTable();
  }

  async read(address: number, lengthBytes: number): Promise<Buffer> {
    if (address < 0 || address + lengthBytes > this.bytes.length) throw new RangeError(`${address} is not in RAM`);
    return Buffer.from(this.bytes.subarray(address, address + lengthBytes));
  }

  async *pages(signal: AbortSignal): AsyncIterable<{ address: number; bytes: Buffer }> {
    for (let address = 0; address < this.bytes.length; address += PAGE_BYTES) {
      signal.throwIfAborted();
      const bytes = this.bytes.subarray(address, address + PAGE_BYTES);
      if (!bytes.every((byte) => byte === bytes[0])) yield { address, bytes: Buffer.from(bytes) };
    }
  }

  /** Maps one page, or one of 2 MiB, in the tables below `root`. */
  map(virtual: bigint, physical: number, large = false, root = this.root): void {
    let table = root;
    const last = large ? 1 : 0;
    for (let level = 3; level > last; level--) {
      const at = this.entryAt(table, virtual, level);
      if (this.bytes.readBigUInt64LE(at) === 0n) this.bytes.writeBigUInt64LE(BigInt(this.newTable()) | PRESENT, at);
      table = Number(this.bytes.readBigUInt64LE(at) & ~0xfffn);
    }
    this.bytes.writeBigUInt64LE(BigInt(physical) | PRESENT | (large ? LARGE : 0n), this.entryAt(table, virtual, last));
  }

  newTable(): number {
    this.nextTable -= PAGE_BYTES;
    return this.nextTable;
  }

  private entryAt(table: number, virtual: bigint, level: number): number {
    return table + Number((BigInt.asUintN(64, virtual) >> BigInt(12 + 9 * level)) & 511n) * 8;
  }
}
