/**
 * Checksums of ESE: the old one, an XOR of 32-bit words, and the new one of two 32-bit words, XOR and ECC.
 * Source: the comments on both formats in Microsoft's published Extensible Storage Engine; proved on files that Windows wrote.
 */
const XOR_SEED = 0x89abcdef;

/** XOR of all 32-bit words from byte 4 on: headers of files, and pages of the old format. `length` is a multiple of 4. */
export function xorSum(view: DataView, offset: number, length: number): number {
  let sum = XOR_SEED;
  for (let at = offset + 4; at < offset + length; at += 4) sum ^= view.getInt32(at, true);
  return sum >>> 0;
}

export interface EccSum {
  xor: number;
  ecc: number;
}

/**
 * Of one block, a power of two from 1,024 to 8,192 bytes. `seed` is the number of the page (of a log: of the segment).
 * Bits are numbered from the first on. The low half of the ECC is the XOR of the numbers of all bits that are set, the high half
 * that of their complements. The first block of a page holds the sum in its first 8 bytes, which count as zeroes.
 */
export function eccSum(words: Int32Array, firstWord: number, wordCount: number, seed: number, holdsSum: boolean): EccSum {
  let xor = 0;
  let rows = 0;
  for (let i = holdsSum ? 2 : 0; i < wordCount; i++) {
    const word = words[firstWord + i] as number;
    xor ^= word;
    if (isOdd(word)) rows ^= i;
  }
  let columns = 0;
  for (let bit = 0; bit < 32; bit++) if ((xor >>> bit) & 1) columns ^= bit;
  const low = ((rows << 5) ^ columns) & 0xffff;
  const high = isOdd(xor) ? low ^ bitMask(wordCount) : low;
  return { xor: (xor ^ seed) >>> 0, ecc: ((high << 16) | low) >>> 0 };
}

function isOdd(word: number): boolean {
  let folded = word ^ (word >>> 16);
  folded ^= folded >>> 8;
  folded ^= folded >>> 4;
  return ((0x6996 >>> (folded & 15)) & 1) !== 0;
}

function bitMask(wordCount: number): number {
  return (wordCount * 32 - 1) & 0xffff;
}

/** Number of the one bit in which a block differs from what its sum says; null when it is none or more than one. */
export function flippedBit(stored: EccSum, computed: EccSum, wordCount: number): number | null {
  const difference = stored.ecc ^ computed.ecc;
  const mask = bitMask(wordCount);
  if ((((difference >>> 16) ^ difference) & mask) !== mask) return null;
  const words = (stored.xor ^ computed.xor) >>> 0;
  const single = words !== 0 && (words & (words - 1)) === 0;
  return single ? difference & mask : null;
}
