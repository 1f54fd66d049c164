/** Where a block lies, and what its checksum must be: kept by whatever points to it. Source: `src/block/block_addr.c` of WiredTiger. */
import { FormatError } from '../../../src/errors.js';
import { Unpacker } from './pack.js';

/** Bytes in the file. */
export interface BlockAddress {
  offset: number;
  sizeBytes: number;
  checksum: number;
}

export interface CheckpointCookie {
  /** Null: the tree is empty. */
  root: BlockAddress | null;
  /** Lists of free and used space. */
  lists: BlockAddress[];
  fileBytes: number;
}

const VERSION = 1;

function address(unpacker: Unpacker, unit: number): BlockAddress | null {
  const [offset, size, checksum] = [unpacker.uint(), unpacker.uint(), unpacker.uint()];
  return size === 0 ? null : { offset: (offset + 1) * unit, sizeBytes: size * unit, checksum };
}

/** @throws FormatError */
export function parseAddress(cookie: Buffer, unit: number): BlockAddress | null {
  return address(new Unpacker(cookie), unit);
}

/** `hex` as it stands in the metadata. @throws FormatError */
export function parseCheckpoint(hex: string, unit: number): CheckpointCookie {
  if (!/^([0-9a-f]{2})+$/.test(hex)) throw new FormatError({ code: 'wiredtiger.cookie', message: 'the checkpoint is no hexadecimal number' });
  const unpacker = new Unpacker(Buffer.from(hex, 'hex'));
  const version = unpacker.byte();
  if (version !== VERSION) throw new FormatError({ code: 'wiredtiger.cookie', message: `the checkpoint is of version ${version}, known is ${VERSION}` });
  const root = address(unpacker, unit);
  const lists = [address(unpacker, unit), address(unpacker, unit), address(unpacker, unit)].filter((list) => list !== null);
  return { root, lists, fileBytes: unpacker.uint() };
}
