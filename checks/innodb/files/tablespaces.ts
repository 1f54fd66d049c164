/** What each tablespace says of itself in page 0, and which of its pages are free. */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import { readGuestFile } from '../../../src/bytes/read-file.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteMap, GuestFiles } from '../../../src/types.js';
import { readDescriptors } from '../format/free-map.js';
import { isAllZero, PAGE } from '../format/page.js';
import { parseSpaceHeader, SPACE_HEADER_BYTES, type SpaceFlags, type SpaceHeader } from '../format/space-flags.js';
import type { PageForm } from '../page-proof.js';
import type { FileList, SpaceFile } from './list.js';

export interface Tablespace {
  file: SpaceFile;
  map: ByteMap;
  space: number;
  flags: SpaceFlags;
  form: PageForm;
  /** Null when page 0 is not what it should be: flags are then guessed from the others. */
  header: SpaceHeader | null;
  /** Page 0 is all zeroes: a file that was just made. */
  blank: boolean;
  /** Page 0 says how the pages are, or once were, encrypted (MariaDB). */
  everEncrypted: boolean;
  /** Number, within the tablespace, of the file's first page. */
  firstPage: number;
  firstBit: number;
}

export interface Tablespaces {
  spaces: Tablespace[];
  freeMap: SharedArrayBuffer;
  unreadable: string[];
}

const HEAD_BYTES = 65536;
const SYSTEM_SPACE = 0;
/** Source: MariaDB storage/innobase/fil/fil0crypt.cc (CRYPT_MAGIC); it lies behind the descriptors of page 0. */
const CRYPT_MAGIC = Buffer.from([0x73, 0x0e, 0x0c, 0x52, 0x45, 0x74]);

export async function readTablespaces(files: GuestFiles, list: FileList, family: 'mariadb' | 'mysql', signal: AbortSignal): Promise<Tablespaces> {
  const maps = await files.map(list.files.map((file) => file.location));
  const reader = new BlockReader();
  try {
    const found: Tablespace[] = [];
    const unreadable: string[] = [];
    for (const [i, file] of list.files.entries()) {
      signal.throwIfAborted();
      const map = maps[i];
      if (!map) unreadable.push(file.path);
      else if (map.sizeBytes > 0) found.push(await readOne(reader, file, map));
    }
    settle(found, family);
    const freeMap = await readFreeMap(reader, found, signal);
    return { spaces: found, freeMap, unreadable };
  } finally {
    await reader.close();
  }
}

async function readOne(reader: BlockReader, file: SpaceFile, map: ByteMap): Promise<Tablespace> {
  const head = Buffer.alloc(Math.min(HEAD_BYTES, map.sizeBytes));
  await reader.read(map, 0, head, head.length);
  const header = tryHeader(head);
  const flags = header?.flags ?? guessed();
  const form: PageForm = { pageBytes: flags.pageBytes, fullCrc32: flags.fullCrc32, zip: flags.zip, family: 'mariadb' };
  const known = { space: header?.space ?? -1, flags, form, header, everEncrypted: head.includes(CRYPT_MAGIC) };
  return { file, map, ...known, blank: isAllZero(head, 0, Math.min(1024, head.length)), firstPage: 0, firstBit: 0 };
}

/** Page size of the instance, by its system tablespace; the usual one where that does not say. */
export async function logicalPageBytes(files: GuestFiles, list: FileList): Promise<number> {
  const system = list.files.find((file) => file.kind === 'system');
  const head = system && (await readGuestFile(files, system.location, SPACE_HEADER_BYTES));
  return (head && tryHeader(head)?.flags.logicalBytes) || guessed().logicalBytes;
}

function tryHeader(head: Buffer): SpaceHeader | null {
  try {
    return parseSpaceHeader(head);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return null;
  }
}

function guessed(): SpaceFlags {
  const sizes = { logicalBytes: 16384, pageBytes: 16384 };
  return { raw: 0, fullCrc32: true, ...sizes, zip: false, pageCompressed: false, encrypted: false, sdi: false };
}

