/**
 * Log sequence numbers: byte positions in the write-ahead log, held as plain numbers.
 * Above 2^53 (eight thousand terabytes of log) they lose their last digits: only hostile files get there.
 */
const HIGH = 2 ** 32;

export function lsnFrom(high: number, low: number): number {
  return high * HIGH + low;
}

/** A u64 as it lies in control files and log records. */
export function readLsn(bytes: Buffer, offset: number): number {
  return lsnFrom(bytes.readUInt32LE(offset + 4), bytes.readUInt32LE(offset));
}

/** As PostgreSQL prints it: `1/4A000028`. */
export function formatLsn(lsn: number): string {
  return `${Math.floor(lsn / HIGH).toString(16)}/${(lsn % HIGH).toString(16)}`.toUpperCase();
}

/** Parses `1/4A000028`; null when it is none. */
export function parseLsn(text: string): number | null {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  return match ? lsnFrom(Number.parseInt(match[1] as string, 16), Number.parseInt(match[2] as string, 16)) : null;
}
