/**
 * Which blocks an inode's data lies in, by extent tree or block map; only what finding the journal needs.
 * Format: the Linux kernel's documentation, filesystems/ext4/{inodes,ifork,group_descr}.rst.
 */
import type { ByteSource } from '../../types.js';
import { readWithin } from '../reading.js';
import type { ExtSuperblock } from './superblock.js';

const FLAG_EXTENTS = 0x80000;
const EXTENT_MAGIC = 0xf30a;
const MAX_DEPTH = 5;
const MAX_RUNS = 4096;
/** A journal needs a handful; a tree of empty nodes must not keep us. */
const MAX_NODES = 1024;
const DIRECT_BLOCKS = 12;

/** `blocks` blocks of the file from `logical` on are the blocks of the volume from `physical` on. */
export interface BlockRun {
  logical: number;
  physical: number;
  blocks: number;
}

/** Inodes of the first group only. Null when the inode, or a node of its tree, cannot be read or is no such thing. */
export async function readInodeRuns(source: ByteSource, sb: ExtSuperblock, inodeNumber: number): Promise<BlockRun[] | null> {
  const inode = await readInode(source, sb, inodeNumber);
  if (!inode) return null;
  const body = inode.subarray(0x28, 0x28 + 60);
  const runs: BlockRun[] = [];
  const whole =
    inode.readUInt32LE(0x20) & FLAG_EXTENTS
      ? await walkExtents(source, sb, body, MAX_DEPTH, runs, { nodesLeft: MAX_NODES })
      : await walkBlockMap(source, sb, body, runs);
  return whole ? runs : null;
}

async function readInode(source: ByteSource, sb: ExtSuperblock, inodeNumber: number): Promise<Buffer | null> {
  if (sb.inodeBytes < 128 || sb.descriptorBytes < 32) return null;
  const descriptor = await readWithin(source, (sb.firstDataBlock + 1) * sb.blockBytes, Math.min(sb.descriptorBytes, 64));
  if (!descriptor) return null;
  const high = descriptor.length >= 64 ? descriptor.readUInt32LE(0x28) : 0;
  const table = (descriptor.readUInt32LE(8) + high * 2 ** 32) * sb.blockBytes;
  return readWithin(source, table + (inodeNumber - 1) * sb.inodeBytes, 128);
}

async function walkExtents(
  source: ByteSource,
  sb: ExtSuperblock,
  node: Buffer,
  depthLeft: number,
  runs: BlockRun[],
  budget: { nodesLeft: number },
): Promise<boolean> {
  const entries = node.readUInt16LE(2);
  const depth = node.readUInt16LE(6);
  if (node.readUInt16LE(0) !== EXTENT_MAGIC || depth > depthLeft || 12 + entries * 12 > node.length || budget.nodesLeft-- <= 0) return false;
  for (let i = 0; i < entries; i++) {
    const entry = node.subarray(12 + i * 12, 24 + i * 12);
    if (runs.length >= MAX_RUNS) return false;
    if (depth === 0) {
      const length = entry.readUInt16LE(4);
      const physical = entry.readUInt32LE(8) + entry.readUInt16LE(6) * 2 ** 32;
      runs.push({ logical: entry.readUInt32LE(0), physical, blocks: length > 32768 ? length - 32768 : length });
      continue;
    }
    const child = await readWithin(source, (entry.readUInt32LE(4) + entry.readUInt16LE(8) * 2 ** 32) * sb.blockBytes, sb.blockBytes);
    if (!child || !(await walkExtents(source, sb, child, depth - 1, runs, budget))) return false;
  }
  return true;
}

/** Direct, indirect and double indirect blocks: enough for any journal of ext3. */
async function walkBlockMap(source: ByteSource, sb: ExtSuperblock, body: Buffer, runs: BlockRun[]): Promise<boolean> {
  let logical = 0;
  const append = (physical: number): boolean => {
    const last = runs.at(-1);
    if (physical !== 0 && last && last.physical + last.blocks === physical && last.logical + last.blocks === logical) last.blocks++;
    else if (physical !== 0) runs.push({ logical, physical, blocks: 1 });
    logical++;
    return runs.length <= MAX_RUNS;
  };
  const pointers = (block: Buffer) => Array.from({ length: block.length / 4 }, (_, i) => block.readUInt32LE(i * 4));
  const direct = pointers(body);
  if (!direct.slice(0, DIRECT_BLOCKS).every(append)) return false;
  const [single = 0, double = 0] = direct.slice(DIRECT_BLOCKS);
  const indirects = [single];
  if (double !== 0) {
    const block = await readWithin(source, double * sb.blockBytes, sb.blockBytes);
    if (!block) return false;
    indirects.push(...pointers(block));
  }
  for (const indirect of indirects) {
    if (indirect === 0) return true;
    const block = await readWithin(source, indirect * sb.blockBytes, sb.blockBytes);
    if (!block || !pointers(block).every(append)) return false;
  }
  return true;
}
