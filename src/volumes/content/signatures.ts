/** File systems that are told by a few bytes at a fixed place. Places and values as in the formats' own documentation. */
import type { ByteSource, FileSystemType, VolumeContent } from '../../types.js';
import { readWithin, textField, uuidField } from '../reading.js';

interface Signature {
  type: FileSystemType;
  offset: number;
  bytes: Buffer;
  /** Offset of the uuid from the start of the volume. */
  uuidAt?: number;
  label?: { at: number; length: number };
}

const hex = (digits: string) => Buffer.from(digits, 'hex');

const SIGNATURES: Signature[] = [
  { type: 'iso9660', offset: 32769, bytes: Buffer.from('CD001'), label: { at: 32808, length: 32 } },
  { type: 'squashfs', offset: 0, bytes: Buffer.from('hsqs') },
  { type: 'apfs', offset: 32, bytes: Buffer.from('NXSB'), uuidAt: 72 },
  { type: 'hfs+', offset: 1024, bytes: hex('482b0004') },
  { type: 'hfs+', offset: 1024, bytes: hex('48580005') },
  { type: 'f2fs', offset: 1024, bytes: hex('1020f5f2'), uuidAt: 1024 + 108 },
  { type: 'reiserfs', offset: 65536 + 52, bytes: Buffer.from('ReIsEr'), uuidAt: 65536 + 84, label: { at: 65536 + 100, length: 16 } },
  { type: 'jfs', offset: 32768, bytes: Buffer.from('JFS1'), uuidAt: 32768 + 136, label: { at: 32768 + 152, length: 16 } },
  { type: 'ufs', offset: 8192 + 1372, bytes: hex('54190100') },
  { type: 'ufs', offset: 8192 + 1372, bytes: hex('00011954') },
  { type: 'ufs', offset: 65536 + 1372, bytes: hex('19015419') },
  { type: 'ufs', offset: 65536 + 1372, bytes: hex('19540119') },
];

export async function identifyBySignature(source: ByteSource): Promise<VolumeContent | null> {
  for (const { type, offset, bytes, uuidAt, label } of SIGNATURES) {
    const found = await readWithin(source, offset, bytes.length);
    if (!found?.equals(bytes)) continue;
    const uuid = uuidAt === undefined ? null : await readWithin(source, uuidAt, 16);
    const name = label ? await readWithin(source, label.at, label.length) : null;
    return { kind: 'filesystem', type, uuid: uuid && uuidField(uuid, 0), label: name && textField(name, 0, name.length, 'latin1') };
  }
  return (await holdsZfsLabel(source)) ? { kind: 'filesystem', type: 'zfs', uuid: null, label: null } : null;
}

const ZFS_LABEL_BYTES = 256 * 1024;
const ZFS_UBERBLOCKS_AT = 128 * 1024;
const ZFS_MAGIC = 0x00bab10cn;

/** Each of the first two labels ends in an array of uberblocks, in the byte order of the machine that wrote it. */
async function holdsZfsLabel(source: ByteSource): Promise<boolean> {
  for (const label of [0, 1]) {
    const array = await readWithin(source, label * ZFS_LABEL_BYTES + ZFS_UBERBLOCKS_AT, ZFS_LABEL_BYTES - ZFS_UBERBLOCKS_AT);
    for (let at = 0; array && at + 1024 <= array.length; at += 1024) {
      if (array.readBigUInt64LE(at) === ZFS_MAGIC || array.readBigUInt64BE(at) === ZFS_MAGIC) return true;
    }
  }
  return false;
}
