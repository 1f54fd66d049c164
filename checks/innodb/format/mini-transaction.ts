/**
 * Mini-transactions of the redo log of MariaDB 10.5 and later: records that change pages physically, ended by a byte of 0 or 1.
 * Source: MariaDB storage/innobase/include/mtr0types.h (the description of the record format) and mtr0log.h (varints).
 * From 10.8 on the end byte alternates with every lap through the file and a CRC-32C follows it.
 */
import { crc32c } from '../../../src/bytes/crc32c.js';

/** A server gives up beyond this (recv_sys_t::MTR_SIZE_MAX). */
export const MAX_MTR_BYTES = 1 << 20;

/** What follows the records: `sequence` is the end byte's value, or null where it is always 0 and no CRC follows. */
export interface MtrForm {
  crc: boolean;
  /** Of an encrypted log: eight bytes that the CRC covers. */
  nonceBytes: 0 | 8;
}

export const SHORT = -1;
export const BAD = -2;

/** Where the end byte of the mini-transaction at `at` is; SHORT when it lies beyond `limit`, BAD when there is none. Never reads beyond `limit`. */
export function findMtrEnd(bytes: Uint8Array, at: number, limit: number): number {
  if (at < limit && (bytes[at] as number) <= 1) return BAD;
  let position = at;
  while (position < limit) {
    const first = bytes[position] as number;
    if (first <= 1) return position;
    if (position - at >= MAX_MTR_BYTES) return BAD;
    const length = recordBytes(bytes, position, limit);
    if (length < 0) return length;
    position += length;
  }
  return SHORT;
}

/** Bytes of the record at `at`, its first byte included; SHORT or BAD where there is none. */
export function recordBytes(bytes: Uint8Array, at: number, limit: number): number {
  const short = (bytes[at] as number) & 15;
  if (short > 0) return 1 + short;
  if (at + 1 >= limit) return SHORT;
  if (at + 1 + varintBytes(bytes[at + 1] as number) > limit) return SHORT;
  const length = readVarint(bytes, at + 1);
  return length >= MAX_MTR_BYTES ? BAD : 1 + 15 + length;
}

