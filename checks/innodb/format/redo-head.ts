/**
 * The first bytes of a redo log: which format, of which server.
 * Sources: MariaDB storage/innobase/include/log0log.h (FORMAT_*), MySQL storage/innobase/include/log0types.h (Log_format).
 */
export const REDO_HEAD_BYTES = 512;

export type RedoFormat = 'mariadb-10.8' | 'mariadb-10.5' | 'mysql' | 'old' | 'unknown';

export interface RedoHead {
  format: RedoFormat;
  /** The number in the file. */
  number: number;
  encrypted: boolean;
  /** Not even which page a record changes can be read without the key. */
  opaque: boolean;
  firstLsn: number;
  /** `MariaDB 10.11.6`, `MySQL 8.0.36`; may be empty or come from a backup tool. */
  creator: string;
}

const ENCRYPTED = 0x80000000;
const MARIADB_10_8 = 0x50687973; // "Phys"
const MARIADB_10_5 = 0x50485953; // "PHYS"
/** The same, encrypted whole, in later releases of 10.11 and 11 (FORMAT_ENC_11). */
const MARIADB_ENCRYPTED_11 = 0xf09f979d;
/** Key of the log's encryption follows the creator in MariaDB 10.8 and later; zero when it is not encrypted. */
const CRYPT_AT = 48;

/** Never throws. @param head the first 512 bytes, or as many as there are. */
export function parseRedoHead(head: Buffer): RedoHead | null {
  if (head.length < 64) return null;
  const number = head.readUInt32BE(0);
  const format = number === MARIADB_ENCRYPTED_11 ? 'mariadb-10.8' : formatOf((number & ~ENCRYPTED) >>> 0);
  const encrypted = (number & ENCRYPTED) !== 0 || (format === 'mariadb-10.8' && head.readUInt32BE(CRYPT_AT) !== 0);
  const creator = head.toString('latin1', 16, 48).split('\0')[0] ?? '';
  const opaque = number === MARIADB_ENCRYPTED_11;
  return {
    format,
    number,
    encrypted: encrypted || opaque,
    opaque,
    firstLsn: head.readUInt32BE(8) * 2 ** 32 + head.readUInt32BE(12),
    creator: creator.replace(/[^\x20-\x7e]/g, '?'),
  };
}

/** MySQL numbers its formats 1 (5.7.9) to 6 (8.0.30); MariaDB 10.2 shared 1, and 103, 104 are its 10.3 and 10.4. */
function formatOf(number: number): RedoFormat {
  if (number === MARIADB_10_8) return 'mariadb-10.8';
  if (number === MARIADB_10_5) return 'mariadb-10.5';
  if (number >= 1 && number <= 6) return 'mysql';
  if (number === 0 || number === 103 || number === 104) return 'old';
  return 'unknown';
}

/** Numbers beyond are of no log: they are no longer counted one by one here, and steps through such a log would never end. */
export function isLsn(value: number): boolean {
  return value < 2 ** 52;
}
