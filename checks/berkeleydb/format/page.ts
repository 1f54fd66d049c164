/** Pages of Berkeley DB behind the first. Source: as in meta.ts. All throw FormatError. */
import { FormatError } from '../../../src/errors.js';
import { type Meta, pageChecksum, Words } from './meta.js';

const HEADER_BYTES = 26;
const CHECKED_HEADER_BYTES = 32;
const CHECKSUM_AT = 28;
const META_CHECKSUM_AT = 492;
const META_SUM_BYTES = 512;
const META_FIELD_BYTES = 20;
export const TYPE = { internalBtree: 3, internalRecno: 4, leafBtree: 5, leafRecno: 6, overflow: 7, btreeMeta: 9, duplicates: 12 } as const;
const HIGHEST_TYPE = 16;
const META_TYPES = [8, 9, 10, 14];
const QUEUE_DATA = 11;
const HEAP_TYPES = [15, 16];
/** Marks of items: a value on pages of its own, or a tree of duplicates. */
const ITEM_DUPLICATES = 2;
const ITEM_OVERFLOW = 3;
const DELETED = 0x80;

export interface PageHead {
  page: number;
  type: number;
  entries: number;
  lsn: { file: number; offset: number };
  next: number;
}

/** Checks what every page says of itself. @returns null for a page that is not in use. */
export function parsePage(bytes: Buffer, page: number, meta: Meta): PageHead | null {
  if (isZero(bytes)) return null;
  const words = new Words(meta.littleEndian);
  const type = bytes[25] as number;
  const number = words.u32(bytes, 8);
  if (meta.checksums) verify(bytes, type, words);
  if (number !== page) throw bad(`bears the number ${number}: another page was written here`);
  if (type > HIGHEST_TYPE) throw bad(`is of the unknown type ${type}`);
  const head = { page, type, entries: words.u16(bytes, 20), next: words.u32(bytes, 16), lsn: { file: words.u32(bytes, 0), offset: words.u32(bytes, 4) } };
  if (type === 0) return null;
  if (!META_TYPES.includes(type) && type !== QUEUE_DATA && type !== TYPE.overflow && !HEAP_TYPES.includes(type)) checkSpace(bytes, head, meta, words);
  return head;
}

function verify(bytes: Buffer, type: number, words: Words): void {
  const isMeta = META_TYPES.includes(type);
  const at = isMeta ? META_CHECKSUM_AT : CHECKSUM_AT;
  const sum = isMeta ? pageChecksum(bytes.subarray(0, META_SUM_BYTES), at, META_FIELD_BYTES) : pageChecksum(bytes, at, 4);
  if (words.u32(bytes, at) !== sum) throw bad('does not carry the checksum of its own bytes');
}

/** Items lie from the free space to the end of the page, and their places behind the header. */
function checkSpace(bytes: Buffer, { entries }: PageHead, meta: Meta, words: Words): void {
  const header = meta.checksums ? CHECKED_HEADER_BYTES : HEADER_BYTES;
  const free = words.u16(bytes, 22) || (meta.pageBytes === 65536 ? 65536 : 0);
  if (header + 2 * entries > free || free > meta.pageBytes) throw bad(`has ${entries} entries and free space up to ${free}`);
  for (let i = 0; i < entries; i++) {
    const place = words.u16(bytes, header + 2 * i);
    if (place < free || place >= meta.pageBytes) throw bad(`has an entry at ${place}, outside of its entries`);
  }
}

/** A page that this one leads to, and what it must be. */
export interface Link {
  page: number;
  kind: 'tree' | 'overflow' | 'database';
}

/** What a page of a btree or recno tree leads to. `subdatabases`: its values are the numbers of first pages. */
export function linksOf(bytes: Buffer, head: PageHead, meta: Meta, subdatabases: boolean): Link[] {
  const words = new Words(meta.littleEndian);
  if (head.type === TYPE.overflow) return head.next === 0 ? [] : [{ page: head.next, kind: 'overflow' }];
  const header = meta.checksums ? CHECKED_HEADER_BYTES : HEADER_BYTES;
  const links: Link[] = [];
  for (let i = 0; i < head.entries; i++) {
    const at = words.u16(bytes, header + 2 * i);
    if (i > 1 && at === words.u16(bytes, header + 2 * (i - 2)) && head.type === TYPE.leafBtree) continue; // a key that is shared by duplicates
    if (head.type === TYPE.internalBtree) links.push(...internal(bytes, at, words, i));
    else if (head.type === TYPE.internalRecno) links.push({ page: u32(bytes, at, words), kind: 'tree' });
    else links.push(...item(bytes, at, words, subdatabases && i % 2 === 1));
  }
  return links;
}

function internal(bytes: Buffer, at: number, words: Words, index: number): Link[] {
  const child: Link = { page: u32(bytes, at + 4, words), kind: 'tree' };
  const kind = (bytes[at + 2] as number) & ~DELETED;
  // The first key of an internal page means nothing.
  return kind === ITEM_OVERFLOW && index > 0 ? [child, { page: u32(bytes, at + 12 + 4, words), kind: 'overflow' }] : [child];
}

function item(bytes: Buffer, at: number, words: Words, isDatabase: boolean): Link[] {
  const kind = (bytes[at + 2] as number) & ~DELETED;
  if (kind === ITEM_OVERFLOW) return [{ page: u32(bytes, at + 4, words), kind: 'overflow' }];
  if (kind === ITEM_DUPLICATES) return [{ page: u32(bytes, at + 4, words), kind: 'tree' }];
  if (kind !== 1) throw bad(`has an item of the unknown kind ${kind}`);
  const length = words.u16(bytes, at);
  if (at + 3 + length > bytes.length) throw bad('has an item that reaches beyond it');
  if (!isDatabase || length !== 4) return [];
  // Big-endian in files of either order.
  return [{ page: bytes.readUInt32BE(at + 3), kind: 'database' }];
}

function u32(bytes: Buffer, at: number, words: Words): number {
  if (at + 4 > bytes.length) throw bad('has an item that reaches beyond it');
  return words.u32(bytes, at);
}

export function isZero(bytes: Buffer): boolean {
  return bytes[0] === 0 && bytes.compare(bytes, 1, bytes.length, 0, bytes.length - 1) === 0;
}

function bad(message: string): FormatError {
  return new FormatError({ code: 'berkeleydb.page', message });
}
