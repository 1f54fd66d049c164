/** The header of a MyISAM index file. Source: MariaDB and MySQL storage/myisam/mi_open.c, myisamdef.h (MI_STATE_INFO); big-endian. */
import { FormatError } from '../../src/errors.js';

export const STATE_BYTES = 76;

export interface MyisamState {
  /** Times the table is open; not zero: it was not closed, or the server ended without closing it. */
  openCount: number;
  /** Marked by the server itself as crashed, or repaired in vain. */
  crashed: boolean;
  rows: number;
  indexBytes: number;
  dataBytes: number;
}

const CRASHED = 2;
const CRASHED_ON_REPAIR = 4;

/** @throws FormatError */
export function parseState(bytes: Buffer): MyisamState {
  if (bytes.length < STATE_BYTES || bytes.readUInt32BE(0) !== 0xfefe0701) {
    throw new FormatError({ code: 'myisam.format', message: 'it does not begin as the index of a MyISAM table' });
  }
  const changed = bytes[26] as number;
  return {
    openCount: bytes.readUInt16BE(24),
    crashed: (changed & (CRASHED | CRASHED_ON_REPAIR)) !== 0,
    rows: size(bytes, 28),
    indexBytes: size(bytes, 60),
    dataBytes: size(bytes, 68),
  };
}

function size(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
