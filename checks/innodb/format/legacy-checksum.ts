/**
 * Page checksums of tablespaces that are not full_crc32: all of MySQL, MariaDB before 10.5, and every compressed tablespace.
 * Any of the kinds is accepted, as the servers do unless told to be strict. Source: MariaDB and MySQL, storage/innobase/buf/buf0checksum.cc,
 * include/ut0rnd.ic (fold), page/page0zip.cc (compressed pages), ut/ut0crc32.cc ("legacy big endian").
 */
import { crc32c } from '../../../src/bytes/crc32c.js';
import { PAGE } from './page.js';

/** What is stored when checksums are switched off. */
const NONE = 0xdeadbeef;
/** The part of the header that a checksum covers, and where the covered body begins. */
const HEAD = { from: 4, to: 26 };

export type ChecksumKind = 'crc32' | 'innodb' | 'none' | 'crc32-big-endian';

/** Which kind fits, or null when none does. `bodyCrc` is CRC-32C of bytes 38..size-8 of the page at `at`. */
export function legacyChecksum(bytes: Uint8Array, view: DataView, at: number, size: number, bodyCrc: number): ChecksumKind | null {
  const head = view.getUint32(at + PAGE.checksum);
  const tail = view.getUint32(at + size - 8);
  if (view.getUint32(at + PAGE.lsn + 4) !== view.getUint32(at + size - 4)) return null; // torn: both ends carry the LSN
  const crc = (crc32c(bytes, at + HEAD.from, at + HEAD.to) ^ bodyCrc) >>> 0;
  if (head === crc && tail === crc) return 'crc32';
  if (head === NONE && tail === NONE) return 'none';
  if (head === innodbNew(bytes, at, size) && (tail === innodbOld(bytes, at) || tail === view.getUint32(at + PAGE.lsn + 4))) return 'innodb';
  const swapped = bigEndianCrc(bytes, at, size);
  return head === swapped && tail === swapped ? 'crc32-big-endian' : null;
}

/** A page of ROW_FORMAT=COMPRESSED has one checksum, in its header. `bodyCrc` is CRC-32C of bytes 34..size. */
export function zipChecksum(bytes: Uint8Array, view: DataView, at: number, size: number, bodyCrc: number): ChecksumKind | null {
  const stored = view.getUint32(at + PAGE.checksum);
  const crc = (crc32c(bytes, at + 4, at + 16) ^ crc32c(bytes, at + 24, at + 26) ^ bodyCrc) >>> 0;
  if (stored === crc) return 'crc32';
  if (stored === NONE) return 'none';
  return stored === zipAdler(bytes, at, size) ? 'innodb' : null;
}

function fold(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number;
    value = ((((((value ^ byte ^ 1653893711) << 8) + value) | 0) ^ 1463735687) + byte) | 0;
  }
  return value;
}

function innodbNew(bytes: Uint8Array, at: number, size: number): number {
  return (fold(bytes, at + HEAD.from, at + HEAD.to) + fold(bytes, at + PAGE.data, at + size - 8)) >>> 0;
}

function innodbOld(bytes: Uint8Array, at: number): number {
  return fold(bytes, at, at + HEAD.to) >>> 0;
}

/** Some servers of 5.6 fed the sum eight bytes at a time in the wrong order; only whole words at multiples of eight are reversed. */
function bigEndianCrc(bytes: Uint8Array, at: number, size: number): number {
  const part = (from: number, to: number) => {
    const copy = bytes.slice(at + from, at + to);
    for (let i = -from & 7; i + 8 <= copy.length; i += 8) copy.subarray(i, i + 8).reverse();
    return crc32c(copy);
  };
  return (part(HEAD.from, HEAD.to) ^ part(PAGE.data, size - 8)) >>> 0;
}

/** Adler-32 over three ranges of a compressed page (RFC 1950). */
function zipAdler(bytes: Uint8Array, at: number, size: number): number {
  let a = 0;
  let b = 0;
  for (const [from, to] of [
    [4, 16],
    [24, 26],
    [34, size],
  ] as const) {
    for (let i = at + from; i < at + to; i++) {
      a = (a + (bytes[i] as number)) % 65521;
      b = (b + a) % 65521;
    }
  }
  return ((b << 16) | a) >>> 0;
}
