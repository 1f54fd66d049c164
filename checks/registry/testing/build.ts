/** Builds hives and logs from the format, for tests: a root key with subkeys that hold one value each. */
import { BASE_BLOCK_BYTES, baseBlockSum } from '../format/base-block.js';
import { marvin32 } from '../format/marvin32.js';

const NONE = 0xffffffff;

class Bins {
  private parts: Buffer[] = [];
  private used = 32;

  /** Offset of a new allocated cell with this content. */
  add(content: Buffer): number {
    const length = Math.ceil((content.length + 4) / 8) * 8;
    const cell = Buffer.alloc(length);
    cell.writeInt32LE(-length, 0);
    content.copy(cell, 4);
    this.parts.push(cell);
    const at = this.used;
    this.used += length;
    return at;
  }

  /** One bin, its rest a free cell. */
  bytes(): Buffer {
    const size = Math.ceil((this.used + 8) / 4096) * 4096;
    const head = Buffer.alloc(32);
    head.write('hbin', 0, 'latin1');
    head.writeUInt32LE(size, 8);
    const rest = Buffer.alloc(size - this.used);
    rest.writeInt32LE(rest.length, 0);
    return Buffer.concat([head, ...this.parts, rest]);
  }
}

/** Its subkeys are k0, k1, ...; `length` bytes are the data of each one's value. */
export function hive(keys: number, length = 20): Buffer {
  const bins = new Bins();
  const security = bins.add(securityCell());
  const rootAt = bins.add(Buffer.alloc(76 + 4));
  const list = Buffer.alloc(4 + 8 * keys);
  list.write('lh', 0, 'latin1');
  list.writeUInt16LE(keys, 2);
  for (let i = 0; i < keys; i++) {
    const name = `k${i}`;
    const value = valueCell(length, bins.add(Buffer.alloc(length, i + 1)));
    const values = Buffer.alloc(4);
    values.writeUInt32LE(bins.add(value), 0);
    list.writeUInt32LE(bins.add(keyCell(name, rootAt, security, { values: 1, valueList: bins.add(values) })), 4 + 8 * i);
    list.writeUInt32LE(nameHash(name), 8 + 8 * i);
  }
  const subkeyList = keys > 0 ? bins.add(list) : NONE;
  const bytes = bins.bytes();
  keyCell('ROOT', NONE, security, { subkeys: keys, subkeyList }).copy(bytes, rootAt + 4);
  return Buffer.concat([baseBlock(rootAt, bytes.length), bytes]);
}

function baseBlock(root: number, binsBytes: number): Buffer {
  const base = Buffer.alloc(BASE_BLOCK_BYTES);
  base.write('regf', 0, 'latin1');
  base.writeUInt32LE(1, 20);
  base.writeUInt32LE(5, 24);
  base.writeUInt32LE(1, 32);
  base.writeUInt32LE(root, 36);
  base.writeUInt32LE(binsBytes, 40);
  base.writeUInt32LE(1, 44);
  base.writeBigUInt64LE(0x1d9_0000_1234_5678n, 12);
  return sealBase(base, 7, 7);
}

/** Sets both sequence numbers and the sum, in place. */
export function sealBase(base: Buffer, primary: number, secondary: number, type = 0): Buffer {
  base.writeUInt32LE(primary, 4);
  base.writeUInt32LE(secondary, 8);
  base.writeUInt32LE(type, 28);
  base.writeUInt32LE(baseBlockSum(base), 508);
  return base;
}

interface KeyParts {
  subkeys?: number;
  subkeyList?: number;
  values?: number;
  valueList?: number;
}

function keyCell(name: string, parent: number, security: number, parts: KeyParts): Buffer {
  const key = Buffer.alloc(76 + name.length);
  key.write('nk', 0, 'latin1');
  key.writeUInt16LE(parent === NONE ? 0x2c : 0x20, 2);
  key.writeUInt32LE(parent === NONE ? 0 : parent, 16);
  key.writeUInt32LE(parts.subkeys ?? 0, 20);
  key.writeUInt32LE(parts.subkeyList ?? NONE, 28);
  key.writeUInt32LE(NONE, 32);
  key.writeUInt32LE(parts.values ?? 0, 36);
  key.writeUInt32LE(parts.valueList ?? NONE, 40);
  key.writeUInt32LE(security, 44);
  key.writeUInt32LE(NONE, 48);
  key.writeUInt16LE(name.length, 72);
  key.write(name, 76, 'latin1');
  return key;
}

