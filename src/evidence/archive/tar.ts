/**
 * The part of the tar format that an archive needs: POSIX.1-1988 ustar (IEEE Std 1003.1, pax, "ustar Interchange Format"), regular files with
 * short names, and nothing else. What is written has fixed times, modes and owners: the same content gives the same bytes.
 */
import { FormatError } from '../../errors.js';

export const BLOCK_BYTES = 512;

const NAME_BYTES = 100;
const MAX_SIZE_BYTES = 8 ** 11 - 1;
const CHECKSUM_AT = 148;

/** @throws RangeError for a name or size that has no place in the header */
export function tarHeader(name: string, sizeBytes: number): Buffer {
  if (Buffer.byteLength(name) > NAME_BYTES || sizeBytes > MAX_SIZE_BYTES) throw new RangeError(`${name} does not fit a tar header`);
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${octal(sizeBytes, 11)}\0`, 124);
  header.write(`${octal(0, 11)}\0`, 136);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  header.write(`${octal(checksum(header), 6)}\0 `, CHECKSUM_AT);
  return header;
}

/** Zeroes that fill the last block of a file. */
export function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

export const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK_BYTES);

/**
 * Takes only what `tarHeader` writes, byte for byte: links, devices, long names, sparse files and other owners are refused with it.
 * Null for a block of zeroes. @throws FormatError
 */
export function readHeader(block: Buffer): { name: string; sizeBytes: number } | null {
  if (block.every((byte) => byte === 0)) return null;
  const name = block.subarray(0, NAME_BYTES).toString('latin1').split('\0')[0] ?? '';
  const digits = block.subarray(124, 135).toString('latin1');
  const sizeBytes = /^[0-7]{11}$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(name) || Number.isNaN(sizeBytes) || !tarHeader(name, sizeBytes).equals(block)) throw foreign(block);
  return { name, sizeBytes };
}

function checksum(header: Buffer): number {
  const blank = Buffer.from(header);
  blank.fill(' ', CHECKSUM_AT, CHECKSUM_AT + 8);
  return blank.reduce((sum, byte) => sum + byte, 0);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

const KINDS: Record<string, string> = { '1': 'a hard link', '2': 'a symbolic link', '3': 'a device', '4': 'a device', '5': 'a folder', '6': 'a pipe' };

function foreign(block: Buffer): FormatError {
  const kind = KINDS[String.fromCharCode(block.readUInt8(156))] ?? 'an entry';
  const name = block.subarray(0, NAME_BYTES).toString('latin1').split('\0')[0] ?? '';
  const message = `it holds ${kind} that snapproof does not write (${JSON.stringify(name)})`;
  return new FormatError({ code: 'archive.entry', message });
}
