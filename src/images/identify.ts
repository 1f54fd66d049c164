/** Recognises an image format by its first bytes (and, for fixed VHD, its last 512). */
import type { ImageFormat } from '../types.js';
import { isFixedFooter } from './vhd.js';

/** Bytes that `identifyFormat` wants to see of the start of a file. */
export const HEAD_BYTES = 512;

/** VMware formats that are not one self-contained sparse file. */
export type OtherVmdk = 'vmdk-descriptor' | 'vmdk-cowd' | 'vmdk-sesparse';

/** The format whose magic the bytes carry; null when they carry none (then it can only be raw). */
export function identifyFormat(head: Buffer, tail?: Buffer): ImageFormat | null {
  if (starts(head, 'QFI\xfb')) return 'qcow2';
  if (starts(head, 'KDMV')) return 'vmdk';
  if (starts(head, 'conectix')) return 'vpc';
  if (starts(head, 'vhdxfile')) return 'vhdx';
  if (head.length >= 68 && head.readUInt32LE(64) === 0xbeda107f) return 'vdi';
  return tail && isFixedFooter(tail) ? 'vpc' : null;
}

/** A VMware file of a kind that points to other files or that nothing here reads; null for all else. */
export function identifyOtherVmdk(head: Buffer): OtherVmdk | null {
  if (starts(head, 'COWD')) return 'vmdk-cowd';
  if (head.length >= 8 && head.readBigUInt64LE(0) === 0xcafebaben) return 'vmdk-sesparse';
  return /^\s*#\s*Disk DescriptorFile/i.test(head.toString('latin1')) ? 'vmdk-descriptor' : null;
}

function starts(head: Buffer, magic: string): boolean {
  return head.subarray(0, magic.length).toString('latin1') === magic;
}
