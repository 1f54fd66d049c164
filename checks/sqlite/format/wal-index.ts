/**
 * The header of the `-shm` file, which says how far the log was committed and copied back at the last commit that was seen.
 * Source: https://sqlite.org/walformat.html, section 2.1. Its integers are in the byte order of the guest.
 */
export const WAL_INDEX_HEADER_BYTES = 136;
const VERSION = 3007000;

export interface WalIndexHeader {
  /** Number of the last committed frame, counted from 1; 0 for an empty log. */
  lastFrame: number;
  salt1: number;
  salt2: number;
  /** Frames already copied into the database. */
  copiedBack: number;
}

/** Null when the file was not initialised, or was being written (its two copies differ). */
export function parseWalIndex(bytes: Buffer): WalIndexHeader | null {
  if (bytes.length < WAL_INDEX_HEADER_BYTES || !bytes.subarray(0, 48).equals(bytes.subarray(48, 96))) return null;
  const little = bytes.readUInt32LE(0) === VERSION;
  if ((!little && bytes.readUInt32BE(0) !== VERSION) || bytes[12] !== 1) return null;
  const u32 = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  // The salts are copied from the log as bytes, so they are big-endian whatever the guest is.
  return { lastFrame: u32(16), salt1: bytes.readUInt32BE(32), salt2: bytes.readUInt32BE(36), copiedBack: u32(96) };
}
