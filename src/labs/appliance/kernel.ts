/**
 * The kernel of the appliance without its compression: to unpack itself costs it half a second under emulation, at each launch.
 * Layout: Documentation/x86/boot.rst of Linux (`setup_sects`, `payload_offset`, `payload_length`). QEMU starts an ELF kernel at the
 * entry that a note of Xen's names (XEN_ELFNOTE_PHYS32_ENTRY, docs/misc/pvh.pandoc of Xen).
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { runTool } from '../../process/run-tool.js';
import { findTool } from '../../setup/debian.mjs';

const SECTOR_BYTES = 512;
const DEFAULT_SETUP_SECTORS = 4;
const TIMEOUT_MS = 60_000;

/** By the first bytes of what they unpack. */
const UNPACKERS = [
  { magic: 0x184c2102, tool: 'lz4', args: ['-d', '-q', '-f'], output: [] },
  { magic: 0xfd2fb528, tool: 'zstd', args: ['-d', '-q', '-f'], output: ['-o'] },
];

/** Replaces the kernel file. @returns false: it stays as it is, because it is packed in another way, or cannot be started unpacked. */
export async function unpackKernel(path: string): Promise<boolean> {
  const payload = kernelPayload(await readFile(path));
  const unpacker = payload && UNPACKERS.find(({ magic }) => payload.readUInt32LE(0) === magic);
  if (!payload || !unpacker || !findTool(unpacker.tool)) return false;
  const [packed, unpacked] = [`${path}.packed`, `${path}.unpacked`];
  try {
    await writeFile(packed, payload);
    const { exitCode } = await runTool({ tool: unpacker.tool, args: [...unpacker.args, packed, ...unpacker.output, unpacked], timeoutMs: TIMEOUT_MS });
    if (exitCode !== 0 || !startsUnpacked(await readFile(unpacked))) return false;
    await rename(unpacked, path);
    return true;
  } finally {
    await rm(packed, { force: true });
    await rm(unpacked, { force: true });
  }
}

/** The packed kernel inside a bzImage; null when it is none. Its last four bytes, the unpacked size, are no part of the stream. */
export function kernelPayload(image: Buffer): Buffer | null {
  if (image.length < 2 * SECTOR_BYTES || image.toString('latin1', 0x202, 0x206) !== 'HdrS' || image.readUInt16LE(0x206) < 0x208) return null;
  const start = ((image[0x1f1] || DEFAULT_SETUP_SECTORS) + 1) * SECTOR_BYTES + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c) - 4);
  return payload.length >= 8 && start + payload.length <= image.length ? payload : null;
}

const PT_NOTE = 4;
const PHYS32_ENTRY = 18;
const PROGRAM_HEADER_BYTES = 56;

/** Whether a 64-bit ELF kernel names the entry that QEMU needs. */
export function startsUnpacked(elf: Buffer): boolean {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf.readUInt16LE(54) !== PROGRAM_HEADER_BYTES) return false;
  const first = Number(elf.readBigUInt64LE(32));
  for (let i = 0, at = first; i < elf.readUInt16LE(56) && at + PROGRAM_HEADER_BYTES <= elf.length; i++, at += PROGRAM_HEADER_BYTES) {
    if (elf.readUInt32LE(at) !== PT_NOTE) continue;
    const offset = Number(elf.readBigUInt64LE(at + 8));
    if (namesEntry(elf.subarray(offset, offset + Number(elf.readBigUInt64LE(at + 32))))) return true;
  }
  return false;
}

/** Notes: sizes of name and content, type, then both, each filled up to four bytes. */
function namesEntry(notes: Buffer): boolean {
  const filled = (length: number) => Math.ceil(length / 4) * 4;
  for (let at = 0; at + 12 <= notes.length; ) {
    const [nameBytes, contentBytes, type] = [notes.readUInt32LE(at), notes.readUInt32LE(at + 4), notes.readUInt32LE(at + 8)];
    if (type === PHYS32_ENTRY && notes.toString('latin1', at + 12, at + 16) === 'Xen\0') return true;
    at += 12 + filled(nameBytes) + filled(contentBytes);
  }
  return false;
}
