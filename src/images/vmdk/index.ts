/**
 * VMDK in one file: monolithic sparse and stream-optimised. Everything that points to other files is refused.
 * Source: "Hosted Sparse Extents" and "Stream-Optimized Compressed Sparse Extents" in VMware's Virtual Disk Format 5.0. Little-endian.
 */
import type { ByteSource } from '../../types.js';
import { type ImageHeader, readAvailable, readExactly, refuse, u64le } from '../header.js';
import { identifyOtherVmdk } from '../identify.js';
import { parseDescriptor } from './descriptor.js';
import { walkGrains } from './grains.js';

const SECTOR = 512;
const MAX_DESCRIPTOR_BYTES = 2 ** 20;
const DIRECTORY_AT_END = 0xffffffffffffffffn;
const FLAG = { zeroGrain: 4, compressed: 2 ** 16 };

export interface SparseFields {
  version: number;
  compressed: boolean;
  zeroGrain: boolean;
  capacitySectors: number;
  grainSectors: number;
  entriesPerTable: number;
  directoryOffset: bigint;
  descriptor: { offset: number; lengthBytes: number };
  overheadBytes: number;
  uncleanShutdown: boolean;
}

/** @throws FormatError */
export async function parseVmdk(source: ByteSource): Promise<ImageHeader> {
  assertSparse(await readAvailable(source, 0, SECTOR));
  const head = await readExactly(source, 0, SECTOR, 'VMDK header');
  const fields = readSparseHeader(head);
  const text = await readExactly(source, fields.descriptor.offset, fields.descriptor.lengthBytes, 'VMDK descriptor');
  const descriptor = parseDescriptor(text.toString('latin1').replace(/\0[\s\S]*$/, ''));
  const streamed = fields.directoryOffset === DIRECTORY_AT_END;
  const directory = streamed ? await directoryFromFooter(source) : fields;
  const walk = await walkGrains(source, directory, streamed);
  return {
    format: 'vmdk',
    virtualSizeBytes: fields.capacitySectors * SECTOR,
    promisedBytes: Math.max(walk.promisedBytes, fields.overheadBytes),
    backing: null,
    internalSnapshots: [],
    details: {
      version: fields.version,
      subformat: descriptor.createType.slice(0, 64),
      compressed: fields.compressed,
      uncleanShutdown: fields.uncleanShutdown,
      tablesBeyondEnd: walk.tablesBeyondEnd,
      complete: walk.complete,
    },
  };
}

/** The footer of a stream-optimised file repeats the header, with the place of the grain directory. */
async function directoryFromFooter(source: ByteSource): Promise<SparseFields> {
  const at = source.sizeBytes - 2 * SECTOR;
  const footer = at > 0 ? await source.read(at, SECTOR) : Buffer.alloc(0);
  if (footer.toString('latin1', 0, 4) !== 'KDMV') {
    throw refuse('vmdk.footer', 'the stream-optimised VMDK has no footer at its end: the file is cut off', 'Fetch the file again from where it was made.');
  }
  const fields = readSparseHeader(footer);
  if (fields.directoryOffset === DIRECTORY_AT_END)
    throw refuse('vmdk.footer', 'the footer of the VMDK does not say where the grain directory lies: it is damaged');
  return fields;
}

function readSparseHeader(head: Buffer): SparseFields {
  assertSparse(head);
  const flags = head.readUInt32LE(8);
  const fields: SparseFields = {
    version: head.readUInt32LE(4),
    compressed: (flags & FLAG.compressed) !== 0,
    zeroGrain: (flags & FLAG.zeroGrain) !== 0,
    capacitySectors: u64le(head, 12, 'capacity'),
    grainSectors: u64le(head, 20, 'grain size'),
    entriesPerTable: head.readUInt32LE(44),
    directoryOffset: head.readBigUInt64LE(56),
    descriptor: { offset: u64le(head, 28, 'descriptor offset') * SECTOR, lengthBytes: u64le(head, 36, 'descriptor size') * SECTOR },
    overheadBytes: 0,
    uncleanShutdown: head.readUInt8(72) !== 0,
  };
  assertSane(fields, head.readUInt16LE(77));
  return fields;
}

function assertSparse(head: Buffer): void {
  if (head.toString('latin1', 0, 4) === 'KDMV') return;
  const other = identifyOtherVmdk(head);
  if (!other) throw refuse('format-contradicted', 'the file is stated to be VMDK, but does not start with the VMDK magic');
  const kind = {
    'vmdk-descriptor': 'only a descriptor that names other files',
    'vmdk-cowd': 'an ESX (COWD) delta',
    'vmdk-sesparse': 'an ESX (SE sparse) delta',
  }[other];
  throw refuse('vmdk.extents', `the VMDK is ${kind}, which is refused`, 'Export it as one monolithic sparse or stream-optimised file.');
}

/** A capacity of 0 makes readers follow the embedded descriptor to other files. */
function assertSane(fields: SparseFields, compression: number): void {
  if (fields.version < 1 || fields.version > 3) throw refuse('vmdk.version', `VMDK version ${fields.version} is not known; 1 to 3 are`);
  if (fields.capacitySectors === 0) throw refuse('vmdk.capacity', 'the VMDK states a capacity of 0 and so points to other files, which is refused');
  if (fields.capacitySectors * SECTOR > Number.MAX_SAFE_INTEGER) throw refuse('absurd-size', 'the capacity of the VMDK is absurd');
  const grainFits = fields.grainSectors >= 1 && fields.grainSectors <= 2 ** 21;
  if (!grainFits || fields.entriesPerTable < 1 || fields.entriesPerTable > 512)
    throw refuse('vmdk.grains', 'the VMDK states an impossible grain or grain table size: the header is damaged');
  if (fields.descriptor.lengthBytes > MAX_DESCRIPTOR_BYTES || (fields.descriptor.lengthBytes > 0 && fields.descriptor.offset === 0)) {
    throw refuse('vmdk.descriptor', 'the VMDK states an impossible place for its descriptor: the header is damaged');
  }
  if (fields.compressed && compression !== 1) throw refuse('vmdk.compression', `VMDK compression ${compression} is not known; 1 (deflate) is`);
}
