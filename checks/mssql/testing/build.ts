/**
 * Builds small databases of SQL Server from the format alone: no server made them. They have the allocation maps, the checksums and
 * the log that the checks look at, and no tables.
 */
import { GAM_PAGES } from '../format/allocation.js';
import { CLEANLY_SHUT_DOWN } from '../format/file-page.js';
import { CHECKSUM, type Lsn, PAGE_BYTES, PAGE_TYPES, pageSum, sectorSum, wordsOf } from '../format/page.js';

export interface DatabaseChoices {
  pages?: number;
  /** Pages from `inUse` on are free. */
  inUse?: number;
  clean?: boolean;
  version?: number;
  name?: string;
  binding?: string;
  fileId?: number;
  checkpoint?: Lsn;
  /** LSN of data page `page`. */
  lsnOf?: (page: number) => Lsn;
  pfsLsn?: Lsn;
  flags?: number;
}

const DATA = 1;
export const BINDING = '00112233445566778899aabbccddeeff';
const CHECKPOINT: Lsn = { vlf: 41, block: 16, slot: 1 };

export function dataFile(choices: DatabaseChoices = {}): Buffer {
  const { pages = 128, inUse = 80, fileId = 1, binding = BINDING } = choices;
  const file = Buffer.alloc(pages * PAGE_BYTES);
  const old: Lsn = { vlf: 40, block: 20, slot: 1 };
  fileHeaderRecord(page(file, 0, fileId, PAGE_TYPES.fileHeader, old), binding, fileId);
  pfs(page(file, 1, fileId, PAGE_TYPES.pfs, choices.pfsLsn ?? old), inUse, pages);
  gam(page(file, 2, fileId, PAGE_TYPES.gam, old), inUse);
  for (let number = 3; number < inUse; number++) {
    if (isFree(number)) continue;
    const content = page(file, number, fileId, DATA, choices.lsnOf?.(number) ?? old);
    for (let at = 96; at < PAGE_BYTES; at += 4) content.writeUInt32LE((number * 2654435761 + at * 40503) >>> 0, at);
  }
  if (fileId === 1) bootRecord(page(file, 9, 1, PAGE_TYPES.boot, old), choices);
  for (let number = 0; number < inUse; number++) if (!isFree(number)) seal(file, number, choices.flags ?? CHECKSUM);
  return file;
}

/** Pages 4 and 5 of every file are not used. */
function isFree(number: number): boolean {
  return number === 4 || number === 5;
}

function page(file: Buffer, number: number, fileId: number, type: number, lsn: Lsn): Buffer {
  const bytes = file.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES);
  bytes.fill(0);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8(type, 1);
  bytes.writeUInt32LE(number, 32);
  bytes.writeUInt16LE(fileId, 36);
  setLsn(bytes, 40, lsn);
  return bytes;
}

export function setLsn(bytes: Buffer, at: number, { vlf, block, slot }: Lsn): void {
  bytes.writeUInt32LE(vlf, at);
  bytes.writeUInt32LE(block, at + 4);
  bytes.writeUInt16LE(slot, at + 8);
}

/** Writes the protection that the flags ask for. */
export function seal(file: Buffer, number: number, flags = CHECKSUM): void {
  const bytes = file.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES);
  bytes.writeUInt16LE(flags, 4);
  if (flags & CHECKSUM) bytes.writeUInt32LE(pageSum(wordsOf(bytes), 0), 60);
}

function fileHeaderRecord(bytes: Buffer, binding: string, fileId: number): void {
  const fields = [Buffer.from(binding, 'hex'), Buffer.alloc(0), Buffer.from([fileId, 0])];
  const record = bytes.subarray(96);
  record.writeUInt16LE(0x30, 0);
  record.writeUInt16LE(8, 2);
  record.writeUInt16LE(16, 8);
  record.writeUInt16LE(fields.length, 12);
  let end = 14 + 2 * fields.length;
  for (const [i, field] of fields.entries()) {
    field.copy(record, end);
    end += field.length;
    record.writeUInt16LE(end, 14 + 2 * i);
  }
}

