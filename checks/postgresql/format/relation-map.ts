/** pg_filenode.map: where the catalogues that find all others lie. RelMapFile in src/backend/utils/cache/relmapper.c. */
import { crc32c } from '../../../src/bytes/crc32c.js';

const MAGIC = 0x592717;
const ENTRY_BYTES = 8;
const FIRST_ENTRY = 8;
/** 62 entries, a CRC and padding up to version 15; 64 and a CRC since 16. */
const ENTRIES = [62, 64];

/** Catalogue oid -> file node. Null when these are not the bytes of a map. */
export function parseRelationMap(bytes: Buffer): Map<number, number> | null {
  if (bytes.length < FIRST_ENTRY || bytes.readUInt32LE(0) !== MAGIC) return null;
  const count = bytes.readUInt32LE(4);
  const most = ENTRIES.find((entries) => crcMatches(bytes, FIRST_ENTRY + entries * ENTRY_BYTES));
  if (most === undefined || count > most) return null;
  const map = new Map<number, number>();
  for (let i = 0; i < count; i++) map.set(bytes.readUInt32LE(FIRST_ENTRY + i * ENTRY_BYTES), bytes.readUInt32LE(FIRST_ENTRY + i * ENTRY_BYTES + 4));
  return map;
}

function crcMatches(bytes: Buffer, at: number): boolean {
  return at + 4 <= bytes.length && bytes.readUInt32LE(at) === crc32c(bytes, 0, at);
}
