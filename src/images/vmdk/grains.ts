/** Walks the grain directory and tables of a sparse VMDK for the highest byte they point to. */
import type { ByteSource } from '../../types.js';
import { HighWater, readAvailable, readInChunks, refuse } from '../header.js';
import type { SparseFields } from './index.js';

const SECTOR = 512;
const CHUNK_BYTES = 2 ** 20;
const WINDOW_BYTES = 2 ** 17;
const GRAIN_MARKER_BYTES = 12;
const FOOTER_BYTES = 2 * SECTOR;
/** Grain tables are 2 KiB at most: 2 million of them map 64 TiB of 64 KiB grains. */
const MAX_TABLES = 2 ** 21;

export interface GrainWalk {
  promisedBytes: number;
  /** Grain tables that lie outside the file: it was cut off. */
  tablesBeyondEnd: number;
  /** False when the walk stopped at its limit: the promise is then only a lower bound. */
  complete: boolean;
}

/** @throws FormatError when the directory's size is absurd. */
export async function walkGrains(source: ByteSource, fields: SparseFields, streamed: boolean): Promise<GrainWalk> {
  const tables = Math.ceil(fields.capacitySectors / fields.grainSectors / fields.entriesPerTable);
  if (tables > 2 ** 27) throw refuse('absurd-size', 'the capacity of the VMDK asks for an absurd grain directory');
  const directory = Number(fields.directoryOffset) * SECTOR;
  const reached = new HighWater();
  const walk: GrainWalk = { promisedBytes: 0, tablesBeyondEnd: 0, complete: true };
  const grains = new GrainTables(source, fields, reached, walk);
  reached.note(directory + tables * 4);
  for await (const chunk of readInChunks(source, directory, tables * 4, CHUNK_BYTES)) {
    for (let at = 0; at + 4 <= chunk.length && walk.complete; at += 4) await grains.walk(chunk.readUInt32LE(at));
  }
  await grains.noteHighestCompressed();
  walk.promisedBytes = reached.bytes + (streamed ? FOOTER_BYTES : 0);
  return walk;
}

class GrainTables {
  private readonly seen = new Set<number>();
  private highestSector = 0;
  private window: { offset: number; bytes: Buffer } = { offset: 0, bytes: Buffer.alloc(0) };

  constructor(
    private readonly source: ByteSource,
    private readonly fields: SparseFields,
    private readonly reached: HighWater,
    private readonly result: GrainWalk,
  ) {}

  async walk(tableSector: number): Promise<void> {
    const { entriesPerTable, zeroGrain, compressed, grainSectors } = this.fields;
    if (tableSector === 0 || (zeroGrain && tableSector === 1) || this.seen.has(tableSector)) return;
    if (this.seen.size >= MAX_TABLES) {
      this.result.complete = false;
      return;
    }
    this.seen.add(tableSector);
    const table = await this.readTable(tableSector * SECTOR, entriesPerTable * 4);
    if (table.length < entriesPerTable * 4) this.result.tablesBeyondEnd++;
    this.reached.note(tableSector * SECTOR + entriesPerTable * 4);
    for (let at = 0; at + 4 <= table.length; at += 4) {
      const sector = table.readUInt32LE(at);
      if (sector === 0 || (zeroGrain && sector === 1)) continue;
      this.highestSector = Math.max(this.highestSector, sector);
      if (!compressed) this.reached.note((sector + grainSectors) * SECTOR);
    }
  }

  /** Tables lie side by side in most files: many of them are read at once. */
  private async readTable(offset: number, length: number): Promise<Buffer> {
    if (offset < this.window.offset || offset + length > this.window.offset + this.window.bytes.length) {
      this.window = { offset, bytes: await readAvailable(this.source, offset, WINDOW_BYTES) };
    }
    return this.window.bytes.subarray(offset - this.window.offset, offset - this.window.offset + length);
  }

  /** A compressed grain says its own length in its marker; only the last one in the file matters. */
  async noteHighestCompressed(): Promise<void> {
    if (!this.fields.compressed || this.highestSector === 0) return;
    const at = this.highestSector * SECTOR;
    const marker = await readAvailable(this.source, at, GRAIN_MARKER_BYTES);
    this.reached.note(at + GRAIN_MARKER_BYTES + (marker.length === GRAIN_MARKER_BYTES ? marker.readUInt32LE(8) : 1));
  }
}
