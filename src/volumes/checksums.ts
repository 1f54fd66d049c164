/** CRC-32 with its two usual polynomials, reflected. CRC-32C: RFC 3720, appendix B.4. */

const castagnoli = crcTable(0x82f63b78);
const ieee = crcTable(0xedb88320);

/** CRC-32C as file systems use it: start value and final inversion are the caller's when `raw`. */
export function crc32c(data: Uint8Array, seed = 0xffffffff, raw = false): number {
  const crc = run(castagnoli, data, seed);
  return raw ? crc : ~crc >>> 0;
}

/** CRC-32 of GPT and zip; with `raw` the start value is taken as it is and nothing is inverted (LVM). */
export function crc32(data: Uint8Array, seed = 0xffffffff, raw = false): number {
  const crc = run(ieee, data, seed);
  return raw ? crc : ~crc >>> 0;
}

function run(table: Uint32Array, data: Uint8Array, seed: number): number {
  let crc = seed >>> 0;
  for (let i = 0; i < data.length; i++) crc = (table[(crc ^ (data[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  return crc >>> 0;
}

function crcTable(polynomial: number): Uint32Array {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    table[i] = value >>> 0;
  }
  return table;
}
