/**
 * The files of Aria: `aria_log_control`, `aria_log.NNNNNNNN`, and the header of an index file.
 * Source: MariaDB storage/maria/ma_control_file.c, ma_loghandler.c, ma_open.c, maria_def.h; numbers little-endian unless said otherwise.
 */
import { crc32 } from 'node:zlib';
import { FormatError } from '../../../src/errors.js';

export const CONTROL_BYTES = 52;

export interface AriaControl {
  blockBytes: number;
  /** Of the last checkpoint: number of the log file, and offset in it. Zero when there was none. */
  checkpointFile: number;
  checkpointOffset: number;
  lastLogFile: number;
  /** How often the server was not shut down cleanly in a row. */
  recoveryFailures: number;
}

/** @throws FormatError when it is none, or its checksums are wrong. */
export function parseControl(bytes: Buffer): AriaControl {
  if (bytes.length < CONTROL_BYTES || bytes.readUInt32BE(0) !== 0xfefe0c01) throw bad('it does not begin as a control file');
  const fixedBytes = bytes.readUInt16LE(20);
  const changingBytes = bytes.readUInt16LE(22);
  if (fixedBytes !== 30 || changingBytes !== 22) throw bad('its parts are of no known length');
  if (bytes.readUInt32LE(26) !== crc32(bytes.subarray(0, 26))) throw bad('the checksum of its fixed part is wrong');
  if (bytes.readUInt32LE(30) !== crc32(bytes.subarray(34, CONTROL_BYTES))) throw bad('the checksum of its changing part is wrong');
  const blockBytes = bytes.readUInt16LE(24);
  if (blockBytes < 1024 || blockBytes > 32768 || (blockBytes & (blockBytes - 1)) !== 0) throw bad(`its block size is ${blockBytes}`);
  return {
    blockBytes,
    checkpointFile: bytes.readUIntLE(34, 3),
    checkpointOffset: bytes.readUInt32LE(37),
    lastLogFile: bytes.readUInt32LE(41),
    recoveryFailures: bytes[51] as number,
  };
}

export const TABLE_HEAD_BYTES = 24;
const BLOCK_RECORD = 3;
const PAGE_CHECKSUM = 2048;

export interface AriaTable {
  headerBytes: number;
  /** Whether the data file is made of pages. */
  pagedData: boolean;
  checksums: boolean;
}

/** The head of a `.MAI` file; big-endian. @throws FormatError */
export function parseTableHead(bytes: Buffer): AriaTable {
  if (bytes.length < TABLE_HEAD_BYTES || bytes.readUInt32BE(0) !== 0xfefe0903) throw bad('it does not begin as an index file');
  return { headerBytes: bytes.readUInt16BE(6), pagedData: bytes[22] === BLOCK_RECORD, checksums: (bytes.readUInt16BE(4) & PAGE_CHECKSUM) !== 0 };
}

/** Stored in place of a checksum where none was calculated. */
const NO_CHECKSUMS = 0xfffffffe;
/** Where the used length of an index page stands: tables with a log, and without. */
const USED_AT = [15, 2];

/** Whether a page carries its own checksum; `none` when it carries none. The page's number seeds it, so that swapped pages do not pass. */
export function pageProof(page: Uint8Array, number: number, isIndex: boolean): 'good' | 'bad' | 'none' {
  const end = page.length - 4;
  const stored = ((page[end] as number) | ((page[end + 1] as number) << 8) | ((page[end + 2] as number) << 16) | ((page[end + 3] as number) << 24)) >>> 0;
  if (stored >= NO_CHECKSUMS) return 'none';
  if (!isIndex) return crc32(page.subarray(0, end), number) === stored ? 'good' : 'bad';
  const fits = (at: number) => {
    const used = ((page[at] as number) << 8) | (page[at + 1] as number);
    return used > at && used <= end && crc32(page.subarray(0, used), number) === stored;
  };
  return USED_AT.some(fits) ? 'good' : 'bad';
}

function bad(why: string): FormatError {
  return new FormatError({ code: 'aria.format', message: why });
}
