/**
 * The flags of a tablespace, in the header of its page 0: page size, checksum kind, compression, encryption.
 * Sources: MariaDB storage/innobase/include/fsp0types.h (also "full_crc32", 10.4 and later), MySQL fsp0types.h.
 */
import { FormatError } from '../../../src/errors.js';
import { PAGE, TYPE } from './page.js';

/** Bytes of the file header of page 0, within which all that is read here lies. */
export const SPACE_HEADER_BYTES = 38 + 112;

export interface SpaceFlags {
  raw: number;
  /** MariaDB's format with a CRC-32C at the end of every page. */
  fullCrc32: boolean;
  /** Bytes of a page in the buffer pool. */
  logicalBytes: number;
  /** Bytes of a page in the file: less for ROW_FORMAT=COMPRESSED. */
  pageBytes: number;
  zip: boolean;
  /** MariaDB PAGE_COMPRESSED. */
  pageCompressed: boolean;
  /** MySQL's encryption flag. MariaDB tells it per page. */
  encrypted: boolean;
  /** MySQL 8 keeps table definitions inside (SDI); MariaDB never does. */
  sdi: boolean;
}

export interface SpaceHeader {
  space: number;
  /** Pages the tablespace has, by its own account. */
  sizePages: number;
  /** Pages from here on were never used. */
  freeLimit: number;
  flags: SpaceFlags;
}

const DEFAULT_PAGE_BYTES = 16384;

/** @param flags u32 of page 0; MariaDB and MySQL agree on the low ten bits unless bit 4 says full_crc32. @throws FormatError */
export function parseFlags(flags: number): SpaceFlags {
  // In the older layout bits 1..4 are the compressed page size (0..5 in use), so that 0x10 is set only by full_crc32.
  return flags & 0x10 ? parseFullCrc32(flags) : parseLegacy(flags);
}

function parseFullCrc32(flags: number): SpaceFlags {
  const shift = flags & 15;
  const logicalBytes = 512 << shift;
  if (shift < 3 || shift > 7 || flags >>> 8 > 0) throw invalid(flags);
  const pageCompressed = ((flags >>> 5) & 7) > 0;
  return { raw: flags, fullCrc32: true, logicalBytes, pageBytes: logicalBytes, zip: false, pageCompressed, encrypted: false, sdi: false };
}

function parseLegacy(flags: number): SpaceFlags {
  const pageShift = (flags >>> 6) & 15;
  const zipShift = (flags >>> 1) & 15;
  if (zipShift > 5 || pageShift === 1 || pageShift === 2 || pageShift > 7) throw invalid(flags);
  const logicalBytes = pageShift === 0 ? DEFAULT_PAGE_BYTES : 512 << pageShift;
  const pageBytes = zipShift === 0 ? logicalBytes : 512 << zipShift;
  if (pageBytes > logicalBytes) throw invalid(flags);
  const sdi = (flags & (1 << 14)) !== 0;
  // MariaDB before 10.1.21 and MySQL use bit 13 otherwise only for encryption; MariaDB marks PAGE_COMPRESSED in bit 16.
  const bits = { pageCompressed: (flags & (1 << 16)) !== 0, encrypted: (flags & (1 << 13)) !== 0 };
  return { raw: flags, fullCrc32: false, logicalBytes, pageBytes, zip: zipShift > 0, ...bits, sdi };
}

/** Page 0 of a tablespace. @param head its first `SPACE_HEADER_BYTES` bytes or more. @throws FormatError when it is none. */
export function parseSpaceHeader(head: Buffer): SpaceHeader {
  if (head.length < SPACE_HEADER_BYTES) throw new FormatError({ code: 'innodb.space-header', message: 'the file is shorter than the header of a tablespace' });
  const space = head.readUInt32BE(PAGE.data);
  const number = head.readUInt32BE(PAGE.number);
  const type = head.readUInt16BE(PAGE.type);
  const isHeader = type === TYPE.header || (type === TYPE.allocated && space !== 0 && isJustMade(head));
  if (number !== 0 || !isHeader || head.readUInt32BE(PAGE.space) !== space) {
    throw new FormatError({ code: 'innodb.space-header', message: `page 0 is not the header of a tablespace (type ${type}, page ${number})` });
  }
  return { space, sizePages: head.readUInt32BE(46), freeLimit: head.readUInt32BE(50), flags: parseFlags(head.readUInt32BE(54)) };
}

/**
 * MySQL begins a file with a page 0 that holds only number and flags of the tablespace, and no type (fil0fil.cc: fil_ibd_create). Its
 * content is in the redo log.
 */
function isJustMade(head: Buffer): boolean {
  const hasLsn = head.readUInt32BE(PAGE.lsn) !== 0 || head.readUInt32BE(PAGE.lsn + 4) !== 0;
  return !hasLsn && head.readUInt32BE(46) === 0 && head.readUInt32BE(50) === 0;
}

function invalid(flags: number): FormatError {
  return new FormatError({ code: 'innodb.space-flags', message: `the flags 0x${flags.toString(16)} of the tablespace are of no known form` });
}