function bootRecord(bytes: Buffer, { version = 957, clean = false, name = 'sales', checkpoint = CHECKPOINT }: DatabaseChoices): void {
  bytes.fill(0, 96);
  bytes.writeUInt16LE(version, 100);
  bytes.writeUInt32LE((clean ? CLEANLY_SHUT_DOWN : 0) + 0x10008, 96 + 36);
  bytes.write(name.padEnd(128, ' '), 96 + 52, 'utf16le');
  setLsn(bytes, 96 + 348, checkpoint);
}

function pfs(bytes: Buffer, inUse: number, pages: number): void {
  for (let number = 0; number < pages; number++) bytes[100 + number] = number < inUse && !isFree(number) ? 0x44 : 0;
}

function gam(bytes: Buffer, inUse: number): void {
  bytes.fill(0xff, 194, 194 + GAM_PAGES / 64);
  for (let extent = 0; extent * 8 < inUse; extent++) bytes[194 + (extent >> 3)] = (bytes[194 + (extent >> 3)] ?? 0) & ~(1 << (extent & 7));
}

export interface VlfChoices {
  /** 0: never used. */
  number: number;
  parity: 0 | 64 | 128;
  /** Lengths of the blocks in bytes. */
  blocks: number[];
  sizeBytes?: number;
  recordsEach?: number;
  /** What lay in the VLF before: blocks of the earlier use with the other parity. */
  stale?: boolean;
}

export const VLF_BYTES = 128 * 1024;

export function logFile(vlfs: VlfChoices[], binding = BINDING): Buffer {
  const head = Buffer.alloc(PAGE_BYTES);
  fileHeaderRecord(page(head, 0, 0, PAGE_TYPES.fileHeader, { vlf: 0, block: 0, slot: 1 }), binding, 2);
  seal(head, 0);
  const parts: Buffer[] = [head];
  let offset = PAGE_BYTES;
  let previous = 0;
  for (const vlf of vlfs) {
    parts.push(vlfBytes(vlf, offset, previous));
    previous = vlf.blocks.at(-1) ?? 0;
    offset += vlf.sizeBytes ?? VLF_BYTES;
  }
  return Buffer.concat(parts);
}

function vlfBytes({ number, parity, blocks, sizeBytes = VLF_BYTES, recordsEach = 3, stale = false }: VlfChoices, offset: number, previous: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  bytes[0] = 0xab;
  bytes[1] = parity;
  bytes.writeUInt32LE(number, 4);
  bytes.writeBigUInt64LE(BigInt(sizeBytes), 16);
  bytes.writeBigUInt64LE(BigInt(offset), 24);
  if (stale) for (let at = 8192; at + 512 <= sizeBytes; at += 512) block(bytes, at, 512, 512, { number: number - 2, parity: parity === 64 ? 128 : 64 }, 2);
  let at = 8192;
  for (const length of blocks) {
    block(bytes, at, length, previous, { number, parity }, recordsEach);
    at += length;
    previous = length;
  }
  return bytes;
}

function block(bytes: Buffer, at: number, length: number, previous: number, vlf: { number: number; parity: number }, records: number): void {
  const body = bytes.subarray(at, at + length);
  for (let i = 0; i < length; i++) body[i] = (i * 131 + at) & 0xff;
  for (let sector = 0; sector < length; sector += 512) body[sector] = vlf.parity | (sector === 0 ? 0x10 : 0) | (sector + 512 === length ? 8 : 0);
  body[1] = 0;
  body.writeUInt16LE(records, 2);
  body.writeUInt16LE(length - 100, 4);
  body.writeUInt16LE(length, 6);
  body.writeUInt16LE(3, 8);
  body.writeUInt16LE(previous, 10);
  body.writeUInt32LE(vlf.number, 12);
  body.writeUInt32LE(at / 512, 16);
  body.writeUInt32LE(1, 20);
  body.writeUInt32LE(sectorSum(wordsOf(body), 0, length / 512, 6), 24);
}

/** A full VLF 40, VLF 41 with the checkpoint in its first block and some log after it, and a VLF that was never used. */
export function usualLog(): VlfChoices[] {
  return [
    { number: 40, parity: 64, blocks: Array<number>(30).fill(4096) },
    { number: 41, parity: 128, blocks: [512, 1024, 4096, 512, 8192], stale: true },
    { number: 0, parity: 0, blocks: [] },
  ];
}
