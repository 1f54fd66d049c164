/**
 * Page 0 of every file (the file header) and page 9 of the first one (the boot page). Both hold one record after the page header.
 * Field numbers and offsets: "DataFile, Boot Page" in the UGTS collection of format notes, and Paul Randal's articles on the
 * storage engine; offsets of the boot page from version 706 (SQL Server 2012) on, held against files of that version.
 */
import { FormatError } from '../../../src/errors.js';
import { type Lsn, lsnAt, PAGE_BYTES, PAGE_TYPES, pageHeader, pageSum, wordsOf } from './page.js';

const RECORD = 96;

export interface FileHeader {
  fileId: number;
  /** GUID that files of one database share, as hexadecimal digits. */
  binding: string;
  sumFits: boolean;
}

export interface BootPage {
  /** Of the format on disk: 706 is SQL Server 2012, 957 is 2022. */
  version: number;
  name: string;
  status: number;
  /** Where recovery begins: null where this version keeps it elsewhere. */
  checkpoint: Lsn | null;
  sumFits: boolean;
}

/** Bit of the status: the database was shut down, nothing need be recovered. */
export const CLEANLY_SHUT_DOWN = 0x40000000;
/** Versions whose boot page is known: SQL Server 2005 to 2025. */
export const KNOWN_VERSIONS = { from: 611, to: 1000, checkpointFrom: 706 } as const;

function viewOf(page: Uint8Array): DataView {
  if (page.length < PAGE_BYTES) throw broken('mssql.page.short', `a page of ${page.length} bytes is too short`);
  return new DataView(page.buffer, page.byteOffset, PAGE_BYTES);
}

function broken(code: string, message: string): FormatError {
  return new FormatError({ code, message });
}

/** @throws FormatError when it is not page 0 of a file of SQL Server. */
export function parseFileHeader(page: Uint8Array): FileHeader {
  const view = viewOf(page);
  const header = pageHeader(view, 0);
  if (header.version !== 1 || header.type !== PAGE_TYPES.fileHeader || header.page !== 0) {
    throw broken('mssql.file-header', 'page 0 is not the header of a SQL Server file');
  }
  const binding = variableField(view, 0);
  const hex = binding?.length === 16 ? Buffer.from(binding).toString('hex') : '';
  // Log files do not repeat their number in the page header of page 0; the record has it.
  const own = variableField(view, 2);
  const fileId = own?.length === 2 ? (own[0] ?? 0) | ((own[1] ?? 0) << 8) : header.file;
  return { fileId, binding: hex, sumFits: header.stored === pageSum(wordsOf(page.subarray(0, PAGE_BYTES)), 0) };
}

/** A field of variable length of the only record: after the fixed part come the count of columns, their null bits, the count and the ends of fields. */
function variableField(view: DataView, index: number): Uint8Array | null {
  const at = (offset: number): number => (offset + 2 <= PAGE_BYTES - RECORD ? view.getUint16(RECORD + offset, true) : 0);
  const fixedEnd = at(2);
  const countAt = fixedEnd + 2 + Math.ceil(at(fixedEnd) / 8);
  const count = at(countAt);
  const end = (field: number): number => (field < 0 ? countAt + 2 + 2 * count : at(countAt + 2 + 2 * field) & 0x7fff);
  const [from, to] = [end(index - 1), end(index)];
  if (index >= count || to < from || RECORD + to > PAGE_BYTES) return null;
  return new Uint8Array(view.buffer, view.byteOffset + RECORD + from, to - from);
}

/** @throws FormatError when it is not the boot page. */
export function parseBootPage(page: Uint8Array): BootPage {
  const view = viewOf(page);
  const header = pageHeader(view, 0);
  if (header.version !== 1 || header.type !== PAGE_TYPES.boot || header.page !== 9) throw broken('mssql.boot-page', 'page 9 is not a boot page');
  const version = view.getUint16(RECORD + 4, true);
  const name = Buffer.from(page.subarray(RECORD + 52, RECORD + 52 + 256)).toString('utf16le');
  return {
    version,
    // Padded with bytes of 0x20, which read as U+2020 here.
    name: name.replace(/[\0 \u2020]+$/, ''),
    status: view.getUint32(RECORD + 36, true),
    checkpoint: version >= KNOWN_VERSIONS.checkpointFrom ? lsnAt(view, RECORD + 348) : null,
    sumFits: header.stored === pageSum(wordsOf(page.subarray(0, PAGE_BYTES)), 0),
  };
}
