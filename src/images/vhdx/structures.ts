/**
 * The headers, region table and metadata of a VHDX file. Little-endian.
 * Source: [MS-VHDX], Virtual Hard Disk v2 File Format, Microsoft Open Specifications.
 */

import { crc32c } from '../../bytes/crc32c.js';
import type { ByteSource } from '../../types.js';
import { readExactly, refuse, u64le } from '../header.js';

const KIB = 1024;
const HEADER_OFFSETS = [64 * KIB, 128 * KIB];
const REGION_OFFSETS = [192 * KIB, 256 * KIB];
const HEADER_BYTES = 4 * KIB;
const REGION_BYTES = 64 * KIB;
const MAX_REGIONS = 2047;
const MAX_ITEMS = 2047;
const MAX_ITEM_BYTES = 64;
const GUID = { bat: '2dc27766-f623-4200-9d64-115e9bfd4a08', metadata: '8b7ca206-4790-4b9a-b8fe-575f050f886e' };

export interface VhdxHeader {
  sequence: bigint;
  /** A non-zero log GUID: the log holds changes that were not yet written to their place. */
  logInUse: boolean;
  log: { offset: number; lengthBytes: number };
}

export interface Region {
  offset: number;
  lengthBytes: number;
}

/** The current one of two headers: intact, and with the higher sequence number. @throws FormatError */
export async function readCurrentHeader(source: ByteSource): Promise<VhdxHeader> {
  const headers: VhdxHeader[] = [];
  for (const offset of HEADER_OFFSETS) {
    const bytes = await readExactly(source, offset, HEADER_BYTES, 'VHDX header');
    if (bytes.toString('latin1', 0, 4) === 'head' && checksumHolds(bytes)) headers.push(decodeHeader(bytes));
  }
  const [first, second] = headers;
  if (!first) throw refuse('vhdx.header', 'neither of the two headers of the VHDX is intact');
  return second && second.sequence > first.sequence ? second : first;
}

function decodeHeader(bytes: Buffer): VhdxHeader {
  const version = bytes.readUInt16LE(66);
  if (version !== 1) throw refuse('vhdx.version', `VHDX version ${version} is not known; version 1 is`);
  return {
    sequence: bytes.readBigUInt64LE(8),
    logInUse: bytes.subarray(48, 64).some((byte) => byte !== 0),
    log: { offset: u64le(bytes, 72, 'log offset'), lengthBytes: bytes.readUInt32LE(68) },
  };
}

/** Where the block table and the metadata lie. @throws FormatError */
export async function readRegions(source: ByteSource): Promise<{ bat: Region; metadata: Region }> {
  for (const offset of REGION_OFFSETS) {
    const bytes = await readExactly(source, offset, REGION_BYTES, 'VHDX region table');
    if (bytes.toString('latin1', 0, 4) !== 'regi' || !checksumHolds(bytes)) continue;
    return decodeRegions(bytes);
  }
  throw refuse('vhdx.regions', 'neither of the two region tables of the VHDX is intact');
}

function decodeRegions(bytes: Buffer): { bat: Region; metadata: Region } {
  const regions = new Map<string, Region>();
  const count = Math.min(bytes.readUInt32LE(8), MAX_REGIONS);
  for (let at = 16; at < 16 + count * 32; at += 32) {
    const guid = readGuid(bytes, at);
    const required = (bytes.readUInt32LE(at + 28) & 1) !== 0;
    if (required && guid !== GUID.bat && guid !== GUID.metadata) throw refuse('vhdx.regions', `the VHDX needs a region that is not known (${guid})`);
    regions.set(guid, { offset: u64le(bytes, at + 16, 'region offset'), lengthBytes: bytes.readUInt32LE(at + 24) });
  }
  const bat = regions.get(GUID.bat);
  const metadata = regions.get(GUID.metadata);
  if (!bat || !metadata) throw refuse('vhdx.regions', 'the VHDX has no block table or no metadata region');
  return { bat, metadata };
}

/** Those of the wanted metadata items that are there: the first 64 bytes of each, by GUID. @throws FormatError */
export async function readMetadata(source: ByteSource, region: Region, wanted: readonly string[]): Promise<Map<string, Buffer>> {
  const table = await readExactly(source, region.offset, REGION_BYTES, 'VHDX metadata table');
  if (table.toString('latin1', 0, 8) !== 'metadata') throw refuse('vhdx.metadata', 'the metadata table of the VHDX is not there');
  const items = new Map<string, Buffer>();
  const count = Math.min(table.readUInt16LE(10), MAX_ITEMS);
  for (let at = 32; at < 32 + count * 32 && at + 32 <= table.length; at += 32) {
    const guid = readGuid(table, at);
    if (!wanted.includes(guid)) continue;
    const lengthBytes = Math.min(table.readUInt32LE(at + 20), MAX_ITEM_BYTES);
    items.set(guid, await readExactly(source, region.offset + table.readUInt32LE(at + 16), lengthBytes, 'VHDX metadata item'));
  }
  return items;
}

function readGuid(bytes: Buffer, at: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const head = `${hex(bytes.readUInt32LE(at), 8)}-${hex(bytes.readUInt16LE(at + 4), 4)}-${hex(bytes.readUInt16LE(at + 6), 4)}`;
  return `${head}-${bytes.toString('hex', at + 8, at + 10)}-${bytes.toString('hex', at + 10, at + 16)}`;
}

/** CRC-32C over the structure with its own checksum field (bytes 4 to 7) zeroed. */
function checksumHolds(bytes: Buffer): boolean {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(0, 4);
  return crc32c(copy) === bytes.readUInt32LE(4);
}
