/** Page headers of the write-ahead log: XLogPageHeaderData in src/include/access/xlog_internal.h. */
import { readLsn } from './lsn.js';

/** Magic number -> major version that writes it. */
export const WAL_MAGICS: Record<number, number> = {
  53400: 11, // 0xD098
  53505: 12, // 0xD101
  53510: 13, // 0xD106
  53517: 14, // 0xD10D
  53520: 15, // 0xD110
  53523: 16, // 0xD113
  53526: 17, // 0xD116
  53528: 18, // 0xD118
};
const FIRST_IS_CONTRECORD = 1;
const LONG_HEADER = 2;
const FIRST_IS_OVERWRITE_CONTRECORD = 8;
const SHORT_BYTES = 24;
const LONG_BYTES = 40;

export interface WalPageHeader {
  version: number;
  timeline: number;
  /** LSN of the page's first byte, as the page itself says: names of recycled segments lie. */
  address: number;
  /** Bytes of the record begun on an earlier page that are still to come, this page included; 0 when none. */
  remainingBytes: number;
  /** The record begun earlier was given up; nothing of it follows. */
  overwritesContinuation: boolean;
  headerBytes: number;
  long: { systemId: string; segmentBytes: number; pageBytes: number } | null;
}

/** Null when there is no page header at `offset`. Reads at most 40 bytes. */
export function parseWalPage(bytes: Buffer, offset = 0): WalPageHeader | null {
  if (offset + LONG_BYTES > bytes.length) return null;
  const version = WAL_MAGICS[bytes.readUInt16LE(offset)];
  const info = bytes.readUInt16LE(offset + 2);
  if (version === undefined || info > 15) return null;
  const isLong = (info & LONG_HEADER) !== 0;
  const remainingBytes = bytes.readUInt32LE(offset + 16);
  if (((info & FIRST_IS_CONTRECORD) !== 0) !== remainingBytes > 0) return null;
  return {
    version,
    timeline: bytes.readUInt32LE(offset + 4),
    address: readLsn(bytes, offset + 8),
    remainingBytes,
    overwritesContinuation: (info & FIRST_IS_OVERWRITE_CONTRECORD) !== 0,
    headerBytes: isLong ? LONG_BYTES : SHORT_BYTES,
    long: isLong ? readLong(bytes, offset) : null,
  };
}

/** The server makes headers of pages ready before anything is written to them. */
export function holdsLog({ headerBytes, remainingBytes }: WalPageHeader, bytes: Buffer): boolean {
  return remainingBytes > 0 || (headerBytes + 4 <= bytes.length && bytes.readUInt32LE(headerBytes) !== 0);
}

function readLong(bytes: Buffer, offset: number): NonNullable<WalPageHeader['long']> {
  return {
    systemId: bytes.readBigUInt64LE(offset + 24).toString(),
    segmentBytes: bytes.readUInt32LE(offset + 32),
    pageBytes: bytes.readUInt32LE(offset + 36),
  };
}
