/** Changes members of groups and arrays, and an NTFS, to what an older or unfinished state would look like, checksums included. */
import { readFile, writeFile } from 'node:fs/promises';
import { crc32c } from '../../src/bytes/crc32c.js';
import { crc32 } from '../../src/volumes/checksums.js';

const LVM_SEED = 0xf597a6cf;

/** Lowers the sequence number in the current metadata text of a physical volume. The label tells where its area lies. */
export async function ageLvmMember(path: string): Promise<void> {
  const bytes = await readFile(path);
  const label = [0, 512, 1024, 1536].find((at) => bytes.toString('latin1', at, at + 8) === 'LABELONE');
  if (label === undefined) throw new Error(`${path} has no label`);
  const lists = label + bytes.readUInt32LE(label + 20) + 40;
  // Data areas end with a zero entry; the first metadata area follows.
  let at = lists;
  while (bytes.readBigUInt64LE(at) !== 0n) at += 16;
  const area = Number(bytes.readBigUInt64LE(at + 16));
  const textAt = area + Number(bytes.readBigUInt64LE(area + 40));
  const textBytes = Number(bytes.readBigUInt64LE(area + 48));
  const text = bytes.subarray(textAt, textAt + textBytes);
  const older = text.toString('latin1').replace(/seqno = (\d+)/, (_, digits: string) => `seqno = ${String(Number(digits) - 1).padEnd(digits.length, ' ')}`);
  text.write(older, 'latin1');
  bytes.writeUInt32LE(crc32(text, LVM_SEED, true), area + 56);
  bytes.writeUInt32LE(crc32(bytes.subarray(area + 4, area + 512), LVM_SEED, true), area);
  await writeFile(path, bytes);
}

/** Lowers the event count of a member with a superblock of version 1.2. */
export async function ageRaidMember(path: string, events: number): Promise<void> {
  const bytes = await readFile(path);
  const sb = bytes.subarray(4096, 4096 + 256 + bytes.readUInt32LE(4096 + 220) * 2);
  sb.writeBigUInt64LE(sb.readBigUInt64LE(200) - BigInt(events), 200);
  sb.writeUInt32LE(0, 216);
  let sum = 0n;
  for (let at = 0; at + 4 <= sb.length; at += 4) sum += BigInt(sb.readUInt32LE(at));
  if (sb.length % 4) sum += BigInt(sb.readUInt16LE(sb.length - 2));
  sb.writeUInt32LE(Number(((sum & 0xffffffffn) + (sum >> 32n)) & 0xffffffffn), 216);
  await writeFile(path, bytes);
}

/** Sets the dirty flag of $Volume, record 3 of the MFT and of its mirror. Clusters and records as mkntfs makes them. */
export async function markNtfsDirty(path: string): Promise<void> {
  const bytes = await readFile(path);
  const clusterBytes = bytes.readUInt16LE(11) * bytes.readUInt8(13);
  for (const field of [48, 56]) setDirty(bytes, Number(bytes.readBigUInt64LE(field)) * clusterBytes + 3 * 1024);
  await writeFile(path, bytes);
}

/** In attribute 0x70, $VOLUME_INFORMATION. */
function setDirty(bytes: Buffer, record: number): void {
  let at = record + bytes.readUInt16LE(record + 20);
  while (bytes.readUInt32LE(at) !== 0x70) {
    if (bytes.readUInt32LE(at) === 0xffffffff) throw new Error('there is no $VOLUME_INFORMATION');
    at += bytes.readUInt32LE(at + 4);
  }
  const flags = at + bytes.readUInt16LE(at + 20) + 10;
  bytes.writeUInt16LE(bytes.readUInt16LE(flags) | 1, flags);
}

/** Puts one entry into the log of a VHDX, as a machine that was running leaves it. Format: [MS-VHDX] 2.3, log. */
export async function markVhdxLogInUse(path: string): Promise<void> {
  const bytes = await readFile(path);
  const guid = Buffer.alloc(16, 0x11);
  const log = Number(bytes.readBigUInt64LE(65_536 + 72));
  bytes.subarray(log, log + 4096).fill(0);
  bytes.write('loge', log, 'latin1');
  bytes.writeUInt32LE(4096, log + 8); // length of the entry; its tail is itself, at 0
  bytes.writeBigUInt64LE(1n, log + 16);
  bytes.writeUInt32LE(1, log + 24);
  guid.copy(bytes, log + 32);
  bytes.writeBigUInt64LE(BigInt(bytes.length), log + 48);
  bytes.writeBigUInt64LE(BigInt(bytes.length), log + 56);
  bytes.write('zero', log + 64, 'latin1');
  bytes.writeBigUInt64LE(4096n, log + 72);
  bytes.writeBigUInt64LE(BigInt(bytes.length - 4096), log + 80);
  bytes.writeBigUInt64LE(1n, log + 88);
  bytes.writeUInt32LE(crc32c(bytes, log, log + 4096), log + 4);
  for (const header of [65_536, 131_072]) {
    guid.copy(bytes, header + 48);
    bytes.writeUInt32LE(0, header + 4);
    bytes.writeUInt32LE(crc32c(bytes, header, header + 4096), header + 4);
  }
  await writeFile(path, bytes);
}
