/** What a memory file is, by its first bytes. Names decide nothing here: they only help where bytes say nothing. */
import { extname } from 'node:path';
import type { MemoryCompression } from '../ways.js';

/** Bytes that `recogniseMemory` wants to see of the start of a file. */
export const MEMORY_HEAD_BYTES = 64;

export type RecognisedMemory =
  | { kind: 'qemu-stream' }
  | { kind: 'libvirt-save' }
  | { kind: 'qcow2' }
  | { kind: 'compressed'; compression: Exclude<MemoryCompression, 'none'> }
  /** Goes on from "it is ". */
  | { kind: 'other'; what: string };

const COMPRESSED: { bytes: string; compression: Exclude<MemoryCompression, 'none'> }[] = [
  { bytes: '\x1f\x8b\x08', compression: 'gzip' },
  { bytes: '\x28\xb5\x2f\xfd', compression: 'zstd' },
  { bytes: '\xfd7zXZ\0', compression: 'xz' },
  { bytes: 'BZh', compression: 'bzip2' },
  { bytes: '\x89LZO\0\r\n\x1a\n', compression: 'lzop' },
];

const OTHERS: { bytes: string; what: string }[] = [
  { bytes: '\xd0\xbe\xd2\xbe', what: "VMware's saved state (.vmsn, .vmss)" },
  { bytes: '\xd1\xba\xd1\xba', what: "VMware's saved state (.vmsn, .vmss)" },
  { bytes: '\xd2\xbe\xd2\xbe', what: "VMware's saved state (.vmsn, .vmss)" },
  { bytes: '\xd3\xbe\xd3\xbe', what: "VMware's saved state (.vmsn, .vmss)" },
  { bytes: '\x7fVirtualBox SavedState', what: "VirtualBox's saved state (.sav)" },
  { bytes: '\x14\x20\x28\x01', what: "Hyper-V's saved state (.vmrs)" },
  { bytes: 'XenSavedDom', what: 'a machine suspended by XenServer' },
  { bytes: 'Xen saved domain', what: 'a domain saved by Xen' },
  { bytes: 'LinuxGuestRecord', what: 'a domain saved by Xen' },
  { bytes: '\xff\xff\xff\xff\xff\xff\xff\xffXENF', what: 'a domain saved by Xen' },
  { bytes: 'VMA\0', what: 'a Proxmox VMA archive: extract it first (vma extract), and name what is inside of it' },
  { bytes: '\x7fELF', what: 'an ELF dump of the memory, from which no machine can be resumed' },
  { bytes: 'KDUMP   ', what: 'a compressed dump of the memory, from which no machine can be resumed' },
  { bytes: 'PAGEDU', what: 'a crash dump of Windows, from which no machine can be resumed' },
  { bytes: 'EMiL', what: 'a LiME dump of the memory, from which no machine can be resumed' },
  { bytes: '\x11\x22\x33\x44', what: 'one of several channels of a migration of QEMU (multifd): the main one is missing' },
  { bytes: '\x04\x22\x4d\x18', what: 'compressed with lz4: unpack it first' },
];

/** By extension, where the first bytes say nothing. */
const NAMED: Record<string, string> = {
  '.vmem': "VMware's memory without its description (.vmsn, .vmss)",
  '.bin': "perhaps Hyper-V's saved memory (.bin)",
  '.vsv': "Hyper-V's saved device state (.vsv)",
};

/** Null: the bytes are of no kind that is known here. */
export function recogniseMemory(head: Buffer): RecognisedMemory | null {
  const text = head.toString('latin1', 0, MEMORY_HEAD_BYTES);
  if (text.startsWith('QEVM')) return { kind: 'qemu-stream' };
  if (text.startsWith('LibvirtQemudSave') || text.startsWith('LibvirtQemudPart')) return { kind: 'libvirt-save' };
  if (text.startsWith('QFI\xfb')) return { kind: 'qcow2' };
  const compressed = COMPRESSED.find(({ bytes }) => text.startsWith(bytes));
  if (compressed) return { kind: 'compressed', compression: compressed.compression };
  const other = OTHERS.find(({ bytes }) => text.startsWith(bytes));
  return other ? { kind: 'other', what: other.what } : null;
}

/** What the name alone suggests; null when it suggests nothing. */
export function memoryByName(path: string): string | null {
  return NAMED[extname(path).toLowerCase()] ?? null;
}

/** Names that backup programs give to saved memory, packed or not: `vm.mem`, `vm-100-state-a.vmstate.zst`. */
export function isMemoryName(name: string): boolean {
  return /\.(mem|memspec|save|sav|vmstate|ram|vmem|vmsn|vmss|vmrs|vsv)(\.(gz|zst|xz|bz2|lzo))?$/i.test(name);
}
