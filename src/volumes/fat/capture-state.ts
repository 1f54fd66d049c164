/**
 * The state of FAT and exFAT as captured: flags that say whether the volume was in use and whether its medium failed.
 * Formats: Microsoft's FAT specification 1.03 (FAT[1] and the boot sector's reserved byte) and exFAT specification 1.00, section 3.1.13.
 */
import type { ByteSource, CaptureState, Facts } from '../../types.js';
import { readWithin } from '../reading.js';

const EXFAT_DIRTY = 0x2;
const EXFAT_MEDIA_FAILURE = 0x4;
/** Of the byte that Windows and Linux keep in the boot sector. */
const BOOT_DIRTY = 0x1;
const BOOT_ERROR = 0x2;

/** Neither has a log: a volume in use has nothing to replay, and only its checker can tell whether it is whole (`inUse`). */
export async function readExfatState(source: ByteSource): Promise<CaptureState> {
  const boot = await readWithin(source, 0, 512);
  if (!boot) return unreadable();
  const flags = boot.readUInt16LE(106);
  return judge({ volumeFlags: flags }, (flags & EXFAT_DIRTY) !== 0, (flags & EXFAT_MEDIA_FAILURE) !== 0);
}

export async function readFatState(source: ByteSource): Promise<CaptureState> {
  const boot = await readWithin(source, 0, 512);
  if (!boot) return unreadable();
  const width = fatWidth(boot);
  const bootFlags = boot.readUInt8(width === 32 ? 0x41 : 0x25);
  const entry = await secondEntry(source, boot, width);
  if (entry === null) return { state: 'damaged', why: 'the file allocation table lies beyond the end of the volume', facts: { fatBits: width } };
  const facts: Facts = { fatBits: width, bootFlags };
  return judge(facts, entry.dirty || (bootFlags & BOOT_DIRTY) !== 0, entry.failed || (bootFlags & BOOT_ERROR) !== 0);
}

/** The number of clusters alone decides the kind of FAT. */
function fatWidth(boot: Buffer): 12 | 16 | 32 {
  const sectorBytes = boot.readUInt16LE(11) || 512;
  const fatSectors = boot.readUInt16LE(22) || boot.readUInt32LE(36);
  const rootSectors = Math.ceil((boot.readUInt16LE(17) * 32) / sectorBytes);
  const totalSectors = boot.readUInt16LE(19) || boot.readUInt32LE(32);
  const dataSectors = totalSectors - boot.readUInt16LE(14) - boot.readUInt8(16) * fatSectors - rootSectors;
  const clusters = Math.floor(dataSectors / (boot.readUInt8(13) || 1));
  return clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32;
}

/** FAT[1] has a bit that is set while the volume is *not* in use, and one that is set while no error was met. FAT12 has neither. */
async function secondEntry(source: ByteSource, boot: Buffer, width: 12 | 16 | 32): Promise<{ dirty: boolean; failed: boolean } | null> {
  const start = boot.readUInt16LE(14) * boot.readUInt16LE(11);
  const entries = await readWithin(source, start, 8);
  if (!entries) return null;
  if (width === 12) return { dirty: false, failed: false };
  const entry = width === 16 ? entries.readUInt16LE(2) << 12 : entries.readUInt32LE(4);
  return { dirty: (entry & 0x08000000) === 0, failed: (entry & 0x04000000) === 0 };
}

function judge(facts: Facts, dirty: boolean, failed: boolean): CaptureState {
  const all = { ...facts, dirty, mediaFailure: failed };
  if (failed) return { state: 'damaged', why: "the guest's own system had met read or write errors on this volume", facts: all };
  if (!dirty) return { state: 'clean', why: 'the volume is not marked as in use', facts: all };
  return { state: 'unknown', why: 'the volume was in use and has no log: only its checker can tell whether it is whole', facts: { ...all, inUse: true } };
}

function unreadable(): CaptureState {
  return { state: 'damaged', why: 'the boot sector cannot be read', facts: {} };
}
