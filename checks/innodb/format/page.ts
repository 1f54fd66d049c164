/**
 * The header every InnoDB page begins with (MariaDB and MySQL: storage/innobase/include/fil0fil.h, fil0types.h). Big-endian.
 * Offsets in bytes within a page.
 */
export const PAGE = { checksum: 0, number: 4, prev: 8, next: 12, lsn: 16, type: 24, keyVersion: 26, space: 34, data: 38 } as const;

/** Page types that decide how a page is judged (fil0fil.h: FIL_PAGE_*). */
export const TYPE = {
  allocated: 0,
  undo: 2,
  inode: 3,
  bitmap: 5,
  system: 6,
  header: 8,
  descriptors: 9,
  blob: 10,
  compressed: 14,
  encrypted: 15,
  compressedEncrypted: 16,
  encryptedRtree: 17,
  index: 17855,
  pageCompressed: 34354,
  pageCompressedEncrypted: 37401,
} as const;

const HIGH = 2 ** 32;

/** An LSN is a byte position in the log; 2^53 bytes are more than any log ever wrote. */
export function readLsn(view: DataView, at: number): number {
  return view.getUint32(at) * HIGH + view.getUint32(at + 4);
}

export function isAllZero(bytes: Uint8Array, start: number, end: number): boolean {
  let from = start;
  if ((bytes.byteOffset + start) % 8 === 0 && end - start >= 64) {
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset + start, (end - start) >> 3);
    for (let i = 0; i < words.length; i++) if (words[i] !== 0n) return false;
    from += words.length * 8;
  }
  for (let i = from; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
