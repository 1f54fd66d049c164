/**
 * Walks L1, L2 and refcount tables of a qcow2 file for the highest byte they point to.
 * Memory stays bounded by one table; reading by the length of the file: a table is read once, however many point to it.
 * Source: "Cluster mapping" and "Host cluster management" in docs/interop/qcow2.txt of QEMU.
 */
import type { ByteSource } from '../../types.js';
import { type HighWater, readAvailable, readInChunks } from '../header.js';
import type { Qcow2Fields } from './fields.js';

const CHUNK_BYTES = 2 ** 20;
/** Two million tables of 64 KiB clusters map 1 PiB: more than that is not walked, and said so. */
const MAX_TABLES = 2 ** 21;
const MAX_TABLE_BYTES = 16 * 2 ** 30;
/** All L1 tables together: a file may state 65,536 internal snapshots with one each. */
const MAX_L1_TOTAL_BYTES = 2 ** 30;

export interface TableWalk {
  /** L2 tables that lie outside the file: it was cut off. */
  tablesBeyondEnd: number;
  /** False when the walk stopped at its limit: the promise is then only a lower bound. */
  complete: boolean;
}

export class TableWalker {
  private readonly seen = new Set<number>();
  readonly walk: TableWalk = { tablesBeyondEnd: 0, complete: true };
  private l1Bytes = 0;
  private readonly clusterBytes: number;
  private readonly entryBytes: number;

  constructor(
    private readonly source: ByteSource,
    private readonly fields: Qcow2Fields,
    private readonly reached: HighWater,
  ) {
    this.clusterBytes = 2 ** fields.clusterBits;
    this.entryBytes = fields.incompatible.extendedL2 ? 16 : 8;
  }

  /** One L1 table (the active one, or a snapshot's) and everything below it. */
  async walkL1(table: { offset: number; entries: number }): Promise<void> {
    if (table.entries === 0) return;
    this.reached.note(table.offset + table.entries * 8);
    this.l1Bytes += table.entries * 8;
    if (this.l1Bytes > MAX_L1_TOTAL_BYTES) {
      this.walk.complete = false;
      return;
    }
    let index = 0;
    for await (const chunk of readInChunks(this.source, table.offset, table.entries * 8, CHUNK_BYTES)) {
      for (let at = 0; at + 8 <= chunk.length; at += 8, index++) {
        const l2 = hostOffset(chunk, at);
        if (l2 > 0 && !(await this.walkL2(l2, index))) return;
      }
    }
  }

  /** False when the walk must stop. */
  private async walkL2(offset: number, l1Index: number): Promise<boolean> {
    this.reached.note(offset + this.clusterBytes);
    if (this.seen.has(offset)) return true;
    if (this.seen.size >= MAX_TABLES || this.seen.size * this.clusterBytes >= MAX_TABLE_BYTES) {
      this.walk.complete = false;
      return false;
    }
    this.seen.add(offset);
    const table = await readAvailable(this.source, offset, this.clusterBytes);
    if (table.length < this.clusterBytes) this.walk.tablesBeyondEnd++;
    const perTable = this.clusterBytes / this.entryBytes;
    for (let i = 0; (i + 1) * this.entryBytes <= table.length; i++) this.noteEntry(table, i * this.entryBytes, l1Index * perTable + i);
    return true;
  }

  private noteEntry(table: Buffer, at: number, guestCluster: number): void {
    if (table.readUInt8(at) & 0x40) {
      this.noteCompressed(table, at);
      return;
    }
    const offset = hostOffset(table, at);
    if (offset === 0) return;
    // The disk may end inside its last cluster; behind it lies saved RAM, in whole clusters.
    const rest = this.fields.virtualSizeBytes - guestCluster * this.clusterBytes;
    const usedBytes = this.fields.incompatible.extendedL2 ? this.allocatedBytes(table.readUInt32BE(at + 12)) : this.clusterBytes;
    if (usedBytes > 0) this.reached.note(offset + (rest > 0 ? Math.min(usedBytes, rest) : usedBytes));
  }

  /** With extended L2 entries only the allocated ones of 32 subclusters are written: bit x stands for subcluster x. */
  private allocatedBytes(bitmap: number): number {
    return ((32 - Math.clz32(bitmap)) * this.clusterBytes) / 32;
  }

  /** Compressed data may end anywhere in their last sector: only that sector's first byte is promised. */
  private noteCompressed(table: Buffer, at: number): void {
    const highBits = 30 - (this.fields.clusterBits - 8);
    const high = table.readUInt32BE(at) & 0x3fffffff;
    const offset = (high & (2 ** highBits - 1)) * 2 ** 32 + table.readUInt32BE(at + 4);
    const moreSectors = high >>> highBits;
    this.reached.note(moreSectors > 0 ? offset - (offset % 512) + moreSectors * 512 + 1 : offset + 1);
  }

  async walkRefcounts(): Promise<void> {
    const { offset, lengthBytes } = this.fields.refcountTable;
    this.reached.note(offset + lengthBytes);
    for await (const chunk of readInChunks(this.source, offset, lengthBytes, CHUNK_BYTES)) {
      for (let at = 0; at + 8 <= chunk.length; at += 8) {
        const block = hostOffset(chunk, at);
        if (block > 0) this.reached.note(block + this.clusterBytes);
      }
    }
  }
}

/** Bits 9 to 55 of a table entry. */
export function hostOffset(table: Buffer, at: number): number {
  return (table.readUInt32BE(at) & 0x00ffffff) * 2 ** 32 + ((table.readUInt32BE(at + 4) & 0xfffffe00) >>> 0);
}
