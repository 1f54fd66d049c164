/**
 * Pages of Firebird databases, on-disk structure 12 (Firebird 3). Source: `src/jrd/ods.h` of the Firebird project, and
 * "Firebird Internals: Inside a Firebird Database" (firebirdsql.org). All numbers little-endian.
 */
import { FormatError } from '../../../src/errors.js';

export const PAGE_HEAD = 16;
export const HEADER_BYTES = 1024;
export const TYPES = { header: 1, inventory: 2, transactions: 3, pointer: 4, data: 5, indexRoot: 6, index: 7, blob: 8, generators: 9, scns: 10 } as const;
export const TYPE_NAMES = ['', 'header', 'page inventory', 'transaction inventory', 'pointer', 'data', 'index root', 'index', 'blob', 'generator', 'SCN'];

const FLAGS = { shadow: 0x01, forcedWrites: 0x02, cryptProcess: 0x04, readOnly: 0x20, encrypted: 0x40, backup: 0xc00 };
const CLUMPLET_FILE = 2;
const CLUMPLETS_AT = 128;

export interface DatabaseHeader {
  pageBytes: number;
  odsMajor: number;
  odsMinor: number;
  /** First pointer page of RDB$PAGES. */
  pagesRelation: number;
  oldestActive: number;
  nextTransaction: number;
  shadow: boolean;
  forcedWrites: boolean;
  readOnly: boolean;
  encrypted: boolean;
  /** nbackup: `stalled` means that changes go to a .delta file, `merge` that they are being brought back. */
  backup: 'normal' | 'stalled' | 'merge' | 'unknown';
  /** It goes on in other files. */
  multiFile: boolean;
}

/** @throws FormatError when this is no header page. */
export function parseHeader(head: Buffer): DatabaseHeader {
  if (head.length < HEADER_BYTES || head[0] !== TYPES.header) throw broken('the first page is no header page');
  const pageBytes = head.readUInt16LE(16);
  const ods = head.readUInt16LE(18);
  if (![1024, 2048, 4096, 8192, 16384, 32768].includes(pageBytes) || (ods & 0x8000) === 0)
    throw broken('the header page names an impossible page size or structure');
  const flags = head.readUInt16LE(42);
  return {
    pageBytes,
    odsMajor: ods & 0x7fff,
    odsMinor: head.readUInt16LE(64),
    pagesRelation: head.readUInt32LE(20),
    oldestActive: head.readUInt32LE(32) + 2 ** 32 * head.readUInt16LE(122),
    nextTransaction: head.readUInt32LE(36) + 2 ** 32 * head.readUInt16LE(124),
    shadow: (flags & FLAGS.shadow) !== 0,
    forcedWrites: (flags & FLAGS.forcedWrites) !== 0,
    readOnly: (flags & FLAGS.readOnly) !== 0,
    encrypted: (flags & (FLAGS.encrypted | FLAGS.cryptProcess)) !== 0,
    backup: (['normal', 'stalled', 'merge', 'unknown'] as const)[(flags & FLAGS.backup) >> 10] ?? 'unknown',
    multiFile: head.readUInt32LE(24) !== 0 || hasClumplet(head, CLUMPLET_FILE),
  };
}

function broken(message: string): FormatError {
  return new FormatError({ code: 'firebird.header', message });
}

/** Type, length and content follow each other from a fixed place on, up to type 0. */
function hasClumplet(head: Buffer, type: number): boolean {
  for (let at = CLUMPLETS_AT; at + 2 <= head.length && head[at] !== 0; at += 2 + (head[at + 1] ?? 0)) if (head[at] === type) return true;
  return false;
}

export interface Geometry {
  pageBytes: number;
  /** Pages that one page inventory page describes. */
  perInventory: number;
  /** Slots of a pointer page. */
  perPointer: number;
  /** Transactions that one transaction inventory page describes. */
  perTransactions: number;
}

export function geometryOf(pageBytes: number): Geometry {
  return {
    pageBytes,
    perInventory: (pageBytes - 28) * 8,
    // Each slot has four bytes for the page and one for its flags.
    perPointer: Math.floor(((pageBytes - 32) * 8) / 40),
    perTransactions: (pageBytes - 20) * 4,
  };
}

export function inventoryPage(index: number, { perInventory }: Geometry): number {
  return index === 0 ? 1 : index * perInventory - 1;
}
