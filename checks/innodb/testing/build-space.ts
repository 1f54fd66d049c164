/** Tablespaces of MySQL built from the published format, all pages in use, with the checksum that MySQL writes (crc32). */
import { crc32c } from '../../../src/bytes/crc32c.js';

const SIZE = 16384;
const HEADER = 8;
const SDI_FLAG = 1 << 14;

export const MYSQL_PAGE_BYTES = SIZE;

/** Page 0 is the header; each page carries the LSN that `lsnOf` says. */
export function mysqlSpace(space: number, pages: number, lsnOf: (page: number) => number): Buffer {
  return Buffer.concat(Array.from({ length: pages }, (_, number) => sealPage(pageOf(space, number, pages), number, lsnOf(number))));
}

function pageOf(space: number, number: number, pages: number): Buffer {
  const page = Buffer.alloc(SIZE, number === 0 ? 0 : 0x20 + number);
  page.fill(0, 0, 38);
  page.writeUInt16BE(number === 0 ? HEADER : 17855, 24);
  page.writeUInt32BE(space, 34);
  if (number > 0) return page;
  page.writeUInt32BE(space, 38);
  page.writeUInt32BE(pages, 46);
  page.writeUInt32BE(64, 50);
  page.writeUInt32BE(SDI_FLAG, 54);
  // The first extent belongs to somebody, and no page of it is free.
  page.writeUInt32BE(2, 150 + 20);
  page.fill(0xaa, 150 + 24, 150 + 40);
  return page;
}

/** Sets number, LSN and checksums, in place. */
export function sealPage(page: Buffer, number: number, lsn: number): Buffer {
  page.writeUInt32BE(number, 4);
  page.writeBigUInt64BE(BigInt(lsn), 16);
  const sum = (crc32c(page, 4, 26) ^ crc32c(page, 38, SIZE - 8)) >>> 0;
  page.writeUInt32BE(sum, 0);
  page.writeUInt32BE(sum, SIZE - 8);
  page.writeUInt32BE(lsn % 2 ** 32, SIZE - 4);
  return page;
}

/** A file as MySQL begins it: page 0 holds number and flags and no type, the others nothing. */
export function justMadeSpace(space: number, pages: number): Buffer {
  const file = Buffer.alloc(pages * SIZE);
  const page = file.subarray(0, SIZE);
  page.writeUInt32BE(80_016, 8);
  page.writeUInt32BE(1, 12);
  page.writeUInt32BE(space, 34);
  page.writeUInt32BE(space, 38);
  page.writeUInt32BE(0x21, 54);
  sealPage(page, 0, 0);
  return file;
}
