/** Builds small databases from the format: no real engine wrote them. One tree of an inner page with leaves per file, metadata, turtle, journal. */
import { crc32c } from '../../../src/bytes/crc32c.js';
import { blockSum, MAGIC } from '../format/block.js';
import type { BlockAddress } from '../format/cookie.js';

const UNIT = 4096;

export function packUint(value: number): Buffer {
  if (value < 64) return Buffer.from([0x80 | value]);
  if (value < 8256) return Buffer.from([0xc0 | ((value - 64) >> 8), (value - 64) & 0xff]);
  const bytes: number[] = [];
  for (let rest = value - 8256; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0xe0 | bytes.length, ...bytes]);
}

export function packAddress(address: BlockAddress | null): Buffer {
  const numbers = address ? [address.offset / UNIT - 1, address.sizeBytes / UNIT, address.checksum] : [0, 0, 0];
  return Buffer.concat(numbers.map(packUint));
}

export class FileBuilder {
  private readonly blocks: Buffer[] = [descriptionBlock()];

  get bytes(): Buffer {
    return Buffer.concat(this.blocks);
  }

  private get end(): number {
    return this.blocks.reduce((sum, block) => sum + block.length, 0);
  }

  page(type: number, cells: Buffer[], flags = 0): BlockAddress {
    const body = Buffer.concat(cells);
    const block = Buffer.alloc(Math.ceil((40 + body.length) / UNIT) * UNIT);
    block.writeUInt32LE(40 + body.length, 16);
    block.writeUInt32LE(cells.length, 20);
    block[24] = type;
    block[25] = flags;
    body.copy(block, 40);
    return this.add(block);
  }

  add(block: Buffer): BlockAddress {
    block.writeUInt32LE(block.length, 28);
    block[36] = 1;
    const checksum = blockSum(block, block.length);
    block.writeUInt32LE(checksum, 32);
    const address = { offset: this.end, sizeBytes: block.length, checksum };
    this.blocks.push(block);
    return address;
  }

  /** The tree of these leaves; its checkpoint as hexadecimal digits. */
  checkpoint(leaves: Buffer[][]): string {
    const addresses = leaves.map((cells) => this.page(7, cells));
    const root = this.page(
      6,
      addresses.flatMap((address, i) => [key(Buffer.from(`k${i}`)), cell(2 << 4, packAddress(address))]),
    );
    const available = this.add(Buffer.alloc(UNIT, 0));
    const cookie = [Buffer.from([1]), packAddress(root), packAddress(null), packAddress(available), packAddress(null), packUint(this.end), packUint(this.end)];
    return Buffer.concat(cookie).toString('hex');
  }
}

function descriptionBlock(): Buffer {
  const block = Buffer.alloc(UNIT);
  block.writeUInt32LE(MAGIC, 0);
  block.writeUInt16LE(1, 4);
  block.writeUInt32LE(crc32c(block), 8);
  return block;
}

/** A long cell; `type` with its flags. */
export function cell(type: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), packUint(data.length), data]);
}

export function key(data: Buffer): Buffer {
  return data.length < 64 ? Buffer.concat([Buffer.from([(data.length << 2) | 1]), data]) : cell64(5 << 4, data);
}

export function value(data: Buffer): Buffer {
  return data.length < 64 ? Buffer.concat([Buffer.from([(data.length << 2) | 3]), data]) : cell64(8 << 4, data);
}

function cell64(type: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), packUint(data.length - 64), data]);
}

const text = (string: string) => Buffer.from(`${string}\0`);

/** The files of a database with two collections; `journal` records follow the checkpoint. */
export function database(journal = 5): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  const leaves: Buffer[] = [];
  for (const name of ['collection-0-1.wt', 'index-1-1.wt']) {
    const builder = new FileBuilder();
    const pages = [0, 1, 2, 3].map((page) => [0, 1, 2].flatMap((i) => [key(Buffer.from(`${page}${i}`)), value(Buffer.alloc(40 + 30 * i, page))]));
    const cookie = builder.checkpoint(pages);
    files[name] = builder.bytes;
    leaves.push(key(text(`file:${name}`)), value(text(config(cookie, 'snappy'))));
  }
  const metadata = new FileBuilder();
  const cookie = metadata.checkpoint([leaves.slice(0, 2), leaves.slice(2)]);
  files['WiredTiger.wt'] = metadata.bytes;
  const turtle = ['WiredTiger version string', 'WiredTiger 10.0.2: (December 21, 2021)', 'WiredTiger version', 'major=10', 'file:WiredTiger.wt'];
  files['WiredTiger.turtle'] = Buffer.from(`${[...turtle, `${config(cookie, '')},checkpoint_lsn=(3,128)`].join('\n')}\n`);
  files['mongod.lock'] = Buffer.from('1234\n');
  files['journal/WiredTigerLog.0000000003'] = journalFile(journal);
  return files;
}

function config(cookie: string, compressor: string): string {
  const checkpoints = `checkpoint=(WiredTigerCheckpoint.8=(addr="01808080",order=8),WiredTigerCheckpoint.9=(addr="${cookie}",order=9,time=1))`;
  return `access_pattern_hint=none,allocation_size=4KB,block_compressor=${compressor},${checkpoints},encryption=(keyid=,name=),id=2`;
}

export function journalFile(records: number, sizeBytes = 64 * 1024): Buffer {
  const file = Buffer.alloc(sizeBytes);
  for (let i = 0, at = 0; i <= records; i++) {
    const length = i === 0 ? 32 : 100 + 40 * i;
    const record = file.subarray(at, at + length);
    for (let k = 16; k < length; k++) record[k] = (k * 7 + i) & 0xff;
    record.writeUInt32LE(length, 0);
    record.writeUInt32LE(crc32c(record), 4);
    at += Math.ceil(length / 128) * 128;
  }
  return file;
}
