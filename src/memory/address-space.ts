/**
 * Where a machine's RAM appears in the guest's physical address space. PCs leave a hole below 4 GiB for devices, and what does not
 * fit under it continues at 4 GiB. The rules are those of QEMU's machine types, measured with `info mtree` of QEMU 7.2:
 * i440fx: all below 3.5 GiB, else 3 GiB and the rest (before pc-i440fx-2.0: 3.5 GiB and the rest); q35: all below 2.75 GiB, else
 * 2 GiB and the rest (before pc-q35-2.0: 2.75 GiB and the rest).
 */
/** A block of the stream's list. */
interface RamBlock {
  name: string;
  sizeBytes: number;
}

const GIB = 2 ** 30;
const FOUR_GIB = 4 * GIB;

/** A run of RAM. `block` counts in the stream's list. */
export interface RamSegment {
  address: number;
  lengthBytes: number;
  block: number;
  blockOffset: number;
}

/** Null: how machines of this type lay out their RAM is not known here. */
export function layOutRam(machineType: string, blocks: RamBlock[]): RamSegment[] | null {
  const low = lowBytesOf(machineType, sizeOf(mainBlocks(blocks)));
  if (low === null) return null;
  const segments: RamSegment[] = [];
  let at = 0;
  for (const block of mainBlocks(blocks)) {
    for (let offset = 0; offset < block.sizeBytes; ) {
      const lengthBytes = at < low ? Math.min(block.sizeBytes - offset, low - at) : block.sizeBytes - offset;
      const address = at < low ? at : FOUR_GIB + at - low;
      segments.push({ address, lengthBytes, block: blocks.indexOf(block), blockOffset: offset });
      offset += lengthBytes;
      at += lengthBytes;
    }
  }
  return segments;
}

/** Bytes below the hole. */
function lowBytesOf(machineType: string, ramBytes: number): number | null {
  const q35 = /^(pc-)?q35(-|$)/.test(machineType);
  if (!q35 && !/^(pc|pc-i440fx|pc-\d[\d.]*|xenfv)(-|$)/.test(machineType)) return null;
  const most = q35 ? 0xb0000000 : 0xe0000000;
  if (ramBytes < most) return ramBytes;
  if (/-[01]\.\d+$/.test(machineType)) return most;
  return q35 ? 2 * GIB : 3 * GIB;
}

/** The blocks that are the machine's RAM at its start: one, or one for each NUMA node; not memory plugged in later, ROMs or video memory. */
export function mainBlocks<Block extends RamBlock>(blocks: Block[]): Block[] {
  const whole = blocks.filter(({ name }) => name === 'pc.ram' || name === '/objects/pc.ram');
  if (whole.length > 0) return whole.slice(0, 1);
  const node = ({ name }: RamBlock) => Number(/^(?:\/objects\/)?ram-node(\d+)$/.exec(name)?.[1] ?? Number.NaN);
  const nodes = blocks.filter((block) => !Number.isNaN(node(block))).sort((a, b) => node(a) - node(b));
  if (nodes.length > 0) return nodes;
  return largest(blocks.filter(isRam));
}

/** What the machine has in all: with DIMMs that were plugged in. */
export function ramBytesOf(blocks: RamBlock[]): number {
  return sizeOf([...new Set([...mainBlocks(blocks), ...blocks.filter(isRam)])]);
}

/** A copy of the end of the firmware's flash, below one megabyte. */
const ISA_BIOS = 'isa-bios';

/** RAM of the machine or an object of the user: firmware has dots in its name or a folder of its own, devices have their address. */
export function isRam({ name }: RamBlock): boolean {
  return name !== ISA_BIOS && /^(\/objects\/)?[\w-]+$|^pc\.ram$/.test(name);
}

function largest<Block extends RamBlock>(blocks: Block[]): Block[] {
  return [...blocks].sort((a, b) => b.sizeBytes - a.sizeBytes).slice(0, 1);
}

function sizeOf(blocks: RamBlock[]): number {
  return blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
