/**
 * VHD (qemu calls it vpc): fixed and dynamic; differencing disks are refused.
 * Source: Virtual Hard Disk Image Format Specification 1.0, Microsoft 2006. All numbers are big-endian.
 */
import type { ByteSource } from '../types.js';
import { HighWater, type ImageHeader, readExactly, readInChunks, refuse, u64be } from './header.js';

const SECTOR = 512;
const FOOTER_BYTES = 512;
const DYNAMIC_BYTES = 1024;
const CHUNK_BYTES = 2 ** 20;
const MAX_BAT_ENTRIES = 2 ** 26;
const UNUSED = 0xffffffff;
const TYPE = { fixed: 2, dynamic: 3, differencing: 4 } as const;

interface Footer {
  type: number;
  virtualSizeBytes: number;
  dataOffset: bigint;
  creator: string;
}

/** Whether the last 512 bytes of a file are the (intact) footer of a fixed VHD. */
export function isFixedFooter(tail: Buffer): boolean {
  return tail.length === FOOTER_BYTES && isFooter(tail) && tail.readUInt32BE(60) === TYPE.fixed && checksumHolds(tail, 64);
}

/** @throws FormatError */
export async function parseVhd(source: ByteSource): Promise<ImageHeader> {
  const copy = source.sizeBytes >= FOOTER_BYTES ? await source.read(0, FOOTER_BYTES) : Buffer.alloc(0);
  const tail = source.sizeBytes >= FOOTER_BYTES ? await source.read(source.sizeBytes - FOOTER_BYTES, FOOTER_BYTES) : Buffer.alloc(0);
  const footerAtEnd = isFooter(tail) && checksumHolds(tail, 64);
  const copyAtStart = isFooter(copy) && checksumHolds(copy, 64);
  if (!footerAtEnd && !copyAtStart) {
    const code = isFooter(tail) || isFooter(copy) ? 'vpc.checksum' : 'format-contradicted';
    throw refuse(
      code,
      'the file is stated to be VHD, but has no intact VHD footer at its end (nor a copy at its start): it is cut off, damaged or something else',
    );
  }
  const footer = readFooter(footerAtEnd ? tail : copy);
  if (footer.type === TYPE.differencing)
    throw refuse('vpc.differencing', 'the VHD is a differencing disk: it needs its parent, which is refused', 'Merge it into one file.');
  const details = { creator: footer.creator, footerAtEnd };
  if (footer.type === TYPE.fixed) return fixed(footer, details);
  if (footer.type === TYPE.dynamic) return dynamic(source, footer, { ...details, copyAtStart });
  throw refuse('vpc.type', `the VHD footer states disk type ${footer.type}; fixed (2) and dynamic (3) are known`);
}

function fixed(footer: Footer, details: ImageHeader['details']): ImageHeader {
  const promisedBytes = footer.virtualSizeBytes + FOOTER_BYTES;
  return header(footer, promisedBytes, { ...details, subformat: 'fixed' });
}

async function dynamic(source: ByteSource, footer: Footer, details: ImageHeader['details']): Promise<ImageHeader> {
  if (footer.dataOffset > BigInt(source.sizeBytes)) throw refuse('truncated-header', 'the VHD ends before its dynamic disk header');
  const sparse = await readExactly(source, Number(footer.dataOffset), DYNAMIC_BYTES, 'dynamic disk header');
  if (sparse.toString('latin1', 0, 8) !== 'cxsparse') throw refuse('vpc.dynamic-header', 'the dynamic disk header of the VHD is not there');
  if (!checksumHolds(sparse, 36)) throw refuse('vpc.checksum', 'the dynamic disk header of the VHD does not match its checksum: it is damaged');
  const table = { offset: u64be(sparse, 16, 'block table offset'), entries: sparse.readUInt32BE(28) };
  const blockBytes = sparse.readUInt32BE(32);
  if (blockBytes < SECTOR || (blockBytes & (blockBytes - 1)) !== 0)
    throw refuse('vpc.block-size', `the VHD states blocks of ${blockBytes} bytes, which is no power of two`);
  if (table.entries > MAX_BAT_ENTRIES || table.entries * blockBytes < footer.virtualSizeBytes) {
    throw refuse('vpc.block-table', `the VHD states a block table of ${table.entries} entries, which does not fit the size of its disk`);
  }
  const bitmapBytes = Math.ceil(blockBytes / SECTOR / 8 / SECTOR) * SECTOR;
  const reached = new HighWater();
  reached.note(table.offset + table.entries * 4);
  for await (const chunk of readInChunks(source, table.offset, table.entries * 4, CHUNK_BYTES)) {
    for (let at = 0; at + 4 <= chunk.length; at += 4) {
      const sector = chunk.readUInt32BE(at);
      if (sector !== UNUSED) reached.note(sector * SECTOR + bitmapBytes + blockBytes);
    }
  }
  return header(footer, reached.bytes + FOOTER_BYTES, { ...details, subformat: 'dynamic', blockBytes });
}

function header(footer: Footer, promisedBytes: number, details: ImageHeader['details']): ImageHeader {
  return { format: 'vpc', virtualSizeBytes: footer.virtualSizeBytes, promisedBytes, backing: null, internalSnapshots: [], details };
}

function readFooter(bytes: Buffer): Footer {
  return {
    type: bytes.readUInt32BE(60),
    virtualSizeBytes: u64be(bytes, 48, 'disk size'),
    dataOffset: bytes.readBigUInt64BE(16),
    creator: bytes.toString('latin1', 28, 32).replace(/[^ -~]/g, '.'),
  };
}

function isFooter(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 8) === 'conectix';
}

/** One's complement of the sum of all bytes but the checksum's own four. */
function checksumHolds(bytes: Buffer, at: number): boolean {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) if (i < at || i >= at + 4) sum += bytes[i] ?? 0;
  return ~sum >>> 0 === bytes.readUInt32BE(at);
}
