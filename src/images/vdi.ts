/**
 * VDI (VirtualBox): dynamic and static; differencing disks are refused. All numbers are little-endian.
 * Source: the public description of the format, "All about VDIs", forums.virtualbox.org, and qemu's behaviour.
 */
import type { ByteSource } from '../types.js';
import { HighWater, type ImageHeader, readExactly, readInChunks, refuse, u64le } from './header.js';

const HEADER_BYTES = 512;
const CHUNK_BYTES = 2 ** 20;
const SIGNATURE = 0xbeda107f;
/** Block map values from here on mean: not allocated, or discarded. */
const FIRST_UNALLOCATED = 0xfffffffe;
const SUBFORMATS: Record<number, string> = { 1: 'dynamic', 2: 'static' };

/** @throws FormatError */
export async function parseVdi(source: ByteSource): Promise<ImageHeader> {
  const head = await readExactly(source, 0, HEADER_BYTES, 'VDI header');
  if (head.readUInt32LE(64) !== SIGNATURE) throw refuse('format-contradicted', 'the file is stated to be VDI, but does not carry the VDI signature');
  const version = head.readUInt32LE(68);
  if (version !== 0x00010001) throw refuse('vdi.version', `VDI version ${version >>> 16}.${version & 0xffff} is not known; 1.1 is`);
  const subformat = SUBFORMATS[head.readUInt32LE(76)];
  if (!subformat || head.subarray(424, 456).some((byte) => byte !== 0)) {
    throw refuse('vdi.differencing', 'the VDI is a differencing or undo disk: it needs its parent, which is refused', 'Clone it into one file.');
  }
  const map = { offset: head.readUInt32LE(340), entries: head.readUInt32LE(384) };
  const data = { offset: head.readUInt32LE(344), blockBytes: head.readUInt32LE(376), extraBytes: head.readUInt32LE(380) };
  const virtualSizeBytes = u64le(head, 368, 'disk size');
  if (data.blockBytes === 0 || map.entries * data.blockBytes < virtualSizeBytes) {
    throw refuse('vdi.block-map', `the VDI states ${map.entries} blocks of ${data.blockBytes} bytes, too few for the size of its disk`);
  }
  const { promisedBytes, allocatedBlocks } = await walkMap(source, map, data);
  const details = { subformat, blockBytes: data.blockBytes, allocatedBlocks, statedBlocks: head.readUInt32LE(388) };
  return { format: 'vdi', virtualSizeBytes, promisedBytes, backing: null, internalSnapshots: [], details };
}

interface BlockData {
  offset: number;
  blockBytes: number;
  extraBytes: number;
}

async function walkMap(
  source: ByteSource,
  map: { offset: number; entries: number },
  data: BlockData,
): Promise<{ promisedBytes: number; allocatedBlocks: number }> {
  const reached = new HighWater();
  let allocatedBlocks = 0;
  reached.note(map.offset + map.entries * 4);
  for await (const chunk of readInChunks(source, map.offset, map.entries * 4, CHUNK_BYTES)) {
    for (let at = 0; at + 4 <= chunk.length; at += 4) {
      const block = chunk.readUInt32LE(at);
      if (block >= FIRST_UNALLOCATED) continue;
      allocatedBlocks++;
      reached.note(data.offset + (block + 1) * (data.blockBytes + data.extraBytes));
    }
  }
  return { promisedBytes: reached.bytes, allocatedBlocks };
}
