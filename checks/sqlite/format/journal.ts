/** The rollback journal. Source: https://sqlite.org/fileformat2.html, section 3. */
import { isPageSize } from './header.js';

export const JOURNAL_HEADER_BYTES = 28;
const MAGIC = Buffer.from('d9d505f920a163d7', 'hex');
/** The count of a segment whose end is the end of the file. */
export const COUNT_UNKNOWN = 0xffffffff;
const MIN_SECTOR_BYTES = 512;
const MAX_SECTOR_BYTES = 65536;
/** Longer names of super-journals are not read. */
const MAX_NAME_BYTES = 4096;

export interface JournalHeader {
  records: number;
  nonce: number;
  /** Size of the database in pages before the transaction. */
  initialPages: number;
  sectorBytes: number;
  pageSize: number;
}

/** Null when there is no valid header at `at`: the journal ends here, or was invalidated by a commit. */
export function parseJournalHeader(bytes: Buffer, at = 0): JournalHeader | null {
  if (at + JOURNAL_HEADER_BYTES > bytes.length || !bytes.subarray(at, at + MAGIC.length).equals(MAGIC)) return null;
  const header = {
    records: bytes.readUInt32BE(at + 8),
    nonce: bytes.readUInt32BE(at + 12),
    initialPages: bytes.readUInt32BE(at + 16),
    sectorBytes: bytes.readUInt32BE(at + 20),
    pageSize: bytes.readUInt32BE(at + 24),
  };
  const { sectorBytes } = header;
  const sectorIsSane = sectorBytes >= MIN_SECTOR_BYTES && sectorBytes <= MAX_SECTOR_BYTES && (sectorBytes & (sectorBytes - 1)) === 0;
  return sectorIsSane && isPageSize(header.pageSize) ? header : null;
}

/** A record is a page number, a page and a checksum. */
export function journalRecordBytes(pageSize: number): number {
  return pageSize + 8;
}

/** The checksum of a journaled page: the nonce and every 200th byte, counted from the end. */
export function journalChecksum(page: Buffer, nonce: number): number {
  let sum = nonce;
  for (let at = page.length - 200; at > 0; at -= 200) sum = (sum + (page[at] as number)) >>> 0;
  return sum;
}

/**
 * Name of the super-journal at the very end of a journal that belongs to a transaction over several databases:
 * lock page number, name, name length, sum of its bytes, magic. Null when there is none.
 * `tail` holds the last bytes of the journal.
 */
export function parseSuperJournalName(tail: Buffer): string | null {
  const end = tail.length - 16;
  if (end < 4 || !tail.subarray(tail.length - 8).equals(MAGIC)) return null;
  const lengthBytes = tail.readUInt32BE(end);
  if (lengthBytes === 0 || lengthBytes > MAX_NAME_BYTES || lengthBytes > end) return null;
  const name = tail.subarray(end - lengthBytes, end);
  const sum = name.reduce((total, byte) => (total + ((byte << 24) >> 24)) | 0, 0);
  return sum === tail.readInt32BE(end + 4) ? name.toString('utf8') : null;
}

export const SUPER_JOURNAL_TAIL_BYTES = MAX_NAME_BYTES + 20;
