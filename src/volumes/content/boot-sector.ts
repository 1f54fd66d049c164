/**
 * File systems told by their boot sector. Formats: Microsoft's FAT specification 1.03 and exFAT specification 1.00;
 * the NTFS and BitLocker OEM names.
 */
import type { VolumeContent } from '../../types.js';
import { textField } from '../reading.js';

/** What a boot sector (512 bytes) says the volume is; null when it is no boot sector of a known file system. */
export function identifyBootSector(sector: Buffer): VolumeContent | null {
  const oemName = sector.toString('latin1', 3, 11);
  if (oemName === 'NTFS    ') return { kind: 'filesystem', type: 'ntfs', uuid: serial(sector, 0x48, 8), label: null };
  if (oemName === 'EXFAT   ') return { kind: 'filesystem', type: 'exfat', uuid: serial(sector, 100, 4), label: null };
  if (oemName === '-FVE-FS-') return { kind: 'encrypted', scheme: 'bitlocker', uuid: null };
  if (oemName.startsWith('ReFS\0\0\0\0')) return { kind: 'filesystem', type: 'refs', uuid: serial(sector, 0x38, 8), label: null };
  return isFatBootSector(sector) ? identifyFat(sector) : null;
}

/** The extended boot record of FAT32 lies further back than that of FAT12 and FAT16. */
function identifyFat(sector: Buffer): VolumeContent {
  const at = sector.readUInt16LE(22) === 0 ? 0x42 : 0x26;
  const extended = sector[at] === 0x29;
  const label = extended ? textField(sector, at + 5, 11, 'latin1') : null;
  return { kind: 'filesystem', type: 'fat', uuid: extended ? serial(sector, at + 1, 4) : null, label: label === 'NO NAME' ? null : label };
}

/** FAT has no magic number: every field of its parameter block must be one that the specification allows. */
function isFatBootSector(sector: Buffer): boolean {
  const sectorBytes = sector.readUInt16LE(11);
  const clusterSectors = sector.readUInt8(13);
  const media = sector.readUInt8(21);
  const fatSectors = sector.readUInt16LE(22) || sector.readUInt32LE(36);
  return (
    (sector[0] === 0xeb || sector[0] === 0xe9) &&
    [512, 1024, 2048, 4096].includes(sectorBytes) &&
    clusterSectors !== 0 &&
    (clusterSectors & (clusterSectors - 1)) === 0 &&
    sector.readUInt16LE(14) > 0 &&
    [1, 2].includes(sector.readUInt8(16)) &&
    (media === 0xf0 || media >= 0xf8) &&
    fatSectors > 0 &&
    (sector.readUInt16LE(19) || sector.readUInt32LE(32)) > 0
  );
}

/** Serial numbers are printed most significant byte first. */
function serial(sector: Buffer, offset: number, length: number): string {
  const hex = Buffer.from(sector.subarray(offset, offset + length))
    .reverse()
    .toString('hex')
    .toUpperCase();
  return length === 4 ? `${hex.slice(0, 4)}-${hex.slice(4)}` : hex;
}
