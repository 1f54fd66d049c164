/**
 * Pages of SQL Server data files: 8192 bytes, little-endian, with a header of 96 bytes. Offsets after Mark S. Rasmussen,
 * "Reverse Engineering SQL Server Page Headers" (improve.dk, 2011), held against files that servers wrote.
 */
export const PAGE_BYTES = 8192;

export const PAGE_TYPES = { gam: 8, pfs: 11, boot: 13, fileHeader: 15 } as const;

/** Of `flagBits`: how the page was protected when it was written. Neither is set on pages that no writer has protected yet. */
export const TORN_BITS = 0x100;
export const CHECKSUM = 0x200;

/** A position in the log: number of the virtual log file, block in units of 512 bytes from its start, record in the block (from 1). */
export interface Lsn {
  vlf: number;
  block: number;
  slot: number;
}

export interface PageHeader {
  version: number;
  type: number;
  flags: number;
  page: number;
  file: number;
  nextFile: number;
  previousFile: number;
  lsn: Lsn;
  stored: number;
}

/** `offset` is that of the page; the view must hold 64 bytes from there. */
export function pageHeader(view: DataView, offset: number): PageHeader {
  return {
    version: view.getUint8(offset),
    type: view.getUint8(offset + 1),
    flags: view.getUint16(offset + 4, true),
    previousFile: view.getUint16(offset + 12, true),
    nextFile: view.getUint16(offset + 20, true),
    page: view.getUint32(offset + 32, true),
    file: view.getUint16(offset + 36, true),
    lsn: lsnAt(view, offset + 40),
    stored: view.getUint32(offset + 60, true),
  };
}

export function lsnAt(view: DataView, offset: number): Lsn {
  return { vlf: view.getUint32(offset, true), block: view.getUint32(offset + 4, true), slot: view.getUint16(offset + 8, true) };
}

/** Negative, 0 or positive, as for sorting. */
export function compareLsn(a: Lsn, b: Lsn): number {
  return a.vlf - b.vlf || a.block - b.block || a.slot - b.slot;
}

/** As SQL Server's own messages print it. */
export function formatLsn({ vlf, block, slot }: Lsn): string {
  return `${vlf}:${block}:${slot}`;
}

const SECTOR_WORDS = 128;

/**
 * The sum of pages and log blocks alike: the words of each sector of 512 bytes are XORed, and the sum turns left by one bit
 * between sectors. Found on files that servers wrote; no publication is known.
 * @param words little-endian 32-bit words; `skip` is the index of the word that stores the sum and counts as zero.
 */
export function sectorSum(words: Int32Array, first: number, sectors: number, skip: number): number {
  let sum = 0;
  for (let sector = 0, i = first; sector < sectors; sector++) {
    let x = 0;
    for (const end = i + SECTOR_WORDS; i < end; i += 4) {
      x ^= (words[i] as number) ^ (words[i + 1] as number) ^ (words[i + 2] as number) ^ (words[i + 3] as number);
    }
    if (skip >= i - SECTOR_WORDS && skip < i) x ^= words[skip] as number;
    sum = ((sum << 1) | (sum >>> 31)) ^ x;
  }
  return sum >>> 0;
}

/** @param firstWord index of the page's first word. */
export function pageSum(words: Int32Array, firstWord: number): number {
  return sectorSum(words, firstWord, 16, firstWord + 15);
}

/** An owned, aligned copy of one page (or any run of whole sectors), as words. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(new Uint8Array(bytes).buffer, 0, bytes.length >> 2);
}

/**
 * Pages under "torn page detection" keep two bits of each sector in their header. Two descriptions are known: the stored bits
 * are those of the sectors (SQL Server 2005 on, jongurgul.com), or all sectors end in the two low bits that the header has (2000).
 * A whole page fits one of them.
 */
export function tornBitsFit(view: DataView, offset: number, stored: number): boolean {
  let same = true;
  let pattern = true;
  for (let sector = 1; sector < 16; sector++) {
    const bits = view.getUint8(offset + sector * 512 + 511) & 3;
    same &&= bits === ((stored >>> (2 * sector)) & 3);
    pattern &&= bits === (stored & 3);
  }
  return same || pattern;
}

export function isZeroPage(words: Int32Array, firstWord: number): boolean {
  for (let i = firstWord, end = firstWord + PAGE_BYTES / 4; i < end; i++) if (words[i] !== 0) return false;
  return true;
}
