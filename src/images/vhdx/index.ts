/** VHDX: fixed and dynamic; differencing disks are refused. Source: [MS-VHDX]. */
import type { ByteSource } from '../../types.js';
import { HighWater, type ImageHeader, readExactly, readInChunks, refuse, u64le } from '../header.js';
import { type Region, readCurrentHeader, readMetadata, readRegions } from './structures.js';

const ITEM = {
  fileParameters: 'caa16737-fa36-4d43-b3b6-33f0aa44e76b',
  diskSize: '2fa54224-cd1b-4876-b211-5dbed83bf4b8',
  logicalSector: '8141bf1d-a96f-4709-ba47-f233a8faab5f',
  parentLocator: 'a8d35f2d-b30b-454d-abf7-d3d84834ab0c',
};
const CHUNK_BYTES = 2 ** 20;
const MIB = 2 ** 20;
const MAX_DISK_BYTES = 2 ** 50;
const STATE = { fullyPresent: 6, partiallyPresent: 7 };

interface Geometry {
  blockBytes: number;
  virtualSizeBytes: number;
  /** Payload blocks between two sector bitmap blocks in the block table. */
  chunkRatio: number;
}

/** @throws FormatError */
export async function parseVhdx(source: ByteSource): Promise<ImageHeader> {
  const signature = await readExactly(source, 0, 8, 'VHDX signature');
  if (signature.toString('latin1') !== 'vhdxfile')
    throw refuse('format-contradicted', 'the file is stated to be VHDX, but does not start with the VHDX signature');
  const header = await readCurrentHeader(source);
  const { bat, metadata } = await readRegions(source);
  const geometry = readGeometry(await readMetadata(source, metadata, Object.values(ITEM)));
  const reached = new HighWater();
  for (const region of [metadata, header.log]) reached.note(region.offset + region.lengthBytes);
  await walkBlockTable(source, bat, geometry, reached);
  const details = { version: 1, blockBytes: geometry.blockBytes, logInUse: header.logInUse };
  return { format: 'vhdx', virtualSizeBytes: geometry.virtualSizeBytes, promisedBytes: reached.bytes, backing: null, internalSnapshots: [], details };
}

function readGeometry(items: Map<string, Buffer>): Geometry {
  const parameters = items.get(ITEM.fileParameters);
  const size = items.get(ITEM.diskSize);
  const sector = items.get(ITEM.logicalSector);
  if (!parameters || parameters.length < 8 || !size || size.length < 8 || !sector || sector.length < 4) {
    throw refuse('vhdx.metadata', 'the VHDX does not say how large its disk, blocks or sectors are: its metadata is damaged');
  }
  if (parameters.readUInt32LE(4) & 2 || items.has(ITEM.parentLocator)) {
    throw refuse('vhdx.differencing', 'the VHDX is a differencing disk: it needs its parent, which is refused', 'Merge it into one file.');
  }
  const blockBytes = parameters.readUInt32LE(0);
  const sectorBytes = sector.readUInt32LE(0);
  const virtualSizeBytes = u64le(size, 0, 'disk size');
  const powerOfTwo = (blockBytes & (blockBytes - 1)) === 0;
  if (blockBytes < MIB || blockBytes > 256 * MIB || !powerOfTwo || ![512, 4096].includes(sectorBytes) || virtualSizeBytes > MAX_DISK_BYTES) {
    throw refuse(
      'vhdx.metadata',
      `the VHDX states an impossible geometry (blocks of ${blockBytes}, sectors of ${sectorBytes}, disk of ${virtualSizeBytes} bytes)`,
    );
  }
  return { blockBytes, virtualSizeBytes, chunkRatio: (2 ** 23 * sectorBytes) / blockBytes };
}

/** Entries: state in bits 0 to 2, file offset in MiB from bit 20. Every `chunkRatio` payload blocks a bitmap entry follows, unused without a parent. */
async function walkBlockTable(source: ByteSource, bat: Region, geometry: Geometry, reached: HighWater): Promise<void> {
  const blocks = Math.ceil(geometry.virtualSizeBytes / geometry.blockBytes);
  const entries = blocks + Math.floor(Math.max(0, blocks - 1) / geometry.chunkRatio);
  if (entries * 8 > bat.lengthBytes) throw refuse('vhdx.block-table', 'the block table of the VHDX is too small for its disk: it is damaged');
  reached.note(bat.offset + bat.lengthBytes);
  let index = 0;
  for await (const chunk of readInChunks(source, bat.offset, entries * 8, CHUNK_BYTES)) {
    for (let at = 0; at + 8 <= chunk.length; at += 8, index++) {
      const isBitmap = index % (geometry.chunkRatio + 1) === geometry.chunkRatio;
      const state = chunk.readUInt8(at) & 7;
      if (isBitmap || (state !== STATE.fullyPresent && state !== STATE.partiallyPresent)) continue;
      reached.note(chunk.readUInt32LE(at + 4) * 2 ** 32 + ((chunk.readUInt32LE(at) & 0xfff00000) >>> 0) + geometry.blockBytes);
    }
  }
}