/** Whether the CRC after the end byte at `end` is that of the records. @returns where the next mini-transaction starts, SHORT or BAD. */
export function verifyMtr(bytes: Uint8Array, at: number, end: number, limit: number, nonceBytes: number): number {
  const next = end + 1 + nonceBytes + 4;
  if (next > limit) return SHORT;
  const stored = next - 4;
  let crc = crc32c(bytes, at, end);
  if (nonceBytes > 0) crc = crc32c(bytes, end + 1, stored, crc);
  return crc === readU32(bytes, stored) ? next : BAD;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

/** Length of a varint by its first byte; 6 for a byte that begins none. */
export function varintBytes(first: number): number {
  return first < 0x80 ? 1 : first < 0xc0 ? 2 : first < 0xe0 ? 3 : first < 0xf0 ? 4 : first < 0xf8 ? 5 : 6;
}

const LEAST_2 = 0x80;
const LEAST_3 = LEAST_2 + 0x4000;
const LEAST_4 = LEAST_3 + 0x200000;
const LEAST_5 = LEAST_4 + 0x10000000;

/** Value of a varint whose bytes are all there; Infinity for what is none. */
export function readVarint(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  const byte = (i: number) => bytes[at + i] as number;
  if (first < 0x80) return first;
  if (first < 0xc0) return LEAST_2 + (((first & 0x3f) << 8) | byte(1));
  if (first < 0xe0) return LEAST_3 + (((first & 0x1f) << 16) | (byte(1) << 8) | byte(2));
  if (first < 0xf0) return LEAST_4 + (((first & 0x0f) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3));
  return first < 0xf8 ? LEAST_5 + readU32(bytes, at + 1) : Number.POSITIVE_INFINITY;
}

/** What a visitor is told. Pages are named by tablespace and number. */
export interface MtrVisitor {
  /** A change of a page. */
  write(space: number, page: number): void;
  /** The page is made anew: what it held before does not matter. */
  init(space: number, page: number): void;
  free(space: number, page: number): void;
  /** The page is free now, by the word of a log that does not free pages by records of their own. */
  release(space: number, page: number): void;
  /** Undo tablespaces shrink: pages from here on are gone. */
  trim(space: number, firstPage: number): void;
  /** Files, by name as the server sees it (`./shop/orders.ibd`); `to` of a rename. */
  file(what: 'create' | 'delete' | 'rename' | 'modify', space: number, name: string, to: string | null): void;
  checkpoint(lsn: number): void;
}

const FREE = 0x00;
const INIT = 0x10;
const EXTENDED = 0x20;
const RESERVED = 0x60;
const OPTION = 0x70;
const FILES: Record<number, 'create' | 'delete' | 'rename' | 'modify'> = { 128: 'create', 144: 'delete', 160: 'rename', 176: 'modify' };
const CHECKPOINT = 0xf0;
const TRIM_PAGES = 10;

/**
 * Tells a visitor what the records between `at` and `end` (from `findMtrEnd`) do.
 * @returns false when they contradict themselves: no server writes such.
 */
export function visitMtr(bytes: Uint8Array, at: number, end: number, encrypted: boolean, visitor: MtrVisitor): boolean {
  const cursor = { space: 0, page: 0, hasPage: false };
  for (let position = at; position < end; ) {
    const length = recordBytes(bytes, position, end);
    if (length < 0 || position + length > end) return false;
    if (!visitRecord(bytes, position, position + length, encrypted, cursor, visitor)) return false;
    position += length;
  }
  return true;
}

interface Cursor {
  space: number;
  page: number;
  hasPage: boolean;
}

function visitRecord(bytes: Uint8Array, start: number, end: number, encrypted: boolean, cursor: Cursor, visitor: MtrVisitor): boolean {
  const first = bytes[start] as number;
  let at = start + 1;
  if ((first & 15) === 0) at += varintBytes(bytes[at] as number);
  const samePage = first >= 0x80 && cursor.hasPage;
  if (!samePage) {
    if (first === (CHECKPOINT | 1)) return true; // padding
    const afterSpace = at + varintBytes(bytes[at] as number);
    if (afterSpace >= end) return false;
    cursor.space = readVarint(bytes, at);
    const afterPage = afterSpace + varintBytes(bytes[afterSpace] as number);
    if (afterPage > end) return false;
    cursor.page = readVarint(bytes, afterSpace);
    if (cursor.space > 0xffffffff || cursor.page > 0xffffffff) return false;
    cursor.hasPage = first < 0x80;
    at = afterPage;
  }
  if (!cursor.hasPage) return visitFile(bytes, at, end, first, cursor.space, visitor);
  return visitPage(bytes, at, end, first & 0x70, encrypted, samePage, cursor, visitor);
}

function visitPage(
  bytes: Uint8Array,
  at: number,
  end: number,
  type: number,
  encrypted: boolean,
  samePage: boolean,
  { space, page }: Cursor,
  visitor: MtrVisitor,
): boolean {
  if (type === FREE || type === INIT) {
    if (samePage || at !== end) return false;
    if (type === FREE) visitor.free(space, page);
    else visitor.init(space, page);
  } else if (type === RESERVED) return false;
  else if (type !== OPTION) {
    // Of an encrypted log the payload is hidden, but not which page it is for; one byte of EXTENDED can only be the trimming of pages.
    const isTrim = type === EXTENDED && end - at === 1 && (encrypted || bytes[at] === TRIM_PAGES);
    if (isTrim) visitor.trim(space, page);
    else visitor.write(space, page);
  }
  return true;
}

function visitFile(bytes: Uint8Array, at: number, end: number, first: number, space: number, visitor: MtrVisitor): boolean {
  if ((first & 0xf0) === CHECKPOINT) {
    if (end - at === 8) visitor.checkpoint(readU32(bytes, at) * 2 ** 32 + readU32(bytes, at + 4));
    return true;
  }
  const what = FILES[first & 0xf0];
  if (!what) return false;
  const names = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(end - at, 4096))
    .toString('utf8')
    .split('\0');
  visitor.file(what, space, names[0] ?? '', names[1] ?? null);
  return true;
}