function valueCell(size: number, data: number): Buffer {
  const value = Buffer.alloc(21);
  value.write('vk', 0, 'latin1');
  value.writeUInt16LE(1, 2);
  value.writeUInt32LE(size, 4);
  value.writeUInt32LE(data, 8);
  value.writeUInt32LE(3, 12);
  value.writeUInt16LE(1, 16);
  value.write('v', 20, 'latin1');
  return value;
}

/** The only one, its own neighbour in the ring; an empty descriptor that points nowhere. */
function securityCell(): Buffer {
  const cell = Buffer.alloc(40);
  cell.write('sk', 0, 'latin1');
  cell.writeUInt32LE(32, 4);
  cell.writeUInt32LE(32, 8);
  cell.writeUInt32LE(1, 12);
  cell.writeUInt32LE(20, 16);
  cell.writeUInt8(1, 20);
  cell.writeUInt16LE(0x8000, 22);
  return cell;
}

function nameHash(name: string): number {
  return [...name.toUpperCase()].reduce((hash, letter) => (Math.imul(hash, 37) + letter.charCodeAt(0)) >>> 0, 0);
}

/** 4096-byte pages in which two hives differ, as the later one has them. */
export function changedPages(before: Buffer, after: Buffer): { offset: number; bytes: Buffer }[] {
  const pages: { offset: number; bytes: Buffer }[] = [];
  for (let at = BASE_BLOCK_BYTES; at < after.length; at += 4096) {
    const bytes = after.subarray(at, at + 4096);
    if (!bytes.equals(before.subarray(at, at + 4096))) pages.push({ offset: at - BASE_BLOCK_BYTES, bytes });
  }
  return pages;
}

/** A log of the new kind, an entry per element, numbered from `sequence`. */
export function newLog(base: Buffer, sequence: number, binsBytes: number, entries: { offset: number; bytes: Buffer }[][]): Buffer {
  const head = sealBase(Buffer.from(base.subarray(0, 512)), sequence, sequence, 6);
  return Buffer.concat([head, ...entries.map((pages, i) => entry(sequence + i, binsBytes, pages)), Buffer.alloc(1024)]);
}

function entry(sequence: number, binsBytes: number, pages: { offset: number; bytes: Buffer }[]): Buffer {
  const data = pages.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const bytes = Buffer.alloc(Math.ceil((40 + 8 * pages.length + data) / 512) * 512);
  bytes.write('HvLE', 0, 'latin1');
  for (const [at, value] of [
    [4, bytes.length],
    [12, sequence],
    [16, binsBytes],
    [20, pages.length],
  ] as const) {
    bytes.writeUInt32LE(value, at);
  }
  let at = 40 + 8 * pages.length;
  for (const [i, page] of pages.entries()) {
    bytes.writeUInt32LE(page.offset, 40 + 8 * i);
    bytes.writeUInt32LE(page.bytes.length, 44 + 8 * i);
    page.bytes.copy(bytes, at);
    at += page.bytes.length;
  }
  bytes.writeBigUInt64LE(marvin32(bytes, 40), 24);
  bytes.writeBigUInt64LE(marvin32(bytes, 0, 32), 32);
  return bytes;
}

/** A log of the old kind. */
export function oldLog(base: Buffer, binsBytes: number, pages: { offset: number; bytes: Buffer }[]): Buffer {
  const units = binsBytes / 512;
  const vector = Buffer.alloc(Math.ceil((4 + Math.ceil(units / 8)) / 512) * 512);
  vector.write('DIRT', 0, 'latin1');
  const data: Buffer[] = [];
  for (const page of pages) {
    for (let at = 0; at < page.bytes.length; at += 512) {
      const unit = (page.offset + at) / 512;
      vector[4 + (unit >> 3)] = (vector[4 + (unit >> 3)] ?? 0) | (1 << (unit & 7));
      data.push(page.bytes.subarray(at, at + 512));
    }
  }
  const head = Buffer.from(base.subarray(0, 512));
  head.writeUInt32LE(binsBytes, 40);
  return Buffer.concat([sealBase(head, 9, 9, 1), vector, ...data]);
}
