/**
 * Records of the NTFS master file table, as far as the state of the volume needs them.
 * Format: "NTFS Documentation" of the Linux-NTFS project (public description of the on-disk structures).
 */
import type { ByteSource } from '../../types.js';
import { readWithin, toSafeNumber } from '../reading.js';

const MAX_RECORD_BYTES = 64 * 1024;
/** The update sequence protects the last two bytes of every 512. */
const STRIDE_BYTES = 512;

export interface NtfsGeometry {
  clusterBytes: number;
  recordBytes: number;
  tableOffset: number;
}

export interface NtfsAttribute {
  type: number;
  /** Resident value, or null. */
  value: Buffer | null;
  /** First run of a non-resident value, bytes of the volume; null when resident or sparse. */
  firstRun: { offset: number; lengthBytes: number } | null;
}

/** From the boot sector; null when its numbers are impossible. */
export function readGeometry(boot: Buffer): NtfsGeometry | null {
  const sectorBytes = boot.readUInt16LE(0x0b);
  const perCluster = boot.readInt8(0x0d);
  const clusterBytes = sectorBytes * (perCluster >= 0 ? perCluster : 2 ** -perCluster);
  const perRecord = boot.readInt8(0x40);
  const recordBytes = perRecord >= 0 ? perRecord * clusterBytes : 2 ** -perRecord;
  const sound = sectorBytes >= 256 && clusterBytes >= 512 && recordBytes >= 1024 && recordBytes <= MAX_RECORD_BYTES;
  return sound ? { clusterBytes, recordBytes, tableOffset: toSafeNumber(boot.readBigUInt64LE(0x30)) * clusterBytes } : null;
}

/** One record of the table with its fixups undone; the first sixteen always lie in one piece. Null when it is damaged or not there. */
export async function readFileRecord(source: ByteSource, geometry: NtfsGeometry, number: number): Promise<Buffer | null> {
  const record = await readWithin(source, geometry.tableOffset + number * geometry.recordBytes, geometry.recordBytes);
  return record && record.toString('latin1', 0, 4) === 'FILE' && undoFixups(record) ? record : null;
}

/** Puts back the bytes that the update sequence replaced; false when a stride does not carry the sequence number: a torn write. */
export function undoFixups(record: Buffer): boolean {
  const at = record.readUInt16LE(4);
  const count = record.readUInt16LE(6);
  if (count < 1 || at + count * 2 > record.length || (count - 1) * STRIDE_BYTES > record.length) return false;
  const sequence = record.readUInt16LE(at);
  for (let i = 1; i < count; i++) {
    const end = i * STRIDE_BYTES - 2;
    if (record.readUInt16LE(end) !== sequence) return false;
    record.writeUInt16LE(record.readUInt16LE(at + i * 2), end);
  }
  return true;
}

/** The unnamed attribute of a type; null when the record has none, or its lengths do not add up. */
export function findAttribute(record: Buffer, geometry: NtfsGeometry, type: number): NtfsAttribute | null {
  for (let at = record.readUInt16LE(0x14); at + 24 <= record.length; ) {
    const here = record.readUInt32LE(at);
    const length = record.readUInt32LE(at + 4);
    if (here === 0xffffffff || length < 24 || at + length > record.length) return null;
    if (here === type && record.readUInt8(at + 9) === 0) return attributeOf(record.subarray(at, at + length), geometry, type);
    at += length;
  }
  return null;
}

function attributeOf(attribute: Buffer, geometry: NtfsGeometry, type: number): NtfsAttribute | null {
  if (attribute.readUInt8(8) !== 0) return { type, value: null, firstRun: firstRun(attribute, geometry) };
  const length = attribute.readUInt32LE(0x10);
  const at = attribute.readUInt16LE(0x14);
  return at + length <= attribute.length ? { type, value: attribute.subarray(at, at + length), firstRun: null } : null;
}

/** Runs are a byte of two lengths, then the number of clusters and the signed distance from the run before. */
function firstRun(attribute: Buffer, geometry: NtfsGeometry): NtfsAttribute['firstRun'] {
  const at = attribute.length >= 0x22 ? attribute.readUInt16LE(0x20) : attribute.length;
  if (at + 1 > attribute.length) return null;
  const lengthBytes = attribute.readUInt8(at) & 0xf;
  const offsetBytes = attribute.readUInt8(at) >> 4;
  const fits = lengthBytes >= 1 && lengthBytes <= 6 && offsetBytes >= 1 && offsetBytes <= 6 && at + 1 + lengthBytes + offsetBytes <= attribute.length;
  if (!fits) return null;
  const clusters = attribute.readUIntLE(at + 1, lengthBytes);
  const first = attribute.readIntLE(at + 1 + lengthBytes, offsetBytes);
  return first > 0 ? { offset: first * geometry.clusterBytes, lengthBytes: clusters * geometry.clusterBytes } : null;
}
