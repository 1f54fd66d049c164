/** Log records: XLogRecord and its block headers in src/include/access/xlogrecord.h (PostgreSQL 11 to 18). */
import { crc32c } from '../../../src/bytes/crc32c.js';
import { FormatError } from '../../../src/errors.js';
import { readLsn } from './lsn.js';

export const RECORD_HEADER_BYTES = 24;

export interface RecordHeader {
  totalBytes: number;
  transaction: number;
  previous: number;
  /** High four bits: the operation, by resource manager. */
  info: number;
  resourceManager: number;
  crc: number;
}

export interface BlockImage {
  /** Redo puts the image in place; otherwise it is only for checking. */
  apply: boolean;
  compression: 'none' | 'pglz' | 'lz4' | 'zstd';
  /** Offset of its bytes in the record, and their length. */
  offset: number;
  lengthBytes: number;
  holeOffset: number;
}

export interface BlockReference {
  tablespace: number;
  database: number;
  relation: number;
  /** 0 main, 1 fsm, 2 vm, 3 init. */
  fork: number;
  block: number;
  image: BlockImage | null;
  /** Redo makes the page anew without reading it. */
  willInit: boolean;
  dataBytes: number;
}

/** `mainOffset`: where the operation's own data starts. */
export interface RecordBody {
  blocks: BlockReference[];
  mainOffset: number;
  mainBytes: number;
}

export function parseRecordHeader(bytes: Buffer, offset: number): RecordHeader {
  return {
    totalBytes: bytes.readUInt32LE(offset),
    transaction: bytes.readUInt32LE(offset + 4),
    previous: readLsn(bytes, offset + 8),
    info: bytes.readUInt8(offset + 16),
    resourceManager: bytes.readUInt8(offset + 17),
    crc: bytes.readUInt32LE(offset + 20),
  };
}

/** The CRC covers what follows the header, then the header up to the CRC. */
export function recordCrcMatches(bytes: Buffer, offset: number, totalBytes: number): boolean {
  const body = crc32c(bytes, offset + RECORD_HEADER_BYTES, offset + totalBytes);
  return crc32c(bytes, offset, offset + 20, body) === bytes.readUInt32LE(offset + 20);
}

const ID = { short: 255, long: 254, origin: 253, topTransaction: 252, maxBlock: 32 };
const FORK = { mask: 0x0f, hasImage: 0x10, hasData: 0x20, willInit: 0x40, sameRelation: 0x80 };

/** The parts of a whole record whose CRC matched. Throws FormatError when the lengths inside contradict each other. */
export function parseRecordBody(bytes: Buffer, offset: number, totalBytes: number, version: number): RecordBody {
  const end = offset + totalBytes;
  const cursor = new Cursor(bytes, offset + RECORD_HEADER_BYTES, end);
  const blocks: BlockReference[] = [];
  let mainBytes = 0;
  let dataBytes = 0;
  while (end - cursor.position > dataBytes + mainBytes) {
    const id = cursor.u8();
    if (id === ID.short || id === ID.long) {
      mainBytes = id === ID.short ? cursor.u8() : cursor.u32();
      break; // always the last header
    }
    if (id === ID.origin) cursor.skip(2);
    else if (id === ID.topTransaction) cursor.skip(4);
    else if (id <= ID.maxBlock) {
      const block = readBlock(cursor, blocks.at(-1), version);
      dataBytes += block.dataBytes + (block.image?.lengthBytes ?? 0);
      blocks.push(block);
    } else throw contradiction(`block id ${id}`);
  }
  if (cursor.position + dataBytes + mainBytes !== end) throw contradiction('its parts do not add up to its length');
  placeImages(blocks, cursor.position);
  return { blocks, mainOffset: end - mainBytes, mainBytes };
}

function readBlock(cursor: Cursor, before: BlockReference | undefined, version: number): BlockReference {
  const flags = cursor.u8();
  const dataBytes = cursor.u16();
  const image = flags & FORK.hasImage ? readImage(cursor, version) : null;
  const same = (flags & FORK.sameRelation) !== 0;
  if (same && !before) throw contradiction('its first block repeats a relation');
  const tablespace = same && before ? before.tablespace : cursor.u32();
  const database = same && before ? before.database : cursor.u32();
  const relation = same && before ? before.relation : cursor.u32();
  return { tablespace, database, relation, fork: flags & FORK.mask, block: cursor.u32(), image, willInit: (flags & FORK.willInit) !== 0, dataBytes };
}

function readImage(cursor: Cursor, version: number): BlockImage {
  const lengthBytes = cursor.u16();
  const holeOffset = cursor.u16();
  const info = cursor.u8();
  const compression = imageCompression(info, version);
  if (compression !== 'none' && info & 1) cursor.skip(2); // length of the hole
  return { apply: (info & (version >= 15 ? 0x02 : 0x04)) !== 0, compression, offset: 0, lengthBytes, holeOffset };
}

function imageCompression(info: number, version: number): BlockImage['compression'] {
  if (version < 15) return info & 0x02 ? 'pglz' : 'none';
  if (info & 0x04) return 'pglz';
  if (info & 0x08) return 'lz4';
  return info & 0x10 ? 'zstd' : 'none';
}

/** Block by block: image, then data. */
function placeImages(blocks: BlockReference[], start: number): void {
  let position = start;
  for (const block of blocks) {
    if (block.image) {
      block.image.offset = position;
      position += block.image.lengthBytes;
    }
    position += block.dataBytes;
  }
}

class Cursor {
  constructor(
    private readonly bytes: Buffer,
    public position: number,
    private readonly end: number,
  ) {}

  u8(): number {
    return this.bytes.readUInt8(this.skip(1));
  }
  u16(): number {
    return this.bytes.readUInt16LE(this.skip(2));
  }
  u32(): number {
    return this.bytes.readUInt32LE(this.skip(4));
  }
  /** Moves on; gives where it was. */
  skip(length: number): number {
    const at = this.position;
    if (at + length > this.end) throw contradiction('its headers are longer than itself');
    this.position = at + length;
    return at;
  }
}

function contradiction(what: string): FormatError {
  return new FormatError({ code: 'postgresql.wal.record', message: `the log record contradicts itself: ${what}` });
}
