/** A boot sector from a listing that people can read: each line is machine code (hexadecimal) and, after `|`, the assembly it comes from. */

const SECTOR_BYTES = 512;

/** @param data what lies at an offset of the sector besides the code */
export function bootSectorOf(listing: string, data: Record<number, Uint8Array> = {}): Buffer {
  const code = listing.split('\n').map((line) => line.split('|')[0]?.replaceAll(' ', '') ?? '');
  const sector = Buffer.alloc(SECTOR_BYTES);
  sector.write(code.join(''), 'hex');
  for (const [offset, bytes] of Object.entries(data)) sector.set(bytes, Number(offset));
  sector.writeUInt16LE(0xaa55, SECTOR_BYTES - 2);
  return sector;
}
