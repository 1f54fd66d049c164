/** The file systems that a Linux guest had mounted from block devices. */
import type { LinuxKernel, StructureView } from './kernel.js';
import { type LogHead, readLogHead } from './log-heads.js';

const REQUIRES_DEVICE = 1n;
const READ_ONLY = 1n;
/** Mounted wholly, and not being unmounted. */
const BORN = 1n << 29n;
const ACTIVE = 1n << 30n;
const UUID = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

export interface MountedFileSystem {
  /** As the guest calls the device: `vda1`, `dm-0`. */
  device: string;
  type: string;
  uuid: string | null;
  /** 0: not frozen. Else how far the freeze had come; 4 is all the way. */
  frozen: number;
  readOnly: boolean;
  /** False while it is being mounted or unmounted: then nothing of it can be relied on. */
  steady: boolean;
  /** Null when this one keeps none that is read here; a text says why it could not be read. */
  log: LogHead | string | null;
}

/** @throws FormatError when the kernel's list cannot be read: then nothing is known of any of them */
export async function readMounts(kernel: LinuxKernel): Promise<MountedFileSystem[]> {
  const mounts: MountedFileSystem[] = [];
  for (const address of await kernel.list(kernel.symbol('super_blocks'), 'super_block', 's_list')) {
    const block = await kernel.view('super_block', address);
    const type = await block.follow('s_type', 'file_system_type');
    if ((type.value('fs_flags') & REQUIRES_DEVICE) !== 0n) mounts.push(await readMount(kernel, block, await nameOf(kernel, type)));
  }
  return mounts;
}

async function nameOf(kernel: LinuxKernel, type: StructureView): Promise<string> {
  const bytes = await kernel.memory.readUpTo(type.value('name'), 32);
  return /^[\w.+-]{1,31}/.exec(bytes.toString('latin1'))?.[0] ?? 'unknown';
}

async function readMount(kernel: LinuxKernel, block: StructureView, type: string): Promise<MountedFileSystem> {
  const hex = block.slice('s_uuid').toString('hex');
  const flags = block.value('s_flags');
  return {
    device: block.text('s_id'),
    type,
    uuid: /^0*$/.test(hex) ? null : hex.replace(UUID, '$1-$2-$3-$4-$5'),
    frozen: block.number('s_writers.frozen'),
    readOnly: (flags & READ_ONLY) !== 0n,
    steady: (flags & BORN) !== 0n && (flags & ACTIVE) !== 0n,
    log: await readLogHead(kernel, block, type),
  };
}
