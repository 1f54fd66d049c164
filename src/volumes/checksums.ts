/** CRC-32 with its two usual polynomials, as file systems and volume managers use them. */
import { crc32c as standardCrc32c } from '../bytes/crc32c.js';

const ieee = crcTable(0xedb88320);

/** CRC-32C as file systems use it: start value and final inversion are the caller's when `raw`. */
export function crc32c(data: Uint8Array, seed = 0xffffffff, raw = false): number {
  const crc = standardCrc32c(data, 0, data.length, ~seed);
  return raw ? ~crc >>> 0 : crc;
}

/** CRC-32 of GPT and zip; with `raw` the start value is taken as it is and nothing is inverted (LVM). */
export function crc32(data: Uint8Array, seed = 0xffffffff, raw = false): number {
  const crc = run(data, seed);
  return raw ? crc : ~crc >>> 0;
}

function run(data: Uint8Array, seed: number): number {
  let crc = seed >>> 0;
  for (let i = 0; i < data.length; i++) crc = (ieee[(crc ^ (data[i] as number)) & 0xff] as number) ^ (crc >>> 8);
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