/** Files whose page 0 is damaged take the form most others have; the system tablespace goes on from file to file. */
function settle(found: Tablespace[], family: 'mariadb' | 'mysql'): void {
  const usual = mostCommon(found);
  let systemPages = 0;
  let systemFlags: SpaceFlags | null = null;
  for (const space of found) {
    if (!space.header && usual) space.flags = usual;
    if (space.file.kind === 'system') {
      systemFlags ??= space.flags;
      space.flags = systemFlags;
      space.firstPage = systemPages;
      space.space = SYSTEM_SPACE;
      systemPages += Math.floor(space.map.sizeBytes / space.flags.pageBytes);
    }
    const { pageBytes, fullCrc32, zip } = space.flags;
    space.form = { pageBytes, fullCrc32, zip, family };
  }
}

function mostCommon(found: Tablespace[]): SpaceFlags | null {
  const counts = new Map<number, { flags: SpaceFlags; count: number }>();
  for (const { header } of found) {
    if (!header) continue;
    const known = counts.get(header.flags.raw) ?? { flags: header.flags, count: 0 };
    known.count++;
    counts.set(header.flags.raw, known);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)[0]?.flags ?? null;
}

/** One bit per page of every file. Pages beyond the free limit were never used. */
async function readFreeMap(reader: BlockReader, found: Tablespace[], signal: AbortSignal): Promise<SharedArrayBuffer> {
  let bits = 0;
  for (const space of found) {
    space.firstBit = bits;
    bits += Math.ceil(space.map.sizeBytes / space.flags.pageBytes);
  }
  const shared = new SharedArrayBuffer(Math.ceil(bits / 8) + 1);
  const map = new Uint8Array(shared);
  const system = found.filter(({ file }) => file.kind === 'system');
  for (const space of found) {
    signal.throwIfAborted();
    await markFree(reader, space, space.file.kind === 'system' ? system : [space], map);
  }
  return shared;
}

/** @param together the files of the same tablespace. */
async function markFree(reader: BlockReader, space: Tablespace, together: Tablespace[], map: Uint8Array): Promise<void> {
  const { pageBytes, logicalBytes } = space.flags;
  const header = space.header ?? together[0]?.header;
  const pages = Math.floor(space.map.sizeBytes / pageBytes);
  if (!header || pages === 0) return; // nothing is known to be free
  const free = (page: number) => {
    const bit = space.firstBit + page - space.firstPage;
    if (page >= space.firstPage && page < space.firstPage + pages) map[bit >> 3] = (map[bit >> 3] as number) | (1 << (bit & 7));
  };
  for (let page = Math.max(header.freeLimit, space.firstPage, 1); page < space.firstPage + pages; page++) free(page);
  const buffer = Buffer.alloc(pageBytes);
  for (let number = space.firstPage - (space.firstPage % pageBytes); number < space.firstPage + pages; number += pageBytes) {
    const place = placeOf(together, number);
    if (!place) continue;
    await reader.read(place.map, place.offset, buffer, pageBytes);
    readDescriptors(buffer, number, pageBytes, logicalBytes, Math.min(header.freeLimit, space.firstPage + pages), free);
  }
}

/** A descriptor page of the system tablespace may lie in an earlier file than the pages it tells of. */
function placeOf(together: Tablespace[], page: number): { map: ByteMap; offset: number } | null {
  for (const { map, firstPage, flags } of together) {
    const offset = (page - firstPage) * flags.pageBytes;
    if (offset >= 0 && offset + flags.pageBytes <= map.sizeBytes) return { map, offset };
  }
  return null;
}

/** Whether the file is as long as page 0 says. The system tablespace counts all its files. */
export function promisedBytes(space: Tablespace, found: Tablespace[]): { promised: number; actual: number } | null {
  if (!space.header || (space.file.kind === 'system' && space.firstPage > 0)) return null;
  const files = space.file.kind === 'system' ? found.filter((other) => other.file.kind === 'system') : [space];
  return { promised: space.header.sizePages * space.flags.pageBytes, actual: files.reduce((sum, { map }) => sum + map.sizeBytes, 0) };
}

export const PAGE_NUMBER_AT = PAGE.number;
