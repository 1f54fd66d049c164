/** The table of internal snapshots of a qcow2 file. Source: "Snapshots" in docs/interop/qcow2.txt of QEMU. */
import type { ByteSource, InternalSnapshot } from '../../types.js';
import { type HighWater, readAvailable, refuse, u64be } from '../header.js';

const FIXED_BYTES = 40;
const MAX_COUNT = 65_536;
const MAX_EXTRA_BYTES = 1024;
const MAX_LISTED = 1000;
const MAX_TEXT_BYTES = 256;

export interface SnapshotTable {
  /** The first thousand. */
  listed: InternalSnapshot[];
  /** The L1 table of every snapshot: their data must be in the file too. `diskBytes`: the disk's size then; null: as it is now. */
  l1Tables: { offset: number; entries: number; diskBytes: number | null }[];
}

/** Reads the table as far as the file holds it. @throws FormatError for entries that cannot be. */
export async function readSnapshots(source: ByteSource, table: { offset: number; count: number }, reached: HighWater): Promise<SnapshotTable> {
  if (table.count > MAX_COUNT) throw refuse('qcow2.snapshot-count', `the qcow2 header states ${table.count} internal snapshots, more than qemu opens`);
  const result: SnapshotTable = { listed: [], l1Tables: [] };
  let at = table.offset;
  for (let i = 0; i < table.count; i++) {
    const fixed = await readAvailable(source, at, FIXED_BYTES);
    if (fixed.length < FIXED_BYTES) {
      reached.note(at + FIXED_BYTES);
      return result;
    }
    const lengths = { id: fixed.readUInt16BE(12), name: fixed.readUInt16BE(14), extra: fixed.readUInt32BE(36) };
    if (lengths.extra > MAX_EXTRA_BYTES)
      throw refuse('qcow2.snapshot-entry', `internal snapshot ${i} of the qcow2 file states ${lengths.extra} bytes of extra data`);
    const variable = await readAvailable(source, at + FIXED_BYTES, lengths.extra + lengths.id + lengths.name);
    const diskBytes = lengths.extra >= 16 && variable.length >= 16 ? u64be(variable, 8, 'snapshot disk size') : null;
    result.l1Tables.push({ offset: u64be(fixed, 0, 'snapshot L1 offset'), entries: fixed.readUInt32BE(8), diskBytes });
    if (result.listed.length < MAX_LISTED) result.listed.push(describe(fixed, variable, lengths));
    at += Math.ceil((FIXED_BYTES + lengths.extra + lengths.id + lengths.name) / 8) * 8;
    reached.note(at - 7);
  }
  return result;
}

function describe(fixed: Buffer, variable: Buffer, lengths: { id: number; name: number; extra: number }): InternalSnapshot {
  const text = (start: number, length: number) => variable.toString('utf8', start, start + Math.min(length, MAX_TEXT_BYTES));
  const wide = lengths.extra >= 8 && variable.length >= 8 ? u64be(variable, 0, 'snapshot memory size') : 0;
  return {
    id: text(lengths.extra, lengths.id),
    name: text(lengths.extra + lengths.id, lengths.name),
    takenAt: new Date(fixed.readUInt32BE(16) * 1000 + Math.min(999, Math.floor(fixed.readUInt32BE(20) / 1e6))).toISOString(),
    vmStateBytes: wide || fixed.readUInt32BE(32),
  };
}
