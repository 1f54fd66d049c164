/**
 * Where a qcow2 file keeps the memory that `savevm` saved: in the clusters of the snapshot's own L1 table behind the end of the
 * disk, from the first that begins a new L2 table.
 * Source: "Snapshots" and "Cluster mapping" in docs/interop/qcow2.txt of QEMU; the place behind the disk was measured on QEMU 7.2.
 */
import type { ByteMap, ByteSource, Extent, InternalSnapshot } from '../../types.js';
import { HighWater, quote, readExactly, refuse } from '../header.js';
import { type Qcow2Fields, readFields } from './fields.js';
import { readSnapshots, type SnapshotTable } from './snapshots.js';
import { hostOffset } from './tables.js';

/** A list of extents stays below half a gigabyte of memory. */
const MAX_EXTENTS = 4_000_000;
const MAX_L1_BYTES = 32 * 2 ** 20;
const COMPRESSED = 0x40;
const SUBCLUSTERS = 32;

export interface VmState {
  snapshot: InternalSnapshot;
  /** The saved stream, as bytes of the file. */
  map: ByteMap;
  /** The file ends before all of it. */
  cut: boolean;
}

/**
 * @param wanted name or id of the snapshot; null: the only one with memory
 * @throws FormatError
 */
export async function locateVmState(source: ByteSource, path: string, wanted: string | null): Promise<VmState | 'encrypted'> {
  const fields = await readFields(source);
  if (fields.encryption !== 0) return 'encrypted';
  const table = await readSnapshots(source, fields.snapshots, new HighWater());
  if (table.l1Tables.length < fields.snapshots.count) throw refuse('snapshot.cut', 'the qcow2 file ends before or inside of the table of its snapshots');
  const index = pick(table.listed, wanted);
  const snapshot = table.listed[index] as InternalSnapshot;
  const l1 = table.l1Tables[index] as SnapshotTable['l1Tables'][number];
  const extents = new VmStateExtents(source, fields, snapshot.vmStateBytes);
  await extents.walk(l1, l1.diskBytes ?? fields.virtualSizeBytes);
  return { snapshot, map: { sizeBytes: extents.sizeBytes, sources: [{ kind: 'file', path }], extents: extents.list }, cut: extents.cut };
}

function pick(snapshots: InternalSnapshot[], wanted: string | null): number {
  const withMemory = snapshots.filter(({ vmStateBytes }) => vmStateBytes > 0);
  const found = wanted === null ? onlyOne(withMemory) : (snapshots.find(({ name }) => name === wanted) ?? snapshots.find(({ id }) => id === wanted));
  const names = withMemory.slice(0, 10).map(({ name }) => quote(name));
  const there = names.length > 0 ? `it has memory in ${names.join(', ')}` : 'none of its snapshots has memory';
  if (!found) throw refuse('qcow2.no-snapshot', `the qcow2 file has no snapshot ${wanted === null ? 'that stands out' : quote(wanted)}: ${there}`, NAME_IT);
  if (found.vmStateBytes === 0) throw refuse('qcow2.no-vm-state', `the snapshot ${quote(found.name)} of the qcow2 file holds no memory: ${there}`, NAME_IT);
  return snapshots.indexOf(found);
}

const NAME_IT = 'Name the snapshot in the restore-point.json (memory.snapshot).';

function onlyOne(snapshots: InternalSnapshot[]): InternalSnapshot | undefined {
  return snapshots.length === 1 ? snapshots[0] : undefined;
}

class VmStateExtents {
  readonly list: Extent[] = [];
  cut = false;
  sizeBytes: number;
  private readonly seen = new Set<number>();
  private readonly clusterBytes: number;
  private readonly entryBytes: number;

  constructor(
    private readonly source: ByteSource,
    fields: Qcow2Fields,
    wantedBytes: number,
  ) {
    this.sizeBytes = wantedBytes;
    this.clusterBytes = 2 ** fields.clusterBits;
    this.entryBytes = fields.incompatible.extendedL2 ? 16 : 8;
  }

  async walk(l1: { offset: number; entries: number }, diskBytes: number): Promise<void> {
    const perTable = this.clusterBytes * (this.clusterBytes / this.entryBytes);
    const first = Math.ceil(diskBytes / perTable);
    const count = Math.ceil(this.sizeBytes / perTable);
    if (first + count > l1.entries) throw refuse('qcow2.vm-state', "the snapshot's L1 table is too short for the memory that the snapshot states");
    if (count * 8 > MAX_L1_BYTES) throw refuse('qcow2.vm-state', 'the snapshot states more memory than any machine has');
    const table = await readExactly(this.source, l1.offset + first * 8, count * 8, "snapshot's L1 table");
    for (let i = 0; i < count && !this.cut; i++) await this.walkL2(hostOffset(table, i * 8), i * perTable, perTable);
  }

  private async walkL2(at: number, from: number, lengthBytes: number): Promise<void> {
    if (at === 0) {
      this.add(from, Math.min(lengthBytes, this.sizeBytes - from), null);
      return;
    }
    if (this.seen.has(at)) throw refuse('qcow2.vm-state', `two parts of the saved memory have the same L2 table at byte ${at}`);
    this.seen.add(at);
    if (at + this.clusterBytes > this.source.sizeBytes) {
      this.cutAt(from);
      return;
    }
    const table = await this.source.read(at, this.clusterBytes);
    for (let entry = 0, offset = from; entry < this.clusterBytes && offset < this.sizeBytes; entry += this.entryBytes, offset += this.clusterBytes) {
      this.cluster(table, entry, offset);
    }
  }

  private cluster(table: Buffer, entry: number, offset: number): void {
    if (table.readUInt8(entry) & COMPRESSED) throw refuse('qcow2.vm-state', 'the saved memory lies in compressed clusters, which QEMU never writes there');
    const host = hostOffset(table, entry);
    const isZero = host === 0 || (this.entryBytes === 8 && (table.readUInt8(entry + 7) & 1) === 1);
    if (isZero) this.add(offset, this.clusterBytes, null);
    else if (this.entryBytes === 8) this.add(offset, this.clusterBytes, host);
    else this.subclusters(table.readUInt32BE(entry + 12), offset, host);
  }

  /** Bit x of `allocated` stands for subcluster x. */
  private subclusters(allocated: number, offset: number, host: number): void {
    const bytes = this.clusterBytes / SUBCLUSTERS;
    for (let i = 0; i < SUBCLUSTERS; i++) this.add(offset + i * bytes, bytes, (allocated >>> i) & 1 ? host + i * bytes : null);
  }

  private add(offset: number, length: number, host: number | null): void {
    const lengthBytes = Math.min(length, this.sizeBytes - offset);
    if (lengthBytes <= 0) return;
    if (host !== null && host + lengthBytes > this.source.sizeBytes) {
      this.cutAt(offset);
      return;
    }
    const last = this.list.at(-1);
    const source = host === null ? null : 0;
    if (last && last.source === source && (host === null || last.sourceOffset + last.lengthBytes === host)) last.lengthBytes += lengthBytes;
    else this.list.push({ offset, lengthBytes, source, sourceOffset: host ?? 0 });
    if (this.list.length > MAX_EXTENTS) throw refuse('qcow2.vm-state', 'the saved memory is scattered over more places than can be kept in mind');
  }

  private cutAt(offset: number): void {
    this.cut = true;
    this.sizeBytes = Math.min(this.sizeBytes, offset);
  }
}
