/** A screen's pixels: QEMU writes them as a PPM (netpbm, ppm(5)); for people they become a PNG (W3C PNG, second edition). */
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { FormatError } from '../../../errors.js';

export interface Pixels {
  width: number;
  height: number;
  /** Three bytes each, row by row. */
  rgb: Buffer;
}

const MAX_SIDE = 16_384;
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** `P6`, width, height, 255, then the pixels. @throws FormatError */
export function parsePpm(file: Buffer): Pixels {
  const header = /^P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s/.exec(file.toString('latin1', 0, 64));
  const [width, height] = [Number(header?.[1]), Number(header?.[2])];
  if (!header || !(width > 0 && width <= MAX_SIDE && height > 0 && height <= MAX_SIDE)) throw malformed('it has no header that QEMU writes');
  const rgb = file.subarray(header[0].length, header[0].length + width * height * 3);
  if (rgb.length < width * height * 3) throw malformed(`it ends before its ${width} x ${height} pixels do`);
  return { width, height, rgb };
}

/** Whether all pixels of a part of the screen have one colour. */
export function isUniform({ width, rgb }: Pixels, x: number, y: number, columns: number, rows: number): boolean {
  const first = (y * width + x) * 3;
  const colour = rgb.readUIntBE(first, 3);
  for (let row = 0; row < rows; row++) {
    const start = first + row * width * 3;
    for (let at = start; at < start + columns * 3; at += 3) if (rgb.readUIntBE(at, 3) !== colour) return false;
  }
  return true;
}

export function isBlank({ rgb }: Pixels): boolean {
  return rgb.length < 6 || rgb.compare(rgb, 3, rgb.length, 0, rgb.length - 3) === 0;
}

export async function pngOf({ width, height, rgb }: Pixels): Promise<Buffer> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB
  const rows = Buffer.alloc(height * (width * 3 + 1)); // each row begins with its filter: none
  for (let row = 0; row < height; row++) rgb.copy(rows, row * (width * 3 + 1) + 1, row * width * 3, (row + 1) * width * 3);
  const data = await promisify(deflate)(rows);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function malformed(why: string): FormatError {
  return new FormatError({ code: 'machine.screen', message: `The picture of the screen cannot be read: ${why}.` });
}
