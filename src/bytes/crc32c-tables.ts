/**
 * CRC-32C (Castagnoli), reflected polynomial 0x82F63B78, as in RFC 3720 appendix B.4.
 * Eight bytes per step by eight tables ("slicing by 8"): several times faster than one byte per step.
 */
const POLYNOMIAL = 0x82f63b78;
/** Eight tables of 256 words: table k holds the effect of a byte followed by k zero bytes. */
export const TABLES = buildTables();

/** Below this the view over the words costs more than it saves. */
const LONG_BYTES = 512;
/** Words are read in the machine's own order: only the little-endian one is right. */
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** As `crc32c`, which knows a faster way for many bytes. */
export function crc32cByTables(bytes: Uint8Array, start = 0, end = bytes.length, previous = 0): number {
  const t = TABLES;
  let crc = ~previous;
  let i = start;
  if (LITTLE_ENDIAN && end - start >= LONG_BYTES) {
    for (; (bytes.byteOffset + i) & 3; i++) crc = (t[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8);
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + i, ((end - i) >> 3) * 2);
    crc = throughWords(crc, words);
    i += 4 * words.length;
  }
  const wordsEnd = i + ((end - i) & ~7);
  for (; i < wordsEnd; i += 8) crc = step(t, crc ^ word(bytes, i), word(bytes, i + 4));
  for (; i < end; i++) crc = (t[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function throughWords(start: number, words: Int32Array): number {
  const t = TABLES;
  let crc = start;
  for (let i = 0; i < words.length; i += 2) crc = step(t, crc ^ (words[i] as number), words[i + 1] as number);
  return crc;
}

function step(t: Int32Array, low: number, high: number): number {
  return (
    (t[0x700 | (low & 255)] as number) ^
    (t[0x600 | ((low >>> 8) & 255)] as number) ^
    (t[0x500 | ((low >>> 16) & 255)] as number) ^
    (t[0x400 | (low >>> 24)] as number) ^
    (t[0x300 | (high & 255)] as number) ^
    (t[0x200 | ((high >>> 8) & 255)] as number) ^
    (t[0x100 | ((high >>> 16) & 255)] as number) ^
    (t[high >>> 24] as number)
  );
}

function word(bytes: Uint8Array, i: number): number {
  return (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
}

/** Table k holds the effect of a byte followed by k zero bytes. */
function buildTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number;
    tables[i] = (before >>> 8) ^ (tables[before & 255] as number);
  }
  return tables;
}
